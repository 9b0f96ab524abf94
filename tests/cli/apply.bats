#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# apply where there is no kernel: what is understood, what is refused, what would be done, and that nothing is.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; common.bash and run set what is used here

bats_require_minimum_version 1.5.0

setup() {
	load common
	file=$BATS_TEST_TMPDIR/d.json
}

# A copy of the demo host that can be changed; prints its directory.
own_demo() {
	cp -R "$demo" "$BATS_TEST_TMPDIR/host"
	echo "$BATS_TEST_TMPDIR/host"
}

describe() { # TEXT
	printf '%s\n' "$1" >"$file"
}

results() { # ARGUMENT...
	jqc '[.results[] | [.address, .result, .code]]' vfcap -j "$@"
}

# What is kept under a sysroot, in a file of its own.
keep() { # NAME TEXT
	mkdir -p "$dir/etc/vfcap.d"
	printf '%s\n' "$2" >"$dir/etc/vfcap.d/$1"
}

# Lines on standard error, one for each pattern, in their order.
assert_told() { # PATTERN...
	local i=0 line
	assert_equal "$(wc -l <<<"$stderr")" $#
	while read -r line; do
		i=$((i + 1))
		assert_regex "$line" "^vfcap: ${!i}\$"
	done <<<"$stderr"
}

# That description is refused with that line.
assert_wrong() { # STATUS DESCRIPTION LINE
	describe "$2"
	split vfcap --demo apply "$file"
	assert_refusal "$1" "$3"
}

@test "apply: what is otherwise is told, and is exit status 3" {
	describe '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":8}],
		"plan":[{"address":"ens1f0/vf0-3","placements":[{"name":"PASID","rule":"auto"}]},
		{"address":"3b:01.4","placements":[{"name":"PASID","offset":464}]},{"address":"ens1f0/vf6","driver":null}]}'
	split vfcap --demo apply --check "$file"
	assert_equal "$status" 3
	assert_equal "$stderr" ''
	assert_line --index 0 '0000:3b:00.0 (PF)'
	assert_line --index 1 '  unchanged: 8 VFs'
	assert_line '0000:3b:01.0 .. 0000:3b:01.3 (4 VFs of 0000:3b:00.0)'
	assert_line '  differs: PASID at 0x1d0 (20 bits)'
	assert_line '  unchanged: PASID at 0x1d0 (20 bits)'
	assert_line '    unbind from vfio-pci'
	assert_equal "$(jqc '[.results[] | .drift]' vfcap -j --demo apply --check "$file")" '[false,true,true,true,true,false,true]'
	run vfcap --demo apply --dry-run "$file"
	assert_success
	assert_line '  would be done: PASID at 0x1d0 (20 bits)'
	split vfcap --demo apply "$file"
	assert_equal "$status" 1
	[[ $stderr == *'there is no kernel behind it, nothing was changed' ]] || fail "$stderr"
	describe '{"vfcap":1,"plan":[{"address":"ens1f0/vf4-5","placements":[{"name":"PASID"}]}]}'
	run vfcap --demo apply --check "$file"
	assert_success
	run vfcap --demo apply "$file"
	assert_success
}

@test "apply: a captured host is not changed" {
	local dir before
	dir=$(own_demo)
	mkdir "$dir/run" "$dir/etc"
	describe '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":4}],"plan":[{"address":"ens1f0","placements":[{"name":"PASID"}]}]}'
	before=$(cd "$dir" && find . -printf '%p %l %s %T@\n' | sort)
	run vfcap --sysroot "$dir" apply "$file"
	assert_failure 1
	assert_line '    sriov_numvfs 0 (was 8)'
	assert_equal "$(cd "$dir" && find . -printf '%p %l %s %T@\n' | sort)" "$before"
}

@test "apply: every plan as it was printed" {
	local cap
	for cap in pasid pasid,pri; do
		vfcap --demo -q -j plan --cap $cap enp94s0f0 ens1f0 0000:6c:00.0 0000:00:02.0 >"$file" || [ $? -eq 3 ]
		split vfcap --demo apply --force --dry-run "$file"
		assert_equal "$status" 0
		assert_equal "$(jqc '[.results[] | .configured]' vfcap --demo -j apply --force --dry-run "$file")" \
			"$(jq -c '[.plan[] | .placements as $p | {pasid: ([$p[] | select(.name == "PASID") | .offset][0]), pri: ([$p[] | select(.name == "PRI") | .offset][0])}]' "$file")"
	done
}

