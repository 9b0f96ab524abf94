#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "PF and VF one above the other, in both character sets" {
	LC_ALL=C.UTF-8 assert_golden map.txt vfcap -q --demo map 5e:00.2
	LC_ALL=C assert_golden map-ascii.txt vfcap -q --demo map 5e:00.2
	LC_ALL=C run vfcap -q --demo map 5e:00.2
	[[ $output != *[$'\x80'-$'\xff']* ]]
}

@test "SVG" {
	vfcap -q --demo map --svg 5e:00.2 >"$BATS_TEST_TMPDIR/map.svg"
	run head -c 40 "$BATS_TEST_TMPDIR/map.svg"
	assert_output --partial '<svg xmlns="http://www.w3.org/2000/svg"'
	run cat "$BATS_TEST_TMPDIR/map.svg"
	assert_output --partial '>+PASID</text>'
	assert_output --partial 'class="nonzero"'
	assert_line --index $((${#lines[@]} - 1)) '</svg>'
	# Well-formed: as many elements are closed as were opened.
	assert_equal "$(grep -c '<text' "$BATS_TEST_TMPDIR/map.svg")" \
		"$(grep -c '</text>' "$BATS_TEST_TMPDIR/map.svg")"
}

@test "a name from the host does not become markup" {
	local dir=$BATS_TEST_TMPDIR/evil
	sed 's/driver mlx5_core/driver <b>\&/' "$VFCAP_SOURCE/share/demo.host" >"$BATS_TEST_TMPDIR/evil.host"
	"$VFCAP_BUILD/mkhost" "$BATS_TEST_TMPDIR/evil.host" "$dir"
	run vfcap -q --sysroot "$dir" map --svg 5e:00.0
	assert_output --partial '&lt;b>&amp;'
	refute_output --partial '<b>'
}

@test "bytes outside of capabilities and planned places, as data" {
	run jqc '[.map[] | select(.role == "vf") | .spans[] | select(.kind == "nonzero") | .offset]' \
		vfcap -q --demo map --json 5e:00.2
	assert_output '[760,1792]'
	run jqc '[.map[] | select(.role == "vf") | .spans[] | select(.kind == "planned") | [.name, .offset]]' \
		vfcap -q --demo map --json 5e:00.2
	assert_output '[["PASID",568],["PRI",732]]'
}

@test "what a guest sees: less what vfio-pci hides, with what is planned" {
	run jqc '[.map[] | select(.role == "vf") | .guest[] | [.kind, .offset, .name]]' \
		vfcap -q --demo map --json 0000:c1:02.0
	assert_output "$(jqc '[.plan[0].chain[] | [if .id == 27 or .id == 19 then "planned" else "capability" end, .offset,
		{"1": "AER", "14": "ARI", "15": "ATS", "27": "PASID", "19": "PRI"}[.id | tostring]]]' \
		vfcap -q --demo plan --json 0000:c1:02.0)"
	run jqc '[.map[] | select(.role == "vf") | .guest[] | select(.name == "PASID") | .length]' \
		vfcap -q --demo map --json 0000:c1:02.0
	assert_output '[8]'
}

@test "a hidden head is a header; a broken chain is not shown to guests" {
	run jqc '[.map[1].guest[] | [.name, .offset, .length]]' vfcap -q -F "$(dump hidden)" map --json 0000:01:01.1
	assert_output '[["NULL",256,4],["PASID",512,8],["PRI",528,16]]'
	run jqc '.map[1] | .address, has("guest")' vfcap -q --demo map --json 0000:81:04.0
	assert_line '"0000:81:04.0"'
	assert_line 'false'
}

@test "what is configured, beside the hardware's" {
	local dir kinds
	dir=$(host enabled)
	run vfcap -q --sysroot "$dir" map 0000:01:10.0
	assert_line 'VM  what a guest sees of it, as configured'
	assert_line --partial '[█'
	refute_output --partial 'planned'
	# What is there counts, not where it would go today.
	kinds='[.map[1] | .spans, .guest | .[] | select(.kind == "emulated" or .kind == "planned") | [.kind, .name, .offset]]'
	run jqc "$kinds" vfcap -q --sysroot "$dir" map --json 0000:01:10.0
	assert_output '[["emulated","PASID",512],["emulated","PASID",512]]'
	run jqc "$kinds" vfcap -q --sysroot "$dir" map --json 0000:01:10.2
	assert_output '[["planned","PASID",1024],["planned","PASID",1024]]'
	LC_ALL=C run vfcap -q --sysroot "$dir" map 0000:01:10.0
	assert_line --partial '[*'
}

@test "--view vfio needs a kernel, and draws the rest without one" {
	run --separate-stderr vfcap -q --demo map --view vfio 5e:00.2
	assert_failure 1
	assert_line --partial 'VF  [━'
	refute_line --partial 'VM'
	[[ $stderr == "vfcap: "*"no kernel"* ]] || fail "$stderr"
	split vfcap --demo map --view guest 5e:00.2
	assert_refusal 2 'one of hardware, vfio'
	split vfcap -F "$(dump siblings)" map --view vfio
	assert_refusal 2 'which DEVICE'
	split vfcap --demo map --view vfio --vf-token x 5e:00.2
	assert_refusal 2 'no UUID'
}

@test "it says that it reads all 4 KiB" {
	split vfcap --demo map 5e:00.2
	assert_success
	[[ $stderr == *"all 4096 bytes"* ]] || fail "$stderr"
}

@test "usage" {
	split vfcap --demo map
	assert_refusal 2 'which DEVICE'
	split vfcap --demo map --svg '0000:5e:*'
	assert_refusal 2 'one DEVICE'
	split vfcap --demo map --svg --json 5e:00.2
	assert_refusal 2 'exclude each other'
}
