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

# A copy of the demo host, and what its record says was enabled.
recorded() { # LINE...
	dir=$BATS_TEST_TMPDIR/host
	cp -R "$demo" "$dir"
	mkdir -p "$dir/run" "$dir/proc/sys/kernel/random"
	mkdir -m 700 "$dir/run/vfcap"
	echo 6fd3c1b1-0000-4000-8000-0000deadbeef >"$dir/proc/sys/kernel/random/boot_id"
	printf '%s\n' 'vfcap-record 2 0000:3b:00.0 6fd3c1b1-0000-4000-8000-0000deadbeef' "$@" \
		>"$dir/run/vfcap/0000:3b:00.0.record"
}

@test "what was enabled and is not so any more is changed" {
	recorded 'vf 0000:3b:01.0 iavf -' 'knob 0000:3b:01.0 464 480 16' 'knob 0000:3b:01.4 480 0 0' \
		'knob 0000:3b:01.5 464 0 20' 'vf 0000:3b:01.6 iavf -'
	split vfcap --sysroot "$dir" verify ens1f0/vf0 ens1f0/vf4 ens1f0/vf5
	assert_equal "$status" 3
	assert_equal "$stderr" ''
	assert_output - <<-EOF
		0000:3b:01.0 (VF of 0000:3b:00.0)
		  was enabled: PASID at 0x1d0 (16 bits), PRI at 0x1e0; now: bound to iavf (changed)

		0000:3b:01.4 (VF of 0000:3b:00.0)
		  was enabled: PASID at 0x1e0; now: PASID at 0x1d0 (changed)

		0000:3b:01.5 (VF of 0000:3b:00.0)
		  was enabled: PASID at 0x1d0 (20 bits); now: PASID at 0x1d0 (changed)
	EOF
	assert_equal "$(jqc '[.results[] | [.result, .code, .configured, .enabled]]' vfcap -j --sysroot "$dir" verify ens1f0/vf0 ens1f0/vf4)" \
		'[["refused","changed",{"pasid":null,"pri":null},{"pasid":464,"pri":480,"width":16}],["refused","changed",{"pasid":464,"pri":null},{"pasid":480,"pri":null,"width":0}]]'
	# of others nothing is known, and nothing is changed
	split vfcap --sysroot "$dir" verify ens1f0/vf6
	assert_refusal 1 'there is no kernel behind it'
}

@test "what was enabled and is so is looked at as always" {
	recorded 'knob 0000:3b:01.4 464 0 0'
	run --separate-stderr vfcap --sysroot "$dir" -j verify ens1f0/vf4
	assert_equal "$status" 1
	assert_equal "$(jq -c '.results[0] | [.code, .enabled]' <<<"$output")" '["no-kernel",{"pasid":464,"pri":null,"width":0}]'
}

@test "a record that cannot be read is no answer" {
	recorded junk
	split vfcap --sysroot "$dir" verify ens1f0/vf4
	assert_refusal 1 '0000:3b:00.0: /run/vfcap/0000:3b:00.0.record: cannot be understood'
}

@test "status has what was changed" {
	recorded 'vf 0000:3b:01.0 iavf -' 'knob 0000:3b:01.0 464 480 16' 'knob 0000:3b:01.4 464 0 0'
	run vfcap --sysroot "$dir" status -o address,changed ens1f0/vf0 ens1f0/vf4
	assert_output - <<-EOF
		ADDRESS      CHANGED
		0000:3b:01.0 PASID@1d0,PRI@1e0
		0000:3b:01.4
	EOF
	assert_equal "$(jqc '[.status[] | [.configured.pasid, .enabled, .changed]]' vfcap -j --sysroot "$dir" status ens1f0/vf0 ens1f0/vf4 ens1f0/vf5)" \
		'[[null,{"pasid":464,"pri":480,"width":16},true],[464,{"pasid":464,"pri":null,"width":0},false],[464,null,false]]'
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