@test "apply: several files, standard input, and what they say twice" {
	describe '{"vfcap":1,"plan":[{"address":"0000:5e:00.*","width":8,"placements":[{"name":"PASID"}]}]}'
	echo '{"vfcap":1,"plan":[{"address":"enp94s0f0/vf1","placements":[{"name":"PRI","offset":1024}]}]}' >"$file.2"
	cp "$file" "$file.3"
	run vfcap --demo apply --force --dry-run "$file" "$file.2" - <"$file.3"
	assert_success
	assert_line '  would be done: PASID at 0x238 (8 bits), PRI at 0x400'
	echo '{"vfcap":1,"plan":[{"address":"enp94s0f0/vf1","placements":[{"name":"PASID","offset":1024}]}]}' >"$file.2"
	split vfcap --demo apply --dry-run - "$file.2" <"$file"
	assert_refusal 2 "d.json.2:1:61: 0000:5e:00.0/vf1: PASID: otherwise than at standard input:1:70"
}

@test "apply: VFs that are still to come" {
	describe '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":16}],"plan":[
		{"address":"ens1f0/vf6-7","placements":[{"name":"PASID"}]},{"address":"0000:3b:02.4","placements":[{"name":"PASID"}]},
		{"address":"ens1f0/vf15","placements":[{"name":"PASID","offset":1024}]}]}'
	run vfcap --demo apply --dry-run "$file"
	assert_success
	assert_line '  would be done: 16 VFs'
	assert_line '  would be done: PASID at 0x1d0 (20 bits)'
	assert_line '0000:3b:02.4 (VF of 0000:3b:00.0)'
	assert_line '  would be done: PASID at the place that is found when the VF is there'
	assert_line '  would be done: PASID at 0x400 (20 bits)'
}

@test "apply: VFs that vfio-pci refuses, those there and those to come" {
	local address pfs='"pfs":[{"address":"0000:3e:00.0","numvfs":2}],'
	for address in 0000:3d:00.0/vf1 0000:3e:00.0/vf1; do
		describe '{"vfcap":1,'"$pfs"'"plan":[{"address":"'$address'","force":true,"placements":[{"name":"PASID"}]}]}'
		split vfcap --sysroot "$(host denylisted)" apply --dry-run "$file"
		assert_equal "$status" 3
		assert_equal "$stderr" ''
		assert_line --partial '(denylisted)'
		split vfcap --sysroot "$(host denylist-disabled)" apply --dry-run "$file"
		assert_equal "$status" 0
		[[ $stderr == "vfcap: ${address%%:00*}"*' vfio-pci refuses 8086:37c9 '*disable_denylist* ]] || fail "$stderr"
	done
	describe '{"vfcap":1,"plan":[{"address":"0000:3d:00.0","placements":[]}]}'
	split vfcap --sysroot "$(host denylisted)" apply --dry-run "$file"
	assert_success
}

# ---------------------------------------------------------------------------------------- bad input --

@test "apply: what cannot be understood is told with file, line, column and key" {
	assert_wrong 2 '{"vfcap":1,' "d.json:2:1: no JSON: "
	assert_wrong 2 '{"vfcap":1,"vfcap":1}' 'd.json:1:18: no JSON: duplicate object key'
	assert_wrong 2 '[]' 'd.json:1:1: an object belongs here'
	assert_wrong 2 '{"plan":[]}' 'd.json:1:1: it lacks "vfcap"'
	assert_wrong 2 '{"vfcap":2}' 'd.json:1:10: vfcap: 1 belongs here'
	assert_wrong 2 '{"vfcap":1,"functions":[]}' 'd.json:1:12: functions: no such key; there are vfcap, pfs, plan'
	assert_wrong 2 $'{"vfcap":1,\n "pfs":[{"address":"ens1f0","numvfs":"8"}]}' 'd.json:2:38: pfs[0].numvfs: a number from 0 to 65535'
	assert_wrong 2 $'{"vfcap":1,\n "pfs":[{"address":"ens1f0"}]}' 'd.json:2:9: pfs[0]: it lacks "numvfs"'
	assert_wrong 2 $'{"vfcap":1,"plan":[{"address":"ä","widht":0}]}' 'd.json:1:35: plan[0].widht: no such key'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","width":21}]}' 'd.json:1:48: plan[0].width: a number from 0 to 20'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","driver":"../x"}]}' 'plan[0].driver: the name of a driver'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","placements":[{"name":"ATS"}]}]}' \
		'd.json:1:62: plan[0].placements[0].name: "PASID" or "PRI"'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","placements":[{"name":"PRI","offset":257}]}]}' 'plan[0].placements[0].offset: '
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","placements":[{"name":"PRI","rule":"best"}]}]}' 'plan[0].placements[0].rule: one of'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","placements":[{"name":"PRI","width":8}]}]}' 'PRI has no width'
	split vfcap --demo apply "$file.absent"
	assert_refusal 1 'd.json.absent: No such file'
	split vfcap --demo apply "$BATS_TEST_TMPDIR"
	assert_refusal 1 'Is a directory'
}

