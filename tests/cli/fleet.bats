#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Hosts that are compared with a golden one: its plan is what they are to be like.

bats_require_minimum_version 1.5.0

setup() {
	load common
	golden=$BATS_FILE_TMPDIR/golden.json
	vfcap --sysroot "$(host golden)" --json plan --cap pasid >"$golden"
}

@test "a golden host is like its own plan" {
	split vfcap --sysroot "$(host golden)" apply --check "$golden"
	assert_success
	assert_output --partial 'unchanged: PASID at 0x300'
	assert_equal "$stderr" ''
}

@test "another host: what differs from the golden one's plan, and nothing else" {
	split vfcap --sysroot "$(host adrift)" --json apply --check "$golden"
	assert_equal "$status" 3
	assert_equal "$(jq -c '.results[] | select(.drift) | .address' <<<"$output")" \
		$'"0000:01:01.2"\n"0000:01:01.3"'
	assert_equal "$(jq -c '.results[-1].steps[:2]' <<<"$output")" \
		'[{"step":"knob","attribute":"pasid_offset","from":832,"to":0},{"step":"knob","attribute":"pasid_offset","from":0,"to":768}]'
	split vfcap --sysroot "$(host adrift)" apply --check "$golden"
	assert_equal "$status" 3
	assert_line '    unbind from vfio-pci'
	assert_line '    pasid_offset 0x000 (was 0x340)'
}

@test "another host, as it was captured" {
	vfcap -q --sysroot "$(host adrift)" capture "$BATS_TEST_TMPDIR/adrift.tar"
	split vfcap --sysroot "$(host adrift)" --json apply --check "$golden"
	local before=$output
	split vfcap --sysroot "$BATS_TEST_TMPDIR/adrift.tar" --json apply --check "$golden"
	assert_equal "$status" 3
	assert_equal "$output" "$before"
}

@test "a host that lacks what the golden one has" {
	split vfcap --sysroot "$(host idle)" apply --check "$golden"
	assert_refusal 3 "$golden:"
	[[ $stderr == *': 0000:01:01.0: no such function'* ]]
}
