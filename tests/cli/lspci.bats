#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The chains that vfcap finds are those of lspci, and those of a walker of ten lines (tests/lspci-chains).
# The differences to lspci, each made and asserted below:
#
# | in the dump                      | lspci                                 | vfcap                             |
# |----------------------------------|---------------------------------------|-----------------------------------|
# | a pointer back into the chain    | the header again: "<chain looped>"    | stops; anomaly loop               |
# | a pointer below 0x100            | follows it into the legacy space      | stops; anomaly next-below-0x100   |
# | a pointer to a zero header       | stops and says nothing                | stops; anomaly zero-header        |
# | a pointer to an all-ones header  | stops and says nothing                | stops; anomaly unreadable         |
# | low two bits of a pointer set    | masks them and says nothing           | masks them; anomaly misaligned-next |
# | no PCI Express capability        | shows no extended capability at all   | shows the chain                   |
# | IDs 0x02 and 0x09                | the same name                         | two IDs                           |
#
# A Null capability (ID 0 with a pointer) and a pointer to a lower offset are the same in both.

setup() {
	bats_load_library bats-support
	bats_load_library bats-assert
	chains=$VFCAP_SOURCE/tests/lspci-chains
	dump=$BATS_TEST_TMPDIR/dump
}

# A dump of one function with a PCI Express capability, but for what is given: OFFSET=DWORD...
write_dump() {
	local at dword assignment
	local -a byte
	mapfile -t byte < <(printf '0%.0s\n' {1..4096})
	for assignment in 0=0x10ca8086 4=0x00100000 0x34=0x40 0x40=0x00020010 "$@"; do
		at=$((${assignment%=*})) dword=$((${assignment#*=}))
		byte[at]=$((dword & 255)) byte[at + 1]=$((dword >> 8 & 255))
		byte[at + 2]=$((dword >> 16 & 255)) byte[at + 3]=$((dword >> 24))
	done
	echo '0000:01:10.0 0200: 8086:10ca'
	for ((at = 0; at < 4096; at += 16)); do
		printf '%02x:' $at
		printf ' %02x' "${byte[@]:at:16}"
		echo
	done
}

# Chain of the dump, without the address: OFFSET:ID in hex.
chain_by() {
	"$chains" "$1" "$dump" | while read -r _ offset id; do
		case $id in
		*[!0-9]*) printf '%x:%s ' "$offset" "$id" ;;
		*) printf '%x:%x ' "$offset" "$id" ;;
		esac
	done
}

anomalies() {
	"$VFCAP" -q --json -F "$dump" show | jq -r '[.functions[0].anomalies[] | "\(.code)@\(.offset)"] | join(" ")'
}

# LSPCI VFCAP ANOMALIES: what they find in the dump.
assert_chains() {
	assert_equal "$(chain_by lspci)" "${1:+$1 }"
	assert_equal "$(chain_by vfcap)" "$2 "
	assert_equal "$(chain_by walk)" "$2 "
	assert_equal "$(anomalies)" "$3"
}

@test "every fixture" {
	local file files=0
	for file in "$VFCAP_SOURCE"/tests/fixtures/*.lspci; do
		run "$chains" check "$file"
		assert_success
		assert_output --regexp '^[1-9][0-9]* capabilities, [1-9]'
		files=$((files + 1))
	done
	[ "$files" -ge 2 ]
}

@test "every host that is described for the tests" {
	local host files=0
	for host in "$VFCAP_SOURCE"/share/demo.host "$VFCAP_SOURCE"/tests/hosts/*.host; do
		"$VFCAP_BUILD/mkhost" --dump "$host" >"$dump"
		run "$chains" check "$dump"
		assert_success
		files=$((files + 1))
	done
	[ "$files" -ge 2 ]
}

@test "they agree on a clean chain" {
	write_dump 0x100=0x14010001 0x140=0x1501000e 0x150=0x0001001b >"$dump"
	assert_chains '100:1 140:e 150:1b' '100:1 140:e 150:1b' ''
	run "$chains" check "$dump"
	assert_output '3 capabilities, 3 of them seen by lspci'
}

@test "they agree on Null capabilities and on pointers to lower offsets" {
	write_dump 0x100=0x20000000 0x200=0x1401000e 0x140=0x0001001b >"$dump"
	assert_chains '100:0 200:e 140:1b' '100:0 200:e 140:1b' 'null-capability@256 backward@512'
}

@test "a loop" {
	write_dump 0x100=0x14010001 0x140=0x1001000e >"$dump"
	assert_chains '100:1 140:e 100:<chain looped>' '100:1 140:e' 'loop@320'
}

@test "a pointer below 0x100" {
	write_dump 0x100=0x0401000e >"$dump"
	assert_chains '100:e 40:10' '100:e' 'next-below-0x100@256'
}

@test "a pointer to a zero header" {
	write_dump 0x100=0x1401000e >"$dump"
	assert_chains '100:e' '100:e' 'zero-header@320'
}

@test "a pointer to an all-ones header" {
	write_dump 0x100=0x1401000e 0x140=0xffffffff >"$dump"
	assert_chains '100:e' '100:e' 'unreadable@320'
}

@test "low two bits of a pointer set" {
	write_dump 0x100=0x1421000e 0x140=0x0001001b >"$dump"
	assert_chains '100:e 140:1b' '100:e 140:1b' 'misaligned-next@256'
}

@test "no PCI Express capability" {
	write_dump 0x34=0 0x100=0x1401000e 0x140=0x0001001b >"$dump"
	assert_chains '' '100:e 140:1b' ''
	run "$chains" check "$dump"
	assert_output '2 capabilities, 0 of them seen by lspci'
}

@test "IDs 0x02 and 0x09" {
	write_dump 0x100=0x20010002 0x200=0x00010009 >"$dump"
	assert_chains '100:2 200:2' '100:2 200:9' ''
	run "$chains" check "$dump"
	assert_success
}

# The check itself must be able to fail.
@test "the check sees a difference" {
	write_dump 0x100=0x14010001 0x140=0x0001000e >"$dump"
	cat >"$BATS_TEST_TMPDIR/vfcap" <<-END
		#!/bin/sh
		"$VFCAP" "\$@" | jq -c '.functions[].chain |= .[:1]'
	END
	chmod +x "$BATS_TEST_TMPDIR/vfcap"
	VFCAP=$BATS_TEST_TMPDIR/vfcap run "$chains" check "$dump"
	assert_failure
	assert_output --partial '-0000:01:10.0 320 14'
}