@test "apply: a description that contradicts itself" {
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","placements":[{"name":"PASID","rule":"auto","offset":256}]}]}' \
		'plan[0].placements[0]: the rule "auto" and the offset 256 (line 1, column 93): one of them'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","placements":[{"name":"PASID","rule":"head","offset":260}]}]}' \
		'the rule "head" leads to 256 (0x100), not to the offset 260'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","placements":[{"name":"PASID","rule":"explicit"}]}]}' 'goes with an "offset"'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","placements":[{"name":"PASID"},{"name":"PASID","offset":256}]}]}' \
		'plan[0].placements[1]: PASID another time, and otherwise than at line 1, column 54'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","width":8,"placements":[{"name":"PASID","width":9}]}]}' "the entry's \"width\" is 8"
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"ens1f0","driver":"vfio-pci","placements":[{"name":"PASID"}]}]}' \
		'driver: with it PASID cannot be shown, as is described at'
	assert_wrong 2 '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":8},{"address":"3b:00.0","numvfs":7}]}' \
		'd.json:1:62: 0000:3b:00.0: 7 VFs, but 8 at '
	assert_wrong 2 '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":4}],"plan":[{"address":"ens1f0/vf4"}]}' \
		'there is to be no VF 4: 0000:3b:00.0 is to have 4, as is described at '
}

@test "apply: a description that contradicts the host" {
	assert_wrong 3 '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":65}]}' 'd.json:1:30: 0000:3b:00.0: numvfs: 65 are more than it can have: 64'
	assert_wrong 3 '{"vfcap":1,"plan":[{"address":"ens1f0/vf64"}]}' 'there cannot be a VF 64'
	assert_wrong 3 '{"vfcap":1,"plan":[{"address":"ens1f0/vf8"}]}' 'no VF 8: 0000:3b:00.0 has 8'
	assert_wrong 3 '{"vfcap":1,"plan":[{"address":"nothing0"}]}' 'd.json:1:31: address: nothing0: no such function'
	assert_wrong 3 '{"vfcap":1,"pfs":[{"address":"0000:ff:00.0","numvfs":1}]}' '0000:ff:00.0: no such function'
	assert_wrong 2 '{"vfcap":1,"pfs":[{"address":"3b:01.0","numvfs":1}]}' '0000:3b:01.0 is no PF'
	assert_wrong 2 '{"vfcap":1,"plan":[{"address":"00:1f.3"}]}' 'neither a PF nor a VF'
	describe '{"vfcap":1,"plan":[{"address":"enp94s0f0","placements":[{"name":"PASID","rule":"after-last","offset":1024}]}]}'
	assert_equal "$(results --demo apply --dry-run "$file")" \
		'[["0000:5e:00.2","refused","rule-disagrees"],["0000:5e:00.3","refused","rule-disagrees"]]'
	describe '{"vfcap":1,"plan":[{"address":"0000:81:00.0","placements":[{"name":"PASID"}]}]}'
	assert_equal "$(results --demo apply --check "$file")" '[["0000:81:04.0","refused","broken-chain"],["0000:81:04.1","refused","broken-chain"]]'
}

