#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "global options before the command and after it" {
	local root
	root=$(host many)
	assert_equal "$(vfcap --sysroot "$root" -j list)" "$(vfcap list --json --sysroot="$root")"
	assert_equal "$(vfcap -o ADDRESS -n --demo list)" "$(vfcap list --output=ADDRESS --noheadings --demo)"
	assert_equal "$(vfcap -F "$(dump many)" -rq list)" "$(vfcap list -rqF "$(dump many)")"
}

@test "options after a DEVICE, and a DEVICE after --" {
	assert_equal "$(vfcap list 3b:00.0 --demo)" "$(vfcap list --demo -- 3b:00.0)"
}

@test "--from, --sysroot and --demo exclude each other" {
	split vfcap --demo --sysroot / list
	assert_refusal 2 'exclude each other'
	split vfcap --demo list -F /dev/null
	assert_refusal 2 'exclude each other'
	split vfcap --sysroot / list -F /dev/null
	assert_refusal 2 'exclude each other'
}

@test "unknown commands and options name what exists" {
	split vfcap
	assert_refusal 2 "no command; there are $(vfcap --dump-options | awk -F '\t' '$1 == "command" { print $2 }' | paste -sd , | sed 's/,/, /g')"
	split vfcap nonsense
	assert_refusal 2 'nonsense: no such command; there are list, show'
	split vfcap list --foo
	assert_refusal 2 '--foo: no such option; there are --all'
	split vfcap --foo list
	assert_refusal 2 '--foo: no such option; there are --from'
	split vfcap list -vx
	assert_refusal 2 '-x: no such option'
	split vfcap --demo plan --rule
	assert_refusal 2 '--rule: needs an argument (auto|'
	split vfcap list --json=yes
	assert_refusal 2 '--json: takes no argument'
	split vfcap list --no-such=1
	assert_refusal 2 '--no-such: no such option'
	split vfcap diff --view vfio
	assert_refusal 2 '--view: no such option'
	split vfcap list --color=blue
	assert_refusal 2 'auto, always, never'
	split vfcap help nothing
	assert_refusal 2 'nothing: no such command'
}

@test "help, usage and version go to standard output, exit 0" {
	local command
	for command in '' list show diff map plan help; do
		# shellcheck disable=SC2086
		split vfcap $command --help
		assert_success
		assert_equal "$stderr" ''
		assert_line --index 0 --partial "Usage: vfcap${command:+ $command}"
		# shellcheck disable=SC2086
		assert_equal "$(vfcap help $command)" "$output"
		# shellcheck disable=SC2086
		split vfcap $command --usage
		assert_success
		assert_line --index 0 --partial 'Usage: vfcap'
	done
	run vfcap --version
	assert_output "vfcap $VFCAP_VERSION"
	run vfcap plan -V
	assert_output "vfcap $VFCAP_VERSION"
}

