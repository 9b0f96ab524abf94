#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "the demo host in words" {
	assert_golden plan-demo.txt vfcap --demo plan
}

@test "the demo host as JSON" {
	assert_golden plan-demo.json jqc '.plan[]' vfcap --demo plan --json
}

@test "JSON has the keys of the contract, numbers are numbers" {
	run jqc '.vfcap, (.plan[0] | keys_unsorted), (.plan[0].placements[0] | keys_unsorted)' \
		vfcap --demo plan --json 3b:00.0/vf0
	assert_line --index 0 1
	assert_line --index 1 '["address","pf","placements","refused","considered","chain","evidence"]'
	assert_line --index 2 --partial \
		'["name","id","offset","length","rule","after","next","pf_enabled","width","bytes"'
	run jqc '.plan[0].considered[0]' vfcap --demo plan --json 00:02.0/vf0
	assert_output '{"name":"PASID","rule":"pf-offset","offset":256,"code":"occupied","by":{"id":15,"offset":256}}'
	run jqc '.plan[0].refused' vfcap --demo plan --json a1:00.0/vf0
	assert_output '[{"name":"PRI","code":"pf-lacks-capability"}]'
}

@test "a VF that vfio-pci refuses is placed, and noted" {
	local dir form
	dir=$(host denylisted)
	run vfcap --sysroot "$dir" plan 3d:00.0
	assert_success
	assert_line --partial 'at 0x158..0x15f'
	assert_line '  Note: vfio-pci refuses it for errata that a guest can exploit (denylisted)'
	for form in commands qemu libvirt; do
		run vfcap --sysroot "$dir" plan --as $form 3d:00.0
		assert_line '# vfio-pci refuses it for errata that a guest can exploit (denylisted)'
	done
	run vfcap --sysroot "$dir" plan 3f:00.0
	refute_line --partial denylisted
	assert_equal "$(jqc '[.plan[] | [.address, .denylisted, has("denylisted")]]' vfcap --sysroot "$dir" plan -j 3d:01.0 3f:01.0)" \
		'[["0000:3d:01.0",true,true],["0000:3f:01.0",null,false]]'
	vfcap --sysroot "$dir" -q -j plan --cap pasid >"$BATS_TEST_TMPDIR/plan.json"
	run vfcap --sysroot "$(host denylist-disabled)" -q apply --dry-run --only 0000:3d:01.0 "$BATS_TEST_TMPDIR/plan.json"
	assert_success
	assert_line '  would be done: PASID at 0x158 (20 bits)'
}

@test "after is null at the head of a chain" {
	run jqc '.plan[0].placements[0] | [.rule, .offset, .after]' vfcap --demo plan --json 6c:00.0/vf0
	assert_output '["head",256,null]'
}

@test "256 VFs are one answer" {
	run vfcap --sysroot "$(host many)" plan
	assert_success
	assert_line --index 0 '0000:3b:01.0 .. 0000:3c:00.7 (256 VFs of 0000:3b:00.0)'
	assert_equal "$(printf '%s\n' "${lines[@]}" | grep -c ' of 0000')" 1
	assert_equal "$(jqc '.plan | length' vfcap --sysroot "$(host many)" plan --json)" 256
}

@test "what could not be read is named" {
	run vfcap --sysroot "$(host full)" plan 0000:01:00.0/vf0
	assert_line '  Could not be read: 0000:01:10.2'
	run jqc '.plan[0].evidence.siblings_unreadable' vfcap --sysroot "$(host full)" plan --json 0000:01:00.0/vf0
	assert_output '["0000:01:10.2"]'
}