@test "apply: --only deals with one, and passes over what is not there" {
	describe '{"vfcap":1,"pfs":[{"address":"0000:ff:00.0","numvfs":9},{"address":"ens1f0","numvfs":8}],
		"plan":[{"address":"0000:5e:00.0","placements":[{"name":"PASID"}]},{"address":"ens1f0/vf0-1","placements":[{"name":"PASID"}]}]}'
	assert_equal "$(results --demo apply --dry-run --only 0000:3b:01.1 "$file")" '[["0000:3b:01.1","unchanged",null]]'
	assert_equal "$(results --demo apply --dry-run --only 0000:3b:00.0 "$file")" \
		'[["0000:3b:00.0","unchanged",null],["0000:3b:01.0","unchanged",null],["0000:3b:01.1","unchanged",null]]'
	assert_equal "$(results --demo apply --dry-run --only 0000:6c:00.0 "$file")" '[]'
	split vfcap --demo apply --dry-run --only ens1f0 "$file"
	assert_refusal 2 'ens1f0: no address as the kernel writes it'
	split vfcap --demo apply --dry-run --only 0000:ff:00.0 "$file"
	assert_refusal 3 '0000:ff:00.0: no such function'
}

# 32 PFs with 320 VFs each, as a sysroot, and a description of all of them.
many() {
	local n vf
	[ ! -d "$BATS_FILE_TMPDIR/many" ] || return 0
	for n in {0..31}; do
		printf 'function %04x:01:00.0 8086:1572 driver i40e group %d\n\tcap 100 AER 2\n\tsriov 160 320 320 8 1 154c\n\tpasid 1d0 20 on\nvfs 0-319\n\tcap 100 AER 2\n' \
			"$n" "$n"
	done >"$BATS_TEST_TMPDIR/many.host"
	for n in {0..31}; do
		for vf in {0..319}; do
			printf '{"address":"%04x:01:00.0/vf%d","placements":[{"name":"PASID"}]},\n' "$n" "$vf"
		done
	done >"$BATS_TEST_TMPDIR/entries"
	{ echo '{"vfcap":1,"plan":[' && sed '$s/,$//' "$BATS_TEST_TMPDIR/entries" && echo ']}'; } >"$BATS_FILE_TMPDIR/many.json"
	"$VFCAP_BUILD/mkhost" "$BATS_TEST_TMPDIR/many.host" "$BATS_FILE_TMPDIR/many"
}

@test "apply: 10,000 VFs take a few seconds" {
	local start
	many
	assert_equal "$(jq '.plan | length' "$BATS_FILE_TMPDIR/many.json")" 10240
	start=$SECONDS
	split vfcap --sysroot "$BATS_FILE_TMPDIR/many" apply --dry-run "$BATS_FILE_TMPDIR/many.json"
	assert_equal "$status" 0
	assert_equal "$stderr" ''
	assert_equal "$(grep -c '(320 VFs of' <<<"$output")" 32
	[ $((SECONDS - start)) -lt 30 ]
}

@test "apply: who waits at a terminal sees how far it is, and a clean terminal after that" {
	local option
	many
	on_terminal --sysroot "$BATS_FILE_TMPDIR/many" apply --dry-run "$BATS_FILE_TMPDIR/many.json"
	assert_success
	assert_regex "$output" $'\r\e\\[Kvfcap: [1-9][0-9]* of 10240: plan'
	# The line is taken away before the first that stays.
	assert_regex "$output" $'of 10240: plan\r\e\\[K'
	assert_equal "$(tr '\r' '\n' <<<"$output" | sed -n '/^0000:01:02.0 /,$p' | grep -c ' of 10240')" 0
	for option in --json --quiet; do
		on_terminal "$option" --sysroot "$BATS_FILE_TMPDIR/many" apply --dry-run "$BATS_FILE_TMPDIR/many.json"
		assert_success
		refute_output --partial ' of 10240'
	done
	on_terminal --demo apply --dry-run "$VFCAP_SOURCE/share/example.json"
	refute_output --partial $'\e[K'
}

# Whether the schema of descriptions takes a document.
validates() { # FILE
	/usr/bin/python3 -c '
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
validator = jsonschema.validators.validator_for(schema)
validator.check_schema(schema)
sys.exit(next(validator(schema).iter_errors(json.load(open(sys.argv[2]))), None) is not None)' \
		"$VFCAP_SOURCE/share/vfcap-description.schema.json" "$1"
}

