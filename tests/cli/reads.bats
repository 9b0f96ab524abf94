#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A read that failed is no answer: the real program, in which single system calls fail.
load common

bats_require_minimum_version 1.5.0

# Exit status 1, and a last line that names the object and why.
assert_failed_read() { # OBJECT WHY
	assert_equal "$status" 1
	# shellcheck disable=SC2154 # run --separate-stderr sets it
	[[ ${stderr##*$'\n'} == "vfcap: "*"$1"*": $2" ]] || fail "stderr: $stderr"
}

devices=sys/bus/pci/devices

@test "a directory of functions that cannot be opened or read to its end has no functions left out" {
	faulty openat2 EMFILE "$devices" list
	assert_failed_read "$devices" 'Too many open files'
	assert_output ''
	faulty getdents64 EIO "$demo/$devices" list
	assert_failed_read "$devices" 'Input/output error'
	assert_output ''
}

@test "a function whose directory or links cannot be read is named, and the run has failed" {
	local command
	for command in list status 'plan --json' doctor; do
		# shellcheck disable=SC2086 # words
		faulty openat2 ENOMEM "$devices/0000:00:02.1" $command
		assert_failed_read 0000:00:02.1 'Cannot allocate memory'
		# shellcheck disable=SC2086
		faulty readlinkat EIO physfn $command
		assert_failed_read physfn 'Input/output error'
		# shellcheck disable=SC2086
		faulty readlinkat EIO driver $command
		assert_failed_read driver 'Input/output error'
	done
}

@test "an IOMMU that cannot be read is not one that does not tell" {
	local command
	for command in plan 'enable --dry-run'; do
		# shellcheck disable=SC2086 # words
		faulty openat2 EIO "$devices/0000:3b:01.0/iommu" $command 3b:00.0/vf0
		assert_failed_read IOMMU 'Input/output error'
		# shellcheck disable=SC2086
		faulty openat2 EIO sys/class/iommu/dmar0/intel-iommu/ecap $command 3b:00.0/vf0
		assert_failed_read dmar0 'Input/output error'
	done
}

@test "config space that cannot be read is not taken for one without capabilities" {
	faulty openat EIO config list
	assert_failed_read config 'Input/output error'
	faulty openat EIO config show 00:00.0
	assert_failed_read config 'Input/output error'
}

@test "config space that cannot be read is said once for each function" {
	local command bad
	copy_demo
	for bad in 3b:00.0 3b:01.4; do
		for command in plan 'plan --json' map; do
			# shellcheck disable=SC2086 # words
			need_strace
			split strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -P "$(readlink -f "$dir/$devices/0000:$bad/config")" \
				-e inject=pread64:error=EIO env ASAN_OPTIONS=detect_leaks=0 "$VFCAP" --sysroot "$dir" $command 3b:01.4 3b:01.5
			assert_equal "$status" 1
			assert_equal "$(grep -c "^vfcap: 0000:$bad: config: Input/output error" <<<"$stderr")" 1
		done
	done
}

@test "few descriptors are said to be too few" {
	local n
	for n in 5 6; do
		split bash -c 'exec 3>&- 4>&-; ulimit -n "$1"; exec "$2" --demo list' _ "$n" "$VFCAP"
		assert_failed_read "" 'Too many open files'
	done
}

@test "what is not there is no failure" {
	split vfcap --sysroot "$(host none)" list
	assert_success
	split vfcap --sysroot "$(host sos)" list
	assert_success
	assert_equal "$stderr" ''
}

@test "config space that was cut short is said to be" {
	local dir=$BATS_TEST_TMPDIR/cut
	cp -R "$demo" "$dir"
	truncate -s 460 "$dir/$devices/0000:3b:01.4/config"
	split vfcap --sysroot "$dir" plan 3b:01.4
	[[ $stderr == *"0000:3b:01.4: config: 460 bytes, which is cut short"* ]] || fail "stderr: $stderr"
}

@test "network interfaces that may not be looked at are not none" {
	faulty openat2 EACCES sys/class/net list 3b:00.0
	assert_success
	assert_line --partial ' ? '
	[[ $stderr == *'/sys/class/net: Permission denied'* ]] || fail "stderr: $stderr"
	faulty openat2 EACCES sys/class/net list --json 3b:00.0
	assert_equal "$(jq -c '.functions[0] | has("netdevs")' <<<"$output")" false
	faulty openat2 EACCES sys/class/net list ens1f0
	assert_equal "$status" 1
	[[ $stderr == *'ens1f0: /sys/class/net: Permission denied'* ]] || fail "stderr: $stderr"
}

# With a kernel behind the host, config space is read again where it is needed: SYSFS_MAGIC is the first field of struct
# statfs.
@test "a read of config space that failed once is made good, and is no failure" {
	vfcap --sysroot "$demo" list 3b:00.0 >"$BATS_TEST_TMPDIR/want"
	need_strace
	split env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -P "$demo/sys" -P sys -P "$devices/0000:3b:00.0/config" \
		-e trace=fstatfs,openat2 -e 'inject=fstatfs:retval=0:poke_exit=@arg2=7265656200000000' \
		-e inject=openat2:error=EMFILE:when=1 "$VFCAP" --sysroot "$demo" list 3b:00.0
	assert_success
	assert_equal "$(grep -c INJECTED "$BATS_TEST_TMPDIR/trace")" 2
	assert_equal "$output" "$(<"$BATS_TEST_TMPDIR/want")"
	assert_equal "$stderr" ''
}

# The demo host in a directory of the test's own, to be spoiled.
copy_demo() {
	dir=$BATS_TEST_TMPDIR/copy
	rm -rf "$dir"
	cp -R "$demo" "$dir"
	vf=$dir/$devices/0000:3b:01.4
}

@test "what stands in the place of a link or directory is no absence" {
	local name command
	for name in driver iommu_group physfn; do
		copy_demo
		rm "$vf/$name"
		echo x >"$vf/$name"
		for command in list status; do
			split vfcap --sysroot "$dir" "$command" 3b:01.4
			assert_failed_read "$name" 'Not a symbolic link'
		done
	done
	copy_demo
	rm -r "$vf/vfcap"
	echo x >"$vf/vfcap"
	for command in list status; do
		split vfcap --sysroot "$dir" "$command" 3b:01.4
		assert_failed_read 3b:01.4 'Not a directory'
	done
}

@test "bonding_masters and proc/bus/pci/devices are no failure" {
	copy_demo
	echo bond0 >"$dir/sys/class/net/bonding_masters"
	split vfcap --sysroot "$dir" list
	assert_success
	assert_equal "$stderr" ''
	dir=$BATS_TEST_TMPDIR/sos
	cp -R "$(host sos)" "$dir"
	echo 'no bus' >"$dir/proc/bus/pci/devices"
	split vfcap --sysroot "$dir" list
	assert_success
	assert_equal "$stderr" ''
}

@test "a sys that may not be looked at is not one without a kernel" {
	faulty openat EACCES sys list
	assert_failed_read "$demo" 'Permission denied'
	assert_output ''
}

@test "a value that no knob can have is no placement" {
	local attribute value command
	for attribute in 'pasid_offset 0x40' 'pri_offset 0x102' 'pasid_offset 0x1000' 'pasid_shown 0x40' 'pri_offset 0xff4' 'pasid_width 21' 'pri_offset on'; do
		copy_demo
		read -r attribute value <<<"$attribute"
		echo "$value" >"$vf/vfcap/$attribute"
		for command in list status; do
			[[ $command$attribute != list*_width && $command$attribute != list*_shown ]] || continue # it asks for offsets alone
			split vfcap --sysroot "$dir" "$command" 3b:01.4
			assert_failed_read "vfcap/$attribute" 'Not a value that it can have'
		done
	done
}

@test "what could not be decided is failed, and not said to be, or to become, anything" {
	local command description=$BATS_TEST_TMPDIR/description
	echo '{"vfcap":1,"plan":[{"address":"3b:00.0","placements":[{"name":"PASID"}]}]}' >"$description"
	copy_demo
	echo 0x40 >"$vf/vfcap/pasid_offset"
	for command in 'enable --dry-run 3b:00.0' 'disable --dry-run 3b:00.0' "apply --check $description"; do
		# shellcheck disable=SC2086 # words
		split vfcap --sysroot "$dir" $command
		assert_failed_read vfcap/pasid_offset 'Not a value that it can have'
		assert_line '  failed'
		refute_output --regexp 'nothing is emulated|would be done|differs|failed:'
		# In JSON, the first four VFs were decided about, and the others were not.
		# shellcheck disable=SC2086
		split vfcap --sysroot "$dir" --json $command
		assert_equal "$(jq -c '[.results[] | select(has("numvfs") | not) | .result] | unique' <<<"$output")" '["failed"]'
		assert_equal "$(jq -c '[.results[] | select(has("configured")) | .address[11:]]' <<<"$output")" '["0","1","2","3"]'
		[[ $command != *--check* ]] ||
			assert_equal "$(jq -c '[.results[] | select(has("drift")) | .address[11:]]' <<<"$output")" '["0","1","2","3"]'
	done
}

@test "links that lead nowhere are an incomplete capture" {
	local command
	copy_demo
	rm "$dir/$devices/0000:3b:01.4"
	ln -s ../../../devices/gone "$dir/$devices/0000:3b:01.4"
	for command in 'list 3b:01.5' 'plan 3b:01.5'; do
		# shellcheck disable=SC2086 # words
		split vfcap --sysroot "$dir" $command
		assert_failed_read "$dir/$devices/0000:3b:01.4" 'A link that leads nowhere: the capture is incomplete'
		assert_output --partial 3b:01.5
	done
	rm -r "$dir/sys/devices"
	for command in list status plan doctor; do
		split vfcap --sysroot "$dir" $command
		assert_refusal 1 "$dir/$devices/0000:00:00.0: A link that leads nowhere: the capture is incomplete"
	done
}

# The demo host as a dump, of which a function lacks rows.
without() { # ADDRESS ROW...
	local rows
	rows=$(printf '%s|' "${@:2}")
	"$VFCAP_BUILD/mkhost" --dump "$VFCAP_SOURCE/share/demo.host" |
		awk -v address="$1" -v rows="^(${rows%|}): " '/^[0-9a-f]+:[0-9a-f]+:[0-9a-f]+[.]/ { mine = $1 == address }
			!(mine && $0 ~ rows)' >"$BATS_TEST_TMPDIR/dump"
}

@test "rows that a dump lacks are named, and a candidate among them loses" {
	local dump=$BATS_TEST_TMPDIR/dump
	without 0000:3b:01.4 1d0
	split vfcap -F "$dump" plan --json 3b:01.4
	assert_success
	[[ $stderr == "vfcap: $dump:"*": 0000:3b:01.4: bytes 0x1d0..0x1df are missing" ]] || fail "stderr: $stderr"
	assert_equal "$(jq -c '.plan[0] | [.placements[] | select(.name == "PASID") | .rule] + [.considered[] | select(.name == "PASID") | .code]' <<<"$output")" \
		'["after-last","unreadable"]'
	without 0000:3b:01.4 800
	split vfcap -F "$dump" plan 3b:01.4
	assert_success
	[[ $stderr == *": 0000:3b:01.4: bytes 0x800..0x80f are missing" ]] || fail "stderr: $stderr"
	without 0000:3b:00.0 1c0 900
	split vfcap -F "$dump" plan 3b:01.4
	assert_equal "$status" 3
	[[ $stderr == *": 0000:3b:00.0: bytes 0x1c0..0x1cf and others are missing" ]] || fail "stderr: $stderr"
	without 0000:3b:01.4 '1[d-f]0' '[2-9a-f][0-9a-f]0'
	split vfcap -F "$dump" list 3b:01.4
	[[ $stderr == *": 0000:3b:01.4: bytes 0x1d0..0xfff are missing" ]] || fail "stderr: $stderr"
}