@test "exit status: what was asked for, or what the PF has" {
	# PRI is not asked for and the PF has none: fine without --cap, no with it.
	run vfcap --demo plan a1:00.0
	assert_success
	run vfcap --demo plan --cap pasid a1:00.0
	assert_success
	run vfcap --demo plan --cap pri a1:00.0
	assert_failure 3
	run vfcap --demo plan --cap pasid,pri a1:00.0
	assert_failure 3
	# Nothing was placed at all.
	run vfcap -F "$VFCAP_SOURCE/tests/fixtures/igb.lspci" plan
	assert_failure 3
	# One of several VFs has no place.
	run vfcap --demo plan 3b:00.0 81:00.0
	assert_failure 3
	run vfcap --wake --demo plan 0000:00:1f.3
	assert_failure 3
	assert_output --partial '(not-a-vf)'
}

@test "--rule tries nothing else" {
	run jqc '.plan[0] | .placements[0].rule, [.considered[].rule]' \
		vfcap --demo plan --json --cap pasid --rule after-last 3b:00.0/vf0
	assert_output $'"after-last"\n[]'
	run jqc '.plan[0] | .placements[0].rule' vfcap --demo plan --json --cap pasid --rule free-gap 3b:00.0/vf0
	assert_output '"free-gap"'
	run vfcap --demo plan --cap pasid --rule pf-offset 00:02.0/vf0
	assert_failure 3
	assert_output --partial 'a capability is there: ATS at 0x100'
}

@test "--at: named, bare, in hex and decimal" {
	run jqc '.plan[0].placements[0] | [.rule, .offset]' vfcap --demo plan --json --at pasid=0x400 3b:00.0/vf0
	assert_output '["explicit",1024]'
	run jqc '.plan[0].placements[0].offset' vfcap --demo plan --json --at pasid=1024 3b:00.0/vf0
	assert_output 1024
	run jqc '.plan[0].placements[0].offset' vfcap --demo plan --json --cap pasid --at 0x400 3b:00.0/vf0
	assert_output 1024
	run jqc '[.plan[0].placements[].offset]' \
		vfcap --demo plan --json --at pasid=0x500 --at pri=0x400 3b:00.0/vf0
	assert_output '[1280,1024]'
}

@test "--at: every check has its code" {
	code() { # OFFSET DEVICE
		"$VFCAP" --demo plan --json --cap pasid --at "$1" "$2" | jq -r '.plan[0].considered[0].code'
	}
	assert_equal "$(code 0x402 3b:00.0/vf0)" misaligned
	assert_equal "$(code 0x1000 3b:00.0/vf0)" out-of-range
	assert_equal "$(code 0xffc 3b:00.0/vf0)" out-of-range
	assert_equal "$(code 0x80 3b:00.0/vf0)" out-of-range
	assert_equal "$(code 0x1c0 3b:00.0/vf0)" occupied
	assert_equal "$(code 0x700 5e:00.0/vf0)" nonzero
	assert_equal "$(code 0x2b0 c1:00.0/vf0)" sibling-nonzero
	assert_equal "$(code 0x200 6c:00.0/vf0)" empty-chain
}

@test "--force gives way on registers, never on capabilities" {
	run jqc '.plan[0].placements[0] | [.offset, .forced]' \
		vfcap --demo plan --json --cap pasid --force --at 0x2b0 c1:00.0/vf0
	assert_output '[688,true]'
	run vfcap --demo plan --cap pasid --force --at 0x1c0 3b:00.0/vf0
	assert_failure 3
}

@test "a broken chain: nothing without --force, a warning with it" {
	run vfcap --demo plan 81:00.0
	assert_failure 3
	assert_output --partial '(broken-chain)'
	run jqc '.plan[0] | [.placements, .chain]' vfcap --demo plan --json 81:04.0
	assert_output '[[],[]]'
	run vfcap --demo plan --force 81:04.0
	assert_success
	assert_output --partial 'can be overrun'
	run vfcap --demo plan --force --as commands 81:04.0
	assert_output --partial 'No commands.'
	refute_output --partial 'driver_override'
}