@test "apply: the schema and the program take the same descriptions" {
	local entry good=0 bad=0
	vfcap --demo -q -j plan >"$file" || [ $? -eq 3 ]
	validates "$file"
	validates "$VFCAP_SOURCE/share/example.json"
	for entry in '' '"width":0' '"width":20' '"width":21' '"width":"8"' '"driver":null' '"driver":"iavf"' '"driver":""' '"driver":".x"' \
		'"force":true' '"force":false' '"force":1' '"force":null' \
		'"placements":[]' '"placements":{}' '"placements":[{"name":"PASID"}]' '"placements":[{"name":"pasid"}]' '"placements":[{}]' \
		'"placements":[{"name":"PRI","offset":256}]' '"placements":[{"name":"PRI","offset":255}]' '"placements":[{"name":"PRI","offset":4096}]' \
		'"placements":[{"name":"PRI","width":8}]' '"placements":[{"name":"PASID","width":8,"bytes":"00"}]' \
		'"placements":[{"name":"PRI","rule":"free-gap"}]' '"placements":[{"name":"PRI","rule":"head"}]' \
		'"placements":[{"name":"PRI","rule":"head","offset":256}]' '"placements":[{"name":"PRI","rule":"head","offset":260}]' \
		'"placements":[{"name":"PRI","rule":"auto","offset":260}]' '"placements":[{"name":"PRI","rule":"explicit"}]' \
		'"placements":[{"name":"PRI","rule":"explicit","offset":260}]' '"chain":[],"evidence":{}' '"results":[]'; do
		describe "{\"vfcap\":1,\"plan\":[{\"address\":\"enp94s0f0\"${entry:+,$entry}}]}"
		run vfcap --demo apply --dry-run "$file"
		if validates "$file"; then
			good=$((good + 1))
			[ "$status" -ne 2 ] || fail "only the schema takes $entry: $output"
		else
			bad=$((bad + 1))
			[ "$status" -eq 2 ] || fail "only the program takes $entry: $output"
		fi
	done
	[ $good -gt 10 ] && [ $bad -gt 10 ]
}

# ------------------------------------------------------------------------------------------- owners --

# Somebody else's file has it that PFs have VFs: refused, and named. Of another device: not.
owned() { # PATH LINE CONTENT...
	mkdir -p "$dir/$(dirname "$1")"
	printf '%s\n' "${@:3}" >"$dir/$1"
	split vfcap --sysroot "$dir" -j apply --check "$file"
	assert_equal "$status" 3
	assert_equal "$(jq -r '.results[0].code' <<<"$output")" owned
	assert_equal "$(jq -r '.results[0].reason' <<<"$output" | grep -cE "/$1:$2(: |\$)")" 1
	rm "$dir/$1"
}

not_owned() { # PATH CONTENT...
	mkdir -p "$dir/$(dirname "$1")"
	printf '%s\n' "${@:2}" >"$dir/$1"
	run vfcap --sysroot "$dir" apply --check "$file"
	assert_success
	rm "$dir/$1"
}

