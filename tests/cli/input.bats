#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Bad input: one clear line, the right exit status, bounded time.

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "files that are none" {
	split vfcap -F "$BATS_TEST_TMPDIR/missing" list
	assert_refusal 1 'missing: No such file or directory'
	split vfcap -F "$BATS_TEST_TMPDIR" list
	assert_refusal 1 'Is a directory'
	split vfcap -F /dev/null list
	assert_refusal 1 '/dev/null'
	: >"$BATS_TEST_TMPDIR/empty"
	split vfcap -F "$BATS_TEST_TMPDIR/empty" list
	assert_refusal 1 empty
	split vfcap --sysroot "$BATS_TEST_TMPDIR/missing" list
	assert_refusal 1 'No such file or directory'
	split vfcap --sysroot "$BATS_TEST_TMPDIR" show
	assert_refusal 1 'sys/bus/pci/devices'
}

@test "files with something else in them" {
	head -c 1000 /dev/zero >"$BATS_TEST_TMPDIR/zero"
	split vfcap -F "$BATS_TEST_TMPDIR/zero" show
	assert_refusal 1 'raw image (64, 256 or 4096 bytes)'
	echo hello >"$BATS_TEST_TMPDIR/text"
	split vfcap -F "$BATS_TEST_TMPDIR/text" show
	assert_refusal 1 text
	echo '00:01.0 Host bridge: Some Vendor' >"$BATS_TEST_TMPDIR/nohex"
	split vfcap -F "$BATS_TEST_TMPDIR/nohex" show
	assert_refusal 1 'lspci -xxxx'
}

@test "garbage on standard input, without end of line and with NULs" {
	split timeout 120 "$VFCAP" -F - list < <(head -c 200000000 /dev/zero)
	assert_refusal 1 'standard input'
	split timeout 120 "$VFCAP" -F - list < <(head -c 50000000 /dev/urandom)
	assert_equal "$status" 1
}

@test "all ones and all zeros" {
	tr '\0' '\377' </dev/zero | head -c 4096 >"$BATS_TEST_TMPDIR/ones"
	head -c 4096 /dev/zero >"$BATS_TEST_TMPDIR/zeros"
	local file command
	for file in ones zeros; do
		for command in list show 'list --all' 'show --json' 'map 0000:00:00.0'; do
			# shellcheck disable=SC2086
			run timeout 20 "$VFCAP" -q -F "$BATS_TEST_TMPDIR/$file" $command
			assert_success
		done
		run timeout 20 "$VFCAP" -q -F "$BATS_TEST_TMPDIR/$file" plan 0000:00:00.0
		assert_failure 3
	done
}

@test "a chain of every header that 4 KiB can hold" {
	awk 'BEGIN {
		print "0000:00:00.0 0000: 1234:5678"
		for (at = 0; at < 4096; at += 16) {
			printf "%02x:", at
			for (i = at; i < at + 16; i += 4) {
				next_ = i + 4 < 4096 ? i + 4 : 0
				if (i < 256)
					printf " 00 00 00 00"
				else
					printf " 00 00 %02x %02x", next_ % 16 * 16, int(next_ / 16)
			}
			print ""
		}
	}' >"$BATS_TEST_TMPDIR/long"
	run jqc '.functions[0].chain | length' timeout 20 "$VFCAP" -F "$BATS_TEST_TMPDIR/long" show --json
	assert_output 959 # the last one is zero
	run timeout 20 "$VFCAP" -q -F "$BATS_TEST_TMPDIR/long" map 0000:00:00.0
	assert_success
}

@test "a bad record does not lose the others" {
	{
		echo 'zz:00.0 nonsense'
		echo '00: zz'
		cat "$(dump many)"
	} >"$BATS_TEST_TMPDIR/mixed"
	assert_equal "$(vfcap -q -F "$BATS_TEST_TMPDIR/mixed" list)" "$(vfcap -q -F "$(dump many)" list)"
}

# A sysroot in which a function has a driver of that name; prints its directory.
with_driver() { # NAME
	local dir=$BATS_TEST_TMPDIR/named
	"$VFCAP_BUILD/mkhost" "$VFCAP_SOURCE/tests/hosts/none.host" "$dir"
	ln -sfn "../../../bus/pci/drivers/$1" "$dir/sys/bus/pci/devices/0000:01:00.0/driver"
	echo "$dir"
}

@test "names from a host do not reach the terminal as commands" {
	local dir command
	dir=$(with_driver $'\033[31mred')
	for command in 'list --all' 'show 0000:01:00.0' 'map 0000:01:00.0'; do
		# shellcheck disable=SC2086
		run vfcap --sysroot "$dir" $command
		assert_output --partial '?[31mred'
		refute_output --partial $'\033'
	done
	run vfcap --demo show $'\033[31m'
	refute_output --partial $'\033'
}

@test "names that are no UTF-8 are no reason for broken JSON" {
	run jqc '[.functions[].driver | select(. != null)]' \
		vfcap --sysroot "$(with_driver $'caf\xe9')" list --all --json 0000:01:00.0
	assert_output $'["caf\ufffd"]'
}

@test "a function that vanishes between list and read" {
	local dir
	dir=$BATS_TEST_TMPDIR/gone
	"$VFCAP_BUILD/mkhost" "$VFCAP_SOURCE/tests/hosts/siblings.host" "$dir"
	find "$dir" -name config | while read -r file; do rm "$file" && mkdir "$file"; done
	run timeout 20 "$VFCAP" --sysroot "$dir" plan
	assert_equal "$((status == 1 || status == 3))" 1
	run timeout 20 "$VFCAP" --sysroot "$dir" show
	refute_output --partial 'Sanitizer'
}

@test "standard output closed, full, or without a reader" {
	local command
	for command in 'list --demo' 'list --demo --raw' 'show --demo' 'show --demo --json' 'plan --demo' \
		'diff --demo' 'map --demo 3b:01.0' 'map --svg --demo 3b:01.0' --help --version --dump-options; do
		# shellcheck disable=SC2086
		run bash -c "\"\$VFCAP\" -q $command 2>&1 >/dev/full"
		assert_failure 1
		assert_output 'vfcap: standard output: No space left on device'
		# shellcheck disable=SC2086
		run bash -c "\"\$VFCAP\" -q $command 2>&1 >&-"
		assert_failure 1
		assert_output --regexp '^vfcap: standard output: [^'$'\n'']*$'
	done
	run bash -c '"$VFCAP" -q --demo show 2>"$BATS_TEST_TMPDIR/err" | head -n 1 >/dev/null; echo "${PIPESTATUS[0]}"'
	[[ $output == @(0|141) ]]
	run bash -c 'exec 3> >(exec true); sleep 0.5; "$VFCAP" -q --demo list 2>&1 >&3'
	assert_failure 141 # 128 + SIGPIPE
	assert_output ''
}

@test "standard error closed: the answer is the same" {
	run bash -c '"$VFCAP" --demo plan 2>&-'
	assert_failure 3
	assert_output "$(vfcap --demo plan)"
}