@test "the tables that completions read are those of the help" {
	local tables=$BATS_TEST_TMPDIR/tables command commands option column
	"$VFCAP" --dump-options >"$tables"
	commands=$(awk -F '\t' '$1 == "command" { print $2 }' "$tables" | xargs)
	assert_equal "$commands" "$("$VFCAP" --help | sed -nE 's/^  ([a-z]+)  +[a-z].*/\1/p' | xargs)"
	for command in '' $commands; do
		# shellcheck disable=SC2086
		"$VFCAP" help $command >"$BATS_TEST_TMPDIR/help"
		while read -r option; do
			grep -q -e "  $option" -e ", $option" "$BATS_TEST_TMPDIR/help" || fail "$command $option"
		done < <(awk -F '\t' -v c="$command" '
			$1 == "option" && ($2 == "" || $2 == c) { print $4; if ($3) print $3 }' "$tables")
		while read -r column; do
			grep -q "^  [* ] $column " "$BATS_TEST_TMPDIR/help" || fail "$command $column"
		done < <(awk -F '\t' -v c="$command" '$1 == "column" && $2 == c { print $3 }' "$tables")
	done
}

@test "colors: on a terminal, unless NO_COLOR or --color says otherwise" {
	local esc=$'\033'
	on_terminal --demo show 3b:00.0
	assert_output --partial "$esc["
	NO_COLOR=1 on_terminal --demo show 3b:00.0
	refute_output --partial "$esc["
	on_terminal --color=never --demo show 3b:00.0
	refute_output --partial "$esc["
	run vfcap --demo show 3b:00.0
	refute_output --partial "$esc["
	run vfcap --color=always --demo plan 3b:00.0
	assert_output --partial "$esc["
	# What is to be pasted is never colored.
	run vfcap --color=always --demo plan --as commands 3b:00.0
	refute_output --partial "$esc["
}

@test "-q silences warnings, not errors; -v says more" {
	split vfcap -q --demo map 5e:00.2
	assert_equal "$stderr" ''
	split vfcap -q --demo show 99:00.0
	assert_refusal 3 'no such function'
	split vfcap -v --demo list
	[[ $stderr == *"read from "* ]] || fail "$stderr"
}

@test "columns where there is no table: a warning" {
	split vfcap --demo show -o ADDRESS 3b:00.0
	assert_success
	[[ $stderr == *"--output"* ]] || fail "$stderr"
}

@test "every form of DEVICE" {
	local device
	for device in 0000:3b:01.3 3b:01.3 pci/0000:3b:01.3 pci_0000_3b_01_3 3b:00.0/vf3 ens1f0/vf3 \
		0000:3b:00.0/vf3-3 'ens1f0v3' '0000:3b:01.3*' '*3b:01.3'; do
		assert_equal "$(vfcap --demo list -rno ADDRESS "$device")" 0000:3b:01.3
	done || return
	assert_equal "$(vfcap --demo list -rno ADDRESS ens1f0/vf0-7 | wc -l)" 8
}

@test "a DEVICE that matches nothing: exit 3, the others are done" {
	split vfcap --demo show 99:00.0
	assert_refusal 3 '99:00.0: no such function'
	split vfcap --demo show eth99
	assert_refusal 3 'eth99: no such function'
	split vfcap --demo list -rno ADDRESS '0000:99:*' 5e:00.2
	assert_equal "$status" 3
	assert_output 0000:5e:00.2
	split vfcap --demo plan ens1f0/vf99
	assert_refusal 3 'no VF 99'
}

@test "what is no DEVICE at all: exit 2" {
	split vfcap --demo show a/b
	assert_refusal 2 'neither an address'
}

@test "an argument that is empty is named: exit 2" {
	split vfcap --sysroot '' list
	assert_refusal 2 '--sysroot: its argument (DIR) is empty'
	split vfcap list --sysroot=
	assert_refusal 2 '--sysroot: its argument (DIR) is empty'
	split vfcap -F '' list
	assert_refusal 2 '--from: its argument (SRC) is empty'
	split vfcap --demo list -o ''
	assert_refusal 2 '--output: its argument (COL[,COL...]) is empty'
	split vfcap --demo plan --at ''
	assert_refusal 2 '--at: its argument ('
	split vfcap --demo capture ''
	assert_refusal 2 'capture: an argument (FILE) is empty'
	split vfcap --demo apply ''
	assert_refusal 2 'apply: an argument ([FILE...]) is empty'
	split vfcap --demo show ''
	assert_refusal 2 'show: an argument ([DEVICE...]) is empty'
	split vfcap -F 3b:00.0= list
	assert_refusal 1 '3b:00.0=: names no file'
	split vfcap ''
	assert_refusal 2 'no command; there are'
	[[ $stderr != *': : '* && $stderr != 'vfcap: : '* ]] || fail "stderr: $stderr"
}

@test "of several devices the worst exit status counts, and 1 is worse than 3" {
	run vfcap --sysroot "$(host unprivileged)" plan 0000:01:00.0 99:00.0
	assert_failure 1
	run vfcap --demo plan 3b:00.0 99:00.0
	assert_failure 3
}
