#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "the tree of the demo host" {
	assert_golden list-demo.txt vfcap --demo list
	LC_ALL=C assert_golden list-demo-ascii.txt vfcap --demo list
}

@test "JSON of the demo host" {
	assert_golden list-demo.json jqc '.functions[] | del(.title)' vfcap --demo list --json
}

@test "a VF's IDs are real ones, from a tree and from a dump" {
	assert_equal "$(vfcap --sysroot "$(host many)" list -rno ADDRESS,VENDOR,DEVICE 0000:3b:00.0/vf0)" \
		'0000:3b:01.0 8086 1889'
	assert_equal "$(vfcap -F "$(dump many)" list -rno ADDRESS,VENDOR,DEVICE 0000:3b:00.0/vf0)" \
		'0000:3b:01.0 8086 1889'
}

@test "a dump finds the same PFs and VFs as the tree" {
	local columns=ADDRESS,ROLE,PF,INDEX,PASID,PRI,ATS,NUMVFS,TOTALVFS name
	for name in many carry siblings tails; do
		assert_equal "$(vfcap -F "$(dump $name)" list -o $columns)" \
			"$(vfcap --sysroot "$(host $name)" list -o $columns)"
	done
}

@test "columns: chosen, added, in any case" {
	run vfcap --demo list -o address,Role 3b:00.0
	assert_line --index 0 'ADDRESS        ROLE'
	assert_line --index 1 '0000:3b:00.0   PF'
	run vfcap --demo list -o +SIZE 3b:00.0
	assert_line --index 0 --regexp '^ADDRESS +ROLE .* EMULATED +SIZE$'
	run vfcap --demo list --noheadings --raw --output ADDRESS,NUMVFS,TOTALVFS 3b:00.0
	assert_line --index 0 '0000:3b:00.0 8 64'
}

@test "raw output has every default column, empty or not" {
	run vfcap --demo list --raw
	assert_line --index 0 'ADDRESS ROLE DRIVER GROUP NETDEV MAC VLAN PASID PRI ATS EMULATED'
	refute_output --partial '─'
}

@test "an unknown column names those that there are" {
	split vfcap --demo list -o ADDRESS,SPEED
	assert_refusal 2 'SPEED: no such column; there are ADDRESS, ROLE,'
	split vfcap --demo list -o ''
	assert_refusal 2 '--output: its argument (COL[,COL...]) is empty'
}

@test "--all has functions that are neither PF nor VF" {
	run vfcap --demo list -q -rno ADDRESS,ROLE
	refute_line --regexp ' -$'
	run vfcap --demo list --all -q -rno ADDRESS,ROLE
	assert_line --regexp '^0000:00:1f.3 -$'
}

@test "a DEVICE is a filter: a PF brings its VFs" {
	run vfcap --demo list -rno ADDRESS 5e:00.0
	assert_output $'0000:5e:00.0\n0000:5e:00.2\n0000:5e:00.3'
	run vfcap --demo list -rno ADDRESS ens1f0/vf2 ens1f0/vf0
	assert_output $'0000:3b:01.0\n0000:3b:01.2'
}

@test "no SR-IOV: an empty list, exit 0, and what was looked at" {
	split vfcap --sysroot "$(host none)" list
	assert_success
	assert_output ''
	[[ $stderr == *"$(host none): none of "*"--demo"* ]] || fail "$stderr"
	split vfcap --sysroot "$(host none)" list --json
	assert_equal "$output" '{"vfcap":1,"functions":[]}'
}

@test "no PCI: an empty list, exit 0, and what was looked at" {
	mkdir -p "$BATS_TEST_TMPDIR/root"
	split vfcap --sysroot "$BATS_TEST_TMPDIR/root" list
	assert_refusal 0 'sys/bus/pci/devices'
	split vfcap --sysroot "$BATS_TEST_TMPDIR/root" list --json
	assert_success
	assert_output '{"vfcap":1,"functions":[]}'
}

@test "64 bytes: ? and why, in one line for all of them" {
	split vfcap --sysroot "$(host unprivileged)" list -rno ADDRESS,PASID
	assert_success
	assert_output --partial ' ?'
	[[ $stderr == "vfcap: "*"64 bytes"*"CAP_SYS_ADMIN" ]] || fail "$stderr"
	split vfcap --sysroot "$(host unprivileged)" list -q
	assert_equal "$stderr" ''
}

@test "64 bytes: JSON has no key for what could not be known" {
	run jqc '[.functions[] | has("pasid"), has("pri"), has("ats"), .config_size] | unique' \
		vfcap -q --sysroot "$(host unprivileged)" list --json
	assert_output '[false,64]'
}

@test "what would be woken is skipped and named, --wake reads it" {
	split vfcap --sysroot "$(host d3cold)" list -rno ADDRESS,PASID
	assert_success
	[[ $stderr == *"D3cold, not read (--wake reads it)"* ]] || fail "$stderr"
	split vfcap --wake --sysroot "$(host d3cold)" list
	assert_equal "$stderr" ''
	split vfcap --sysroot "$(host bridge)" list
	[[ $stderr == *"below a suspended bridge"* ]] || fail "$stderr"
}

@test "runtime suspended alone is read" {
	split vfcap --sysroot "$(host idle)" list
	assert_success
	assert_equal "$stderr" ''
}

@test "256 VFs are one line on a terminal, and 256 anywhere else" {
	local root
	root=$(host many)
	assert_equal "$(vfcap --sysroot "$root" list | wc -l)" 258
	on_terminal --sysroot "$root" list
	assert_line --regexp '0000:3b:01.0\.\.0000:3c:00.7 \(256\) +VF'
	assert_equal "${#lines[@]}" 3
	on_terminal --sysroot "$root" list --raw
	assert_equal "${#lines[@]}" 258
}

@test "a VF that differs is not folded away" {
	local dir=$BATS_TEST_TMPDIR/odd
	sed '$a vfs 99-99 driver ice' "$VFCAP_SOURCE/tests/hosts/many.host" >"$BATS_TEST_TMPDIR/odd.host"
	"$VFCAP_BUILD/mkhost" "$BATS_TEST_TMPDIR/odd.host" "$dir"
	on_terminal --sysroot "$dir" list
	assert_line --partial '(99)'
	assert_line --regexp '0000:3b:0d.3 +VF +ice '
	assert_line --partial '(156)'
}

@test "what is emulated, from the knob" {
	run vfcap --demo list -rno EMULATED 0000:3b:00.0/vf3 0000:3b:00.0/vf4
	assert_output $'no\nPASID@1d0'
	run jqc '[.functions[].emulated]' vfcap --demo list --json 0000:3b:00.0/vf3 0000:3b:00.0/vf4
	assert_output '[{"pasid":null,"pri":null},{"pasid":464,"pri":null}]'
	# A dump says nothing of drivers.
	run jqc '[.functions[] | has("emulated")] | unique' vfcap -F "$(dump many)" list --json
	assert_output '[false]'
}