@test "apply: who else sets the number of VFs is named" {
	dir=$(own_demo)
	describe '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":8}]}'
	mkdir -p "$dir/sys/class/net/ens1f0"
	echo 02:00:5e:00:53:01 >"$dir/sys/class/net/ens1f0/address"
	owned etc/NetworkManager/system-connections/a.nmconnection 4 '[connection]' 'interface-name=ens1f0' '[sriov]' 'total-vfs=8'
	owned etc/NetworkManager/system-connections/a 4 '[ethernet]' 'mac-address=02:00:5E:00:53:01' '[sriov]' 'total-vfs = 8'
	not_owned etc/NetworkManager/system-connections/a '[connection]' 'interface-name=eth0' '[sriov]' 'total-vfs=8'
	not_owned etc/NetworkManager/system-connections/a '[connection]' 'interface-name=ens1f0' '#[sriov]' '#total-vfs=8'
	owned etc/netplan/1.yaml 4 'network:' '  ethernets:' '    ens1f0:' '      virtual-function-count: 8'
	owned etc/netplan/1.yaml 7 'network:' '  ethernets:' '    nic:' '      match:' '        macaddress: "02:00:5e:00:53:01"' \
		'      mtu: 9000' '      virtual-function-count: 8'
	owned etc/netplan/1.yaml 3 'network:' '  ethernets:' '    ens1f0: {dhcp4: true, virtual-function-count: 8}'
	not_owned etc/netplan/1.yaml 'network:' '  ethernets:' '    eth0:' '      virtual-function-count: 8' '    ens1f0:' '      dhcp4: true'
	not_owned etc/netplan/1.yaml 'network:' '  ethernets:' '    nic:' '      match:' '        driver: e1000' '      virtual-function-count: 8'
	owned etc/systemd/network/10-a.link 4 '[Match]' 'Path=pci-0000:3b:00.*' '[Link]' 'SR-IOVVirtualFunctions=8'
	owned run/systemd/network/10-a.link 5 '[Match]' 'OriginalName=eth* ens*' 'Driver=ice' '[Link]' 'SR-IOVVirtualFunctions=8'
	owned usr/lib/systemd/network/10-a.link 5 '# x' '[Match]' 'PermanentMACAddress=02:00:5e:00:53:01' '[Link]' 'SR-IOVVirtualFunctions=8'
	not_owned etc/systemd/network/10-a.link '[Match]' 'OriginalName=!ens1f0' '[Link]' 'SR-IOVVirtualFunctions=8'
	not_owned etc/systemd/network/10-a.link '[Match]' 'OriginalName=*' '[Link]' 'NamePolicy=path'
	owned etc/sriov-operator/pci/0000:3b:00.0 2 '{' ' "numVfs": 8,' ' "pciAddress": "0000:3b:00.0"}'
	not_owned etc/sriov-operator/pci/0000:5e:00.0 '{' ' "numVfs": 8,' ' "pciAddress": "0000:5e:00.0"}'
	owned etc/sriov-operator/sriov-interface-config.yaml 2 'interfaces:' '- pciaddress: 0000:3b:00.0'
	# The first .link file that applies is the only one.
	mkdir -p "$dir/etc/systemd/network"
	printf '%s\n' '[Match]' 'OriginalName=ens1f0' '[Link]' 'MTUBytes=9000' >"$dir/etc/systemd/network/05-a.link"
	not_owned etc/systemd/network/10-a.link '[Match]' 'OriginalName=*' '[Link]' 'SR-IOVVirtualFunctions=8'
}

# ------------------------------------------------------------------------------------------- forced --

@test "apply: what is given way on may be described, of certain VFs alone" {
	local entry='{"address":"enp94s0f0/vf%d","placements":[{"name":"PRI"}]%s}'
	# shellcheck disable=SC2059 # that is its form
	describe "{\"vfcap\":1,\"plan\":[$(printf "$entry" 0 ',"force":true')]}"
	assert_equal "$(results --demo apply --dry-run "$file")" '[["0000:5e:00.2","unchanged",null]]'
	run vfcap --demo apply --dry-run "$file"
	assert_line '    the PF has PRI switched off: a guest sees it only once that is on'
	# shellcheck disable=SC2059
	describe "{\"vfcap\":1,\"plan\":[$(printf "$entry" 0 ',"force":true'),$(printf "$entry" 1 '')]}"
	assert_equal "$(results --demo apply --dry-run "$file")" \
		'[["0000:5e:00.2","refused",null],["0000:5e:00.3","refused","pf-off"]]'
}

# What a plan had to be forced for is not forced on another host without a word.
@test "apply: a plan that was forced is refused where it would have been, unless apply is told" {
	vfcap --demo -j plan --cap pasid --force --at pasid=0x700 enp94s0f0/vf0 >"$file"
	assert_equal "$(jq -c '.plan[0].placements[0].forced' "$file")" true
	assert_equal "$(results --demo apply --dry-run "$file")" '[["0000:5e:00.2","refused","no-room"]]'
	assert_equal "$(results --demo apply --force --dry-run "$file")" '[["0000:5e:00.2","unchanged",null]]'
	jq -c '.plan[0].force = true' "$file" >"$file.2"
	assert_equal "$(results --demo apply --dry-run "$file.2")" '[["0000:5e:00.2","unchanged",null]]'
}

