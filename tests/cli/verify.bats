#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What verify and show --view vfio say where there is no kernel: what they do with one is tested in a virtual
# machine, and against a driver of our own in tests/unit.

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "no kernel behind a captured host: said once for all VFs" {
	split vfcap --demo verify --writes 0000:3b:00.0
	assert_refusal 1 'there is no kernel behind it to open functions through VFIO'
	split vfcap -F "$(dump many)" verify '*'
	assert_equal "$status" 1
	[ "$(grep -c 'there is no kernel' <<<"$stderr")" -eq 1 ]
}

@test "no kernel: each VF has its result" {
	run --separate-stderr vfcap --demo --json verify 0000:3b:00.0
	assert_equal "$status" 1
	assert_equal "$(jq -c '[.results[] | [.result, .code]] | unique' <<<"$output")" '[["failed","no-kernel"]]'
	assert_equal "$(jq '.results | length' <<<"$output")" 8
}

@test "a directory that looks like the sysfs of our driver is no kernel" {
	local dir=$BATS_TEST_TMPDIR/host vf
	cp -a "$demo" "$dir" && chmod -R u+w "$dir"
	vf=$dir/sys/bus/pci/devices/0000:3b:01.0
	mkdir -p "$vf/vfcap" "$vf/vfio-dev/vfio0"
	echo 1 >"$vf/vfcap/abi"
	echo 0x200 >"$vf/vfcap/pasid_offset"
	split vfcap --sysroot "$dir" verify 3b:01.0
	assert_refusal 1 'there is no kernel behind it'
	assert_equal "$(find "$dir" -newer "$vf/vfcap/pasid_offset" -type f)" ''
}

@test "what is no VF" {
	split vfcap --demo verify 0000:00:00.0
	assert_refusal 3 '0000:00:00.0: this is not a virtual function'
	run --separate-stderr vfcap --demo --json verify 0000:00:00.0
	assert_output --partial '"result":"refused","code":"not-a-vf"'
}

@test "a PF without VFs, nothing, and no DEVICE at all" {
	split vfcap --sysroot "$(host full)" verify 0000:ff:00.0
	assert_equal "$status" 3
	split vfcap --demo verify
	assert_refusal 2 'needs a DEVICE'
	split vfcap --demo show --view vfio
	assert_refusal 2 'needs a DEVICE'
}

@test "a VF token is a UUID" {
	split vfcap --demo verify --vf-token bd8d9d2b 3b:01.0
	assert_refusal 2 '--vf-token bd8d9d2b: no UUID'
	split vfcap --demo show --view vfio --vf-token '' 3b:01.0
	assert_refusal 2 '--vf-token: its argument (UUID) is empty'
	split vfcap --demo verify --vf-token bd8d9d2b-5a5f-4f5a-a211-f591514ba1f3 3b:01.0
	assert_refusal 1 'there is no kernel'
}

@test "show --view vfio: what is left is the name, and why" {
	run --separate-stderr vfcap --demo show --view vfio 3b:01.0
	assert_equal "$status" 1
	assert_line --partial '0000:3b:01.0  '
	assert_line '  extended capabilities: not known'
	run --separate-stderr vfcap --demo --json show --view vfio 3b:01.0
	assert_equal "$(jq -c '.functions[0] | [.view, has("chain")]' <<<"$output")" '["vfio",false]'
	assert_equal "$(vfcap --demo show --view hardware 3b:01.0)" "$(vfcap --demo show 3b:01.0)"
}
