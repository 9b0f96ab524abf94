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