@test "apply: --if-off leaves alone what shows something" {
	describe '{"vfcap":1,"plan":[{"address":"ens1f0/vf3-4","placements":[{"name":"PASID","offset":1024}]}]}'
	assert_equal "$(jqc '[.results[] | [.configured.pasid, .drift]]' vfcap --demo -j apply --check "$file")" '[[1024,true],[1024,true]]'
	assert_equal "$(jqc '[.results[] | [.configured.pasid, .drift]]' vfcap --demo -j apply --if-off --check "$file")" '[[1024,true],[464,false]]'
	describe '{"vfcap":1,"plan":[{"address":"ens1f0/vf4","driver":"iavf"}]}'
	run vfcap --demo apply --check "$file"
	assert_failure 3
	run vfcap --demo apply --if-off --check "$file"
	assert_success
	assert_line '  unchanged: PASID at 0x1d0'
}

# --------------------------------------------------------------------------------------------- kept --

@test "apply: without a FILE, what /etc/vfcap.d describes" {
	dir=$(own_demo)
	split vfcap --sysroot "$dir" -j apply
	assert_success
	assert_equal "$(jq -c .results <<<"$output")" '[]'
	mkdir -p "$dir/etc/vfcap.d"
	describe '{"vfcap":1,"plan":[{"address":"ens1f0/vf0","placements":[{"name":"PASID"}]}]}'
	cp "$file" "$dir/etc/vfcap.d/a.json"
	echo nonsense >"$dir/etc/vfcap.d/b.json.bak"
	assert_equal "$(results --sysroot "$dir" apply --dry-run)" '[["0000:3b:01.0","unchanged",null]]'
}