@test "--width" {
	run jqc '.plan[0].placements[0] | [.width, .bytes[8:12]]' \
		vfcap --demo plan --json --cap pasid --width 8 3b:00.0/vf0
	assert_output '[8,"0608"]'
	run jqc '.plan[0].refused' vfcap --demo plan --json --cap pasid --width 20 5e:00.0/vf0
	assert_output '[{"name":"PASID","code":"width"}]'
}

# What a host like width.host is told: width, the IOMMU's, bytes of the capability register. SCRIPT changes the host.
widths() { # SCRIPT ARGUMENT...
	local root=$BATS_TEST_TMPDIR/root
	rm -rf "$root"
	sed "$1" "$VFCAP_SOURCE/tests/hosts/width.host" >"$BATS_TEST_TMPDIR/spec"
	"$VFCAP_BUILD/mkhost" "$BATS_TEST_TMPDIR/spec" "$root"
	jqc '.plan[0].placements[0] | [.width, .iommu_width, .bytes[8:12]]' vfcap --sysroot "$root" -j plan --cap pasid "${@:2}" 3b:00.0/vf0
}

@test "the IOMMU's width: Intel, AMD, none" {
	assert_equal "$(widths '')" '[16,16,"0610"]'
	assert_equal "$(widths '' --width 18)" '[16,16,"0610"]'
	assert_equal "$(widths '' --width 8)" '[8,16,"0608"]'
	assert_equal "$(widths 's/^iommu.*/iommu dmar0 1cd98240050df/')" '[20,20,"0614"]'
	assert_equal "$(widths 's/pasid 160 20/pasid 160 8/')" '[8,16,"0608"]'
	# It is the PF's unit, where a VF has no link of its own.
	assert_equal "$(widths '/^vfs/s/ iommu dmar0//')" '[16,16,"0610"]'
	# No PASID (bit 40), no scalable mode (bit 43): no width.
	assert_equal "$(widths 's/^iommu.*/iommu dmar0 1cc78240050df/')" '[20,null,"0614"]'
	assert_equal "$(widths 's/^iommu.*/iommu dmar0 1c578240050df/')" '[20,null,"0614"]'
	# Of AMD's, Linux counts the PASIDs up to 2^16 - 2: 15 bits are whole, as iommufd says, too.
	assert_equal "$(widths 's/dmar0/ivhd0/; s/1cd78240050df/4000f00000012 1000000/')" '[15,15,"060f"]'
	assert_equal "$(widths 's/dmar0/ivhd0/; s/1cd78240050df/4000f00000002 1000000/')" '[20,null,"0614"]'
	assert_equal "$(widths 's/dmar0/ivhd0/; s/1cd78240050df/4000f00000012 1000000/; s/^release .*/release 6.6.0/')" '[20,null,"0614"]'
	# Others do not tell, nor do files.
	assert_equal "$(widths 's/dmar0/smmu3.0x2b400000/')" '[20,null,"0614"]'
	assert_equal "$(widths '/^iommu/d; s/ iommu dmar0//')" '[20,null,"0614"]'
	run jqc '.plan[0].placements[0] | has("iommu_width")' vfcap -j -F "$(dump width)" plan
	assert_output false
}

@test "the IOMMU's width: in words, and what is more than the PF's" {
	run vfcap --sysroot "$(host width)" plan --cap pasid
	assert_line --partial 'PASIDs of 16 bits'
	run vfcap -F "$(dump width)" plan --cap pasid
	assert_line --partial 'PASIDs of at most 20 bits'
	split vfcap --sysroot "$(host width)" plan --cap pasid --width 21
	assert_refusal 2 --
	run widths 's/pasid 160 20/pasid 160 18/' --width 20
	assert_output '[null,null,null]'
	run vfcap --sysroot "$(host width)" plan --cap pasid --as commands
	assert_line --partial 'echo 16 > $dev/vfcap/pasid_width'
}

