#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the shells offer, asked of the shells themselves.

setup() {
	bats_load_library bats-support
	bats_load_library bats-assert
	PATH=$(dirname "$VFCAP"):$PATH
	vfs=$(printf '0000:3b:01.%d\n' 0 1 2 3 4 5 6 7)
	commands=$("$VFCAP" --dump-options | awk -F '\t' '$1 == "command" { print $2 }' | sort)
}

# What bash offers at the end of LINE, sorted; [BREAKS]: readline's word breaks but for blanks. Readline
# replaces what follows the last word break, so that is what is offered.
in_bash() {
	LINE=$1 BREAKS=${2-:=} bash -c '
		source "$VFCAP_SOURCE/completions/vfcap"
		COMP_LINE=$LINE COMP_POINT=${#LINE} COMP_WORDBREAKS=$'"' \t\n'"'$BREAKS
		_vfcap
		printf "%s\n" "${COMPREPLY[@]}"' | sort
}

in_zsh() {
	"$VFCAP_SOURCE/tests/cli/zsh/complete" "$1"
}

# Without the descriptions.
in_fish() {
	LINE=$1 HOME=$BATS_TEST_TMPDIR fish -N -c '
		source $VFCAP_SOURCE/completions/vfcap.fish
		complete -C $LINE' | cut -f 1 | sort
}

need() {
	command -v "$1" >/dev/null || skip "no $1 here"
	[ "$1" != zsh ] || zsh -fc 'zmodload zsh/zpty && zpty z true' 2>/dev/null || skip 'no pseudo-terminals here'
}

options_of() { # COMMAND
	"$VFCAP" --dump-options | awk -F '\t' -v command="$1" \
		'$1 == "option" && ($2 == "" || $2 == command) { print $4 }' | sort
}

columns_like() { # PATTERN PREFIX
	"$VFCAP" --dump-options | awk -F '\t' -v pattern="$1" -v prefix="$2" \
		'$1 == "column" && $2 == "list" && $3 ~ pattern { print prefix $3 }' | sort
}

@test "bash: commands and options" {
	assert_equal "$(in_bash 'vfcap ')" "$commands"
	assert_equal "$(in_bash 'vfcap --demo -n pl')" plan
	assert_equal "$(in_bash 'vfcap --sysroot list pl')" plan
	assert_equal "$(in_bash 'vfcap help ')" "$commands"
	local command
	for command in $commands; do
		assert_equal "$command: $(in_bash "vfcap $command --")" "$command: $(options_of "$command")"
	done
}

@test "bash: values of options" {
	assert_equal "$(in_bash 'vfcap --color ')" $'always\nauto\nnever'
	assert_equal "$(in_bash 'vfcap --color=a')" $'always\nauto'
	assert_equal "$(in_bash 'vfcap --color=a' '')" $'--color=always\n--color=auto'
	assert_equal "$(in_bash 'vfcap plan --rule f')" free-gap
	assert_equal "$(in_bash 'vfcap plan --as l')" libvirt
	assert_equal "$(in_bash 'vfcap show --view v')" vfio
	assert_equal "$(in_bash 'vfcap plan --cap pasid,')" pasid,pri
	assert_equal "$(in_bash 'vfcap plan --at p')" $'pasid=\npri='
	assert_equal "$(in_bash 'vfcap list -nro P')" "$(columns_like ^P)"
	assert_equal "$(in_bash 'vfcap list -o ROLE,P')" "$(columns_like ^P ROLE,)"
	assert_equal "$(in_bash 'vfcap list -o +P')" "$(columns_like ^P +)"
}

@test "bash: files and directories" {
	cd "$VFCAP_SOURCE"
	assert_equal "$(in_bash 'vfcap -F Makef')" Makefile
	assert_equal "$(in_bash 'vfcap --from=Makef')" Makefile
	assert_equal "$(in_bash 'vfcap -F 0000:01:00.0=Makef')" Makefile
	assert_equal "$(in_bash 'vfcap --sysroot complet')" completions
	assert_equal "$(in_bash 'vfcap apply Makef')" Makefile
	assert_equal "$(in_bash 'vfcap apply --check x.json Makef')" Makefile
	assert_equal "$(in_bash 'vfcap --demo apply --only 0000:3b:01' '')" "$vfs"
}

@test "bash: devices, with colons that break words and without" {
	assert_equal "$(in_bash 'vfcap --demo show 0000:3b:01')" "${vfs//0000:3b:/}"
	assert_equal "$(in_bash 'vfcap --demo show 0000:3b:01' '')" "$vfs"
	assert_equal "$(in_bash 'vfcap --demo show 3b:01' '')" "${vfs//0000:/}"
	assert_equal "$(in_bash 'vfcap show --demo 0000:3b:01' '')" "$vfs"
	assert_equal "$(in_bash 'vfcap --demo plan 0000:3b:00.0/vf' '')" "$(printf '0000:3b:00.0/vf%d\n' 0 1 2 3 4 5 6 7)"
	assert_equal "$(in_bash 'vfcap --demo plan 3b:00.0/vf7' '')" 3b:00.0/vf7
	assert_equal "$(in_bash 'vfcap --demo plan enp94')" enp94s0f0
	assert_equal "$(in_bash 'vfcap --demo plan nothing')" ''
}

@test "bash: devices of the source on the command line" {
	local dump=$BATS_TEST_TMPDIR/dump
	"$VFCAP_BUILD/mkhost" --dump "$VFCAP_SOURCE/share/demo.host" >"$dump"
	assert_equal "$(in_bash "vfcap --sysroot $VFCAP_BUILD/demo show 0000:3b:01" '')" "$vfs"
	assert_equal "$(in_bash "vfcap -F $dump show 0000:3b:01" '')" "$vfs"
	assert_equal "$(in_bash "vfcap --from=$dump show 0000:3b:01" '')" "$vfs"
	assert_equal "$(in_bash "vfcap --sysroot $BATS_TEST_TMPDIR show 0000:3b:01" '')" ''
}

@test "zsh: commands and options" {
	need zsh
	assert_equal "$(in_zsh 'vfcap ')" "$commands"
	assert_equal "$(in_zsh 'vfcap --demo pl')" plan
	assert_equal "$(in_zsh 'vfcap help ')" "$commands"
	assert_equal "$(in_zsh 'vfcap plan --')" "$(options_of plan)"
}

@test "zsh: values of options" {
	need zsh
	assert_equal "$(in_zsh 'vfcap --color=a')" $'always\nauto'
	assert_equal "$(in_zsh 'vfcap plan --rule f')" free-gap
	assert_equal "$(in_zsh 'vfcap plan --cap pasid,')" pasid,pri
	assert_equal "$(in_zsh 'vfcap plan --at p')" $'pasid=\npri='
	assert_equal "$(in_zsh 'vfcap list -o ROLE,P')" "$(columns_like ^P)"
	cd "$VFCAP_SOURCE"
	assert_equal "$(in_zsh 'vfcap -F Makef')" Makefile
	assert_equal "$(in_zsh 'vfcap --sysroot complet')" completions
	assert_equal "$(in_zsh 'vfcap apply Makef')" Makefile
}

@test "zsh: devices" {
	need zsh
	assert_equal "$(in_zsh 'vfcap --demo show 0000:3b:01')" "$vfs"
	assert_equal "$(in_zsh 'vfcap --demo show 3b:01')" "${vfs//0000:/}"
	assert_equal "$(in_zsh "vfcap --sysroot $VFCAP_BUILD/demo show 0000:3b:01")" "$vfs"
	assert_equal "$(in_zsh 'vfcap --demo plan 0000:3b:00.0/vf7')" 0000:3b:00.0/vf7
	assert_equal "$(in_zsh 'vfcap --demo plan enp94')" enp94s0f0
}

@test "fish: commands and options" {
	need fish
	assert_equal "$(in_fish 'vfcap ')" "$commands"
	assert_equal "$(in_fish 'vfcap --demo pl')" plan
	assert_equal "$(in_fish 'vfcap help ')" "$commands"
	assert_equal "$(in_fish 'vfcap plan --' | grep '^--')" "$(options_of plan)"
}

@test "fish: values of options" {
	need fish
	assert_equal "$(in_fish 'vfcap --color ')" $'always\nauto\nnever'
	assert_equal "$(in_fish 'vfcap plan --rule fr')" free-gap
	assert_equal "$(in_fish 'vfcap plan --cap pasid,')" pasid,pri
	assert_equal "$(in_fish 'vfcap plan --at p')" $'pasid=\npri='
	assert_equal "$(in_fish 'vfcap list -o ROLE,P')" "$(columns_like ^P ROLE,)"
	cd "$VFCAP_SOURCE"
	assert_equal "$(in_fish 'vfcap -F Makef')" Makefile
	assert_equal "$(in_fish 'vfcap --sysroot complet')" completions/
	assert_equal "$(in_fish 'vfcap apply Makef')" Makefile
}

@test "fish: devices" {
	need fish
	assert_equal "$(in_fish 'vfcap --demo show 0000:3b:01')" "$vfs"
	assert_equal "$(in_fish "vfcap --sysroot $VFCAP_BUILD/demo show 0000:3b:01")" "$vfs"
	assert_equal "$(in_fish 'vfcap --demo plan 0000:3b:00.0/vf7')" 0000:3b:00.0/vf7
	assert_equal "$(in_fish 'vfcap --demo plan enp94')" enp94s0f0
}

@test "bash: files of a command that takes them" {
	cd "$VFCAP_SOURCE"
	assert_equal "$(in_bash 'vfcap capture Makef')" Makefile
}

@test "zsh: files of a command that takes them" {
	need zsh
	cd "$VFCAP_SOURCE"
	assert_equal "$(in_zsh 'vfcap capture Makef')" Makefile
}

@test "fish: files of a command that takes them" {
	need fish
	cd "$VFCAP_SOURCE"
	assert_equal "$(in_fish 'vfcap capture Makef')" Makefile
}