@test "apply: without a FILE, a PF of which two files say different things is not touched" {
	dir=$(own_demo)
	keep a.json '{"vfcap":1,"plan":[{"address":"ens1f0/vf0","placements":[{"name":"PASID"}]}]}'
	keep b.json '{"vfcap":1,"plan":[{"address":"ens1f0/vf0-1","placements":[{"name":"PASID","offset":512}]},
		{"address":"enp94s0f0/vf0","placements":[{"name":"PASID"}]}]}'
	split vfcap --sysroot "$dir" -j apply --dry-run
	assert_equal "$status" 2
	assert_told '/etc/vfcap.d/b.json:1:60: 0000:3b:00.0/vf0: PASID: otherwise than at /etc/vfcap.d/a.json:1:58; nothing of 0000:3b:00.0 is touched'
	assert_equal "$(jq -c '[.results[].address]' <<<"$output")" '["0000:5e:00.2"]'
	assert_equal "$(jq -c '[.skipped[] | [.file, .line, .column, .pf]]' <<<"$output")" '[["/etc/vfcap.d/b.json",1,60,"0000:3b:00.0"]]'
	# Files that are named are one description: nothing is done.
	split vfcap --sysroot "$dir" apply --dry-run "$dir"/etc/vfcap.d/*.json
	assert_refusal 2 'otherwise than at'
	# What concerns another alone is not told.
	split vfcap --sysroot "$dir" -j apply --dry-run --only 0000:5e:00.0
	assert_success
	assert_equal "$stderr" ''
	assert_equal "$(jq -c '[.results[].address, .skipped]' <<<"$output")" '["0000:5e:00.2",[]]'
	keep b.json '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":8},{"address":"0000:3b:00.0","numvfs":7}]}'
	split vfcap --sysroot "$dir" apply --dry-run
	assert_refusal 2 '/etc/vfcap.d/b.json:1:62: 0000:3b:00.0: 7 VFs, but 8 at /etc/vfcap.d/b.json:1:30; nothing of 0000:3b:00.0 is touched'
}

@test "apply: without a FILE, a mistake costs only what it is about, and is named" {
	dir=$(own_demo)
	keep good.json '{"vfcap":1,"plan":[{"address":"enp94s0f0/vf0","placements":[{"name":"PASID"}]}]}'
	keep cut.json '{"vfcap":1,"plan":[{"address":"ens1f0/vf0"},'
	# What stands before the mistake is not followed either.
	keep key.json '{"vfcap":1,"plan":[{"address":"ens1f0/vf3","placements":[{"name":"PASID"}]},{"adress":"ens1f0"}]}'
	keep open.json '{"vfcap":1,"plan":[{"address":"ens1f0/vf1","placements":[{"name":"PASID"}]}]}'
	chmod o+w "$dir/etc/vfcap.d/open.json"
	keep range.json '{"vfcap":1,"pfs":[{"address":"0000:81:00.0","numvfs":99}],"plan":[{"address":"0000:81:00.0/vf0"}]}'
	keep there.json '{"vfcap":1,"plan":[{"address":"nothing0/vf0"},{"address":"ens1f0/vf2","placements":[{"name":"PASID"}]},{"address":"00:1f.3"}]}'
	split vfcap --sysroot "$dir" -j apply --dry-run
	assert_equal "$status" 2
	assert_told '/etc/vfcap.d/cut.json:2:1: no JSON: .*; the file is passed over' \
		'/etc/vfcap.d/key.json:1:78: plan\[1\].adress: no such key; .*; the file is passed over' \
		'/etc/vfcap.d/open.json: others than root may write it: chmod go-w; the file is passed over' \
		'/etc/vfcap.d/range.json:1:30: 0000:81:00.0: numvfs: 99 are more than it can have: [0-9]*; nothing of 0000:81:00.0 is touched' \
		'/etc/vfcap.d/there.json:1:31: address: nothing0: no such function.*; the entry is passed over' \
		'/etc/vfcap.d/there.json:1:[0-9]*: address: 00:1f.3: neither a PF nor a VF; the entry is passed over'
	assert_equal "$(jq -c '[.results[].address]' <<<"$output")" '["0000:3b:01.2","0000:5e:00.2"]'
	assert_equal "$(jq -c '[.skipped[] | [(.file | ltrimstr("/etc/vfcap.d/")), .line, .pf]]' <<<"$output")" \
		'[["cut.json",null,null],["key.json",null,null],["open.json",null,null],["range.json",1,"0000:81:00.0"],["there.json",1,null],["there.json",1,null]]'
	assert_equal "$(jq -r '.skipped[].error' <<<"$output" | sed 's/^/vfcap: /')" "$(sed -E 's/; (the (file|entry) is passed over|nothing of .* is touched)$//' <<<"$stderr")"
	# The worst of it counts.
	rm "$dir"/etc/vfcap.d/{cut,key}.json
	keep there.json '{"vfcap":1,"plan":[{"address":"nothing0/vf0"}]}'
	split vfcap --sysroot "$dir" apply --dry-run
	assert_equal "$status" 3
	mkdir "$dir/etc/vfcap.d/sub.json"
	split vfcap --sysroot "$dir" -j apply --dry-run
	assert_equal "$status" 3
	assert_equal "$(jq -c '[.results[].address]' <<<"$output")" '["0000:5e:00.2"]'
	[[ $stderr == *'/etc/vfcap.d/sub.json: no regular file: '* ]] || fail "$stderr"
}

@test "apply: files of /etc/vfcap.d that others than root could have written are refused" {
	dir=$(own_demo)
	mkdir -p "$dir/etc/vfcap.d"
	describe '{"vfcap":1,"plan":[]}'
	cp "$file" "$dir/etc/vfcap.d/a.json"
	chmod g+w "$dir/etc/vfcap.d/a.json"
	split vfcap --sysroot "$dir" apply
	assert_refusal 3 '/etc/vfcap.d/a.json: others than root may write it: chmod go-w'
	rm "$dir/etc/vfcap.d/a.json"
	ln -s "$file" "$dir/etc/vfcap.d/a.json"
	split vfcap --sysroot "$dir" apply
	assert_refusal 3 '/etc/vfcap.d/a.json: no regular file: it has to be one itself; the file is passed over'
	rm "$dir/etc/vfcap.d/a.json"
	mkfifo "$dir/etc/vfcap.d/a.json"
	split vfcap --sysroot "$dir" apply
	assert_refusal 3 '/etc/vfcap.d/a.json: no regular file: it has to be one itself; the file is passed over'
	rm "$dir/etc/vfcap.d/a.json"
	chmod o+w "$dir/etc/vfcap.d"
	split vfcap --sysroot "$dir" apply
	assert_refusal 3 '/etc/vfcap.d: others than root may write it: chmod go-w'
	[ "$(id -u)" -eq 0 ] || skip 'only root can give files away'
	chmod o-w "$dir/etc/vfcap.d"
	cp "$file" "$dir/etc/vfcap.d/a.json"
	chown 1 "$dir/etc/vfcap.d/a.json"
	split vfcap --sysroot "$dir" apply
	assert_refusal 3 '/etc/vfcap.d/a.json: does not belong to root: chown root'
}