@test "modes are those that the PF has on; all that it can while it is off" {
	assert_equal "$(widths 's/exec priv on/exec priv bare/')" '[16,16,"0010"]'
	assert_equal "$(widths 's/exec priv on/exec on/')" '[16,16,"0210"]'
	assert_equal "$(widths 's/exec priv on/exec priv bare/; /sriov/i\\tpoke 166 05')" '[16,16,"0410"]'
	assert_equal "$(widths 's/exec priv on/exec priv/')" '[16,16,"0610"]'
}

@test "a PF without VFs: exit 3, and how to create them" {
	split vfcap --sysroot "$(host idle)" plan 0000:01:00.0
	assert_refusal 3 'echo N > /sys/bus/pci/devices/0000:01:00.0/sriov_numvfs'
}

@test "64 bytes: needs root, exit 1" {
	split vfcap --sysroot "$(host unprivileged)" plan
	assert_equal "$status" 1
	[[ $stderr == "vfcap: "*"needs root or CAP_SYS_ADMIN" ]] || fail "$stderr"
}

@test "--as commands is a shell script" {
	vfcap --demo plan --as commands 3b:00.0 >"$BATS_TEST_TMPDIR/script"
	run sh -n "$BATS_TEST_TMPDIR/script"
	assert_success
	assert_golden plan-commands.txt cat "$BATS_TEST_TMPDIR/script"
}

# The host's own sysfs stands for the driver's: a file takes what is written to it.
@test "--as commands leaves nothing of what the driver kept" {
	local cap attribute expected knob=$BATS_TEST_TMPDIR/devices/0000:3b:01.0/vfcap
	mkdir -p "$knob" "$BATS_TEST_TMPDIR/drivers"
	for cap in pasid pri; do
		for attribute in pasid_offset pri_offset pasid_width; do
			echo 16 >"$knob/$attribute"
		done
		vfcap --demo plan --as commands --force --cap $cap 3b:00.0/vf0 >"$BATS_TEST_TMPDIR/script"
		sed -i "s,/sys/bus/pci,$BATS_TEST_TMPDIR,; s/^modprobe/: &/" "$BATS_TEST_TMPDIR/script"
		run sh -e "$BATS_TEST_TMPDIR/script"
		assert_success
		assert_output ''
		expected=$'0x1d0\n0\n20'
		[ $cap = pasid ] || expected=$'0\n0x1e0\n0'
		assert_equal "$(cd "$knob" && cat pasid_offset pri_offset pasid_width)" "$expected"
	done
}

@test "--as qemu: the device line, the vIOMMU, what it cannot" {
	assert_golden plan-qemu.txt vfcap --demo plan --as qemu 3b:00.0/vf0-1 6c:00.0/vf0
	run vfcap --demo plan --as qemu 3b:00.0/vf0 6c:00.0/vf0
	assert_line --partial 'x-vpasid-cap-offset=0x1d0'
	assert_output --partial 'QEMU has no option for PRI'
	assert_output --partial 'The chain is empty'
	assert_equal "$(printf '%s\n' "${lines[@]}" | grep -c 'x-vpasid-cap-offset=')" 1
}

@test "--as libvirt: the override, and why managed='no'" {
	assert_golden plan-libvirt.txt vfcap --demo plan --as libvirt 3b:00.0/vf0
	run vfcap --demo plan --as libvirt 3b:00.0/vf0
	assert_line --partial "managed='no'"
	assert_line --partial "name='x-vpasid-cap-offset' type='unsigned' value='464'"
}

@test "options that are wrong" {
	local wrong
	for wrong in '--cap foo' '--cap pasid,' '--rule best' '--rule explicit' '--at 0x140' '--at ats=0x140' \
		'--at pasid=' '--at pasid=-4' '--at pasid=0x140x' '--at pasid=0x10000' '--width 21' '--width -1' \
		'--width x' '--as xml' '--cap pri --at pasid=0x140' '--json --as qemu'; do
		# shellcheck disable=SC2086
		split vfcap --demo plan $wrong 3b:00.0
		assert_refusal 2 --
	done
}
