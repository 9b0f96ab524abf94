#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "a PF, decoded" {
	assert_golden show-pf.txt vfcap --demo show 3b:00.0
	assert_golden show-pf.json jqc '.functions[] | del(.title)' vfcap --demo show --json 3b:00.0
}

@test "a VF: what vfio-pci hides is marked" {
	run vfcap --sysroot "$(host hidden)" show 0000:01:00.0/vf0
	assert_line --partial ', hidden by vfio-pci'
	run jqc '[.functions[0].chain[] | select(.visible == false) | .id]' \
		vfcap --sysroot "$(host hidden)" show --json 0000:01:00.0/vf0
	refute_output '[]'
	# A PF is not given to VMs: nothing is said of it.
	run jqc '[.functions[0].chain[] | has("visible")] | any' vfcap --demo show --json 3b:00.0
	assert_output false
}

@test "what lies behind two capabilities of one ID, right behind each other, is visible" {
	local dir
	dir=$(host abutting)
	run jqc '[.functions[] | [.chain[] | select(.visible == false) | .offset]]' \
		vfcap --sysroot "$dir" show --json 0000:01:00.0/vf0-2
	assert_output '[[],[384],[]]'
	run jqc '[.plan[] | [.chain[].offset]]' vfcap --sysroot "$dir" plan --json 0000:01:00.0
	assert_output '[[256,336,352,384,416,768],[256,336,368,416,768],[256,320,352,768]]'
	run vfcap --sysroot "$dir" diff 0000:01:00.0
	assert_equal "$(grep -c 'PTM.*hidden by vfio-pci' <<<"$output")" 1
}

@test "DVSEC is hidden by the kernel of Debian 12 and shown by newer ones" {
	local dir
	dir=$(host hidden)
	run jqc '[.functions[].chain[] | select(.id == 35) | .visible]' \
		vfcap --sysroot "$dir" show --json 0000:02:00.0/vf0
	refute_output '[]'
	mkdir -p "$dir/proc/sys/kernel"
	cp -a "$dir/proc/sys/kernel" "$BATS_TEST_TMPDIR/kernel"
	echo 6.1.0-40-amd64 >"$dir/proc/sys/kernel/osrelease"
	assert_equal "$(jqc '[.functions[].chain[] | select(.id == 35) | .visible]' \
		vfcap --sysroot "$dir" show --json 0000:02:00.0/vf0)" '[false]'
	echo 6.12.0-1-amd64 >"$dir/proc/sys/kernel/osrelease"
	assert_equal "$(jqc '[.functions[].chain[] | select(.id == 35) | .visible]' \
		vfcap --sysroot "$dir" show --json 0000:02:00.0/vf0)" '[null]'
	rm -rf "$dir"
}

@test "a broken chain is told in words and as data" {
	run vfcap --demo show 81:04.0
	assert_success
	assert_line --partial 'loop at 0x168: the next pointer leads back into the chain (0x148)'
	run jqc '.functions[0].anomalies' vfcap --demo show --json 81:04.0
	assert_output '[{"code":"loop","offset":360,"other":328}]'
}

@test "an empty chain" {
	run vfcap --demo show 6c:01.0
	assert_success
	assert_line '  no extended capabilities'
	run jqc '.functions[0] | [.chain, .anomalies]' vfcap --demo show --json 6c:01.0
	assert_output '[[],[]]'
}

@test "several DEVICEs, each once, by address; all without a DEVICE" {
	run jqc '[.functions[].address]' vfcap --demo show --json 5e:00.3 5e:00.2 0000:5e:00.2
	assert_output '["0000:5e:00.2","0000:5e:00.3"]'
	assert_equal "$(jqc '.functions | length' vfcap --demo -q show --json)" \
		"$(vfcap --demo -q list --all -rno ADDRESS | wc -l)"
}

@test "64 bytes: says what it needs, exit 1, and no chain in JSON" {
	split vfcap --sysroot "$(host unprivileged)" show 0000:01:00.0
	assert_equal "$status" 1
	assert_line '  extended capabilities: not known'
	[[ $stderr == *"needs root or CAP_SYS_ADMIN" ]] || fail "$stderr"
	split jqc '.functions[0] | has("chain"), has("anomalies")' \
		vfcap --sysroot "$(host unprivileged)" show --json 0000:01:00.0
	assert_output $'false\nfalse'
}

@test "a dump of 64 bytes is no failure, but is told" {
	head -5 "$(dump many)" >"$BATS_TEST_TMPDIR/64"
	split vfcap -F "$BATS_TEST_TMPDIR/64" show
	assert_success
	[[ $stderr == *"lspci -xxxx"* ]] || fail "$stderr"
}

@test "a raw image, with an address and without" {
	local blob=$BATS_TEST_TMPDIR/blob
	"$VFCAP_BUILD/mkhost" --blob "$VFCAP_SOURCE/tests/hosts/many.host" | head -c 4096 >"$blob"
	run jqc '[.functions[0].address, .functions[0].chain[0].name]' vfcap -F "$blob" show --json
	assert_output '["0000:00:00.0","AER"]'
	run jqc '.functions[0].address' vfcap -F "0000:3b:00.0=$blob" show --json
	assert_output '"0000:3b:00.0"'
}

@test "standard input" {
	assert_equal "$(vfcap -F - show <"$(dump siblings)")" "$(vfcap -F "$(dump siblings)" show)"
}

@test "every register of every capability of the demo host has a value that fits" {
	run jqc '[.functions[].chain[]? | .registers | .. | objects | select(has("value")) | .value |
		select(type != "number" or . < 0)]' vfcap -q --demo show --json
	assert_output '[]'
}
