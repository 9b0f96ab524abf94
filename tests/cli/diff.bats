#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "PF and VFs side by side" {
	assert_golden diff.txt vfcap --demo diff 3b:00.0 00:02.0
	assert_golden diff.json jqc '.diff[]' vfcap --demo diff --json 3b:00.0/vf0
}

@test "VFs with the same answer are one answer" {
	run vfcap --sysroot "$(host many)" diff 3b:00.0
	assert_success
	assert_line --index 0 '0000:3b:01.0 .. 0000:3c:00.7 (256 VFs of 0000:3b:00.0)'
	assert_equal "$(printf '%s\n' "${lines[@]}" | grep -c 'VFs of')" 1
}

@test "what the VF lacks, what is elsewhere, what vfio-pci hides" {
	run vfcap --demo diff 00:02.0/vf0
	assert_line --regexp '\[100 v1\] PASID +- +the VF lacks it: it shares the PF'
	assert_line --regexp '\[200 v1\] ATS +\[100 v1\] ATS +at another offset'
	run vfcap --sysroot "$(host hidden)" diff 0000:01:00.0/vf0
	assert_line --partial ', hidden by vfio-pci'
}

@test "constant fields that differ" {
	run vfcap --demo diff 3b:00.0/vf0
	assert_line '      ARICap NextFn: 1 in the PF, 0 in the VF'
	run jqc '[.diff[0].capabilities[] | select(.name == "ARI") | .differs[]]' \
		vfcap --demo diff --json 3b:00.0/vf0
	assert_output --partial '"pf":1,"vf":0'
}

@test "without a VF there is nothing to compare" {
	split vfcap --demo diff 0000:00:1f.3
	assert_refusal 3 '0000:00:1f.3: not a VF'
	split vfcap --sysroot "$(host none)" diff
	assert_refusal 3 'there are no VFs'
	split vfcap --sysroot "$(host unprivileged)" diff
	assert_refusal 1 'CAP_SYS_ADMIN'
}
