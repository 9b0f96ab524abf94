#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What a killed run left and cannot be read: by the real program, whose reads fail by strace's injection. The demo host
# stands for one with a kernel: its sys is said to be a sysfs.
# shellcheck disable=SC2030,SC2031,SC2154 # each test is a subshell; common.bash and run set what is used here

bats_require_minimum_version 1.5.0

boot=6fd3c1b1-0000-4000-8000-0000deadbeef
pf=0000:3b:00.0
sysfs=inject=fstatfs:retval=0:poke_exit=@arg2=7265656200000000

setup() {
	load common
	need_strace
	export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 # it cannot look for leaks of what is traced
	dir=$BATS_TEST_TMPDIR/host
	cp -R "$demo" "$dir"
	mkdir -p "$dir/run" "$dir/proc/sys/kernel/random"
	mkdir -m 700 "$dir/run/vfcap"
	echo $boot >"$dir/proc/sys/kernel/random/boot_id"
	trace=$BATS_TEST_TMPDIR/trace
	undo=$dir/run/vfcap/$pf.undo
	record=$dir/run/vfcap/$pf.record
}

# The program with a kernel behind the host; SYSFS_MAGIC is the first field of struct statfs. With PATHs and an injection,
# calls that are about one of them fail: strace takes a path as it is given to the call, or as a descriptor has it.
kernel() { # [PATH... -- SYSCALL:INJECTION] -- ARGUMENT...
	local options=(-P "$dir/sys")
	if [ "$1" != -- ]; then
		while [ "$1" != -- ]; do
			options+=(-P "$1" -P "${1##*/}")
			shift
		done
		options+=(-e "inject=$2")
		shift 2
	fi
	shift
	timeout 60 strace -f -qq -o "$trace" "${options[@]}" -e "$sysfs" "$VFCAP" --sysroot "$dir" "$@"
}

# One line, which says that of the file; the file and what is in it stay.
assert_stays() { # FILE TEXT COMMAND...
	local before file=$1 text=$2
	before=$(stat -c '%i %s %Y' "$file") || fail "$file is gone"
	split "${@:3}"
	assert_equal "$status" 1
	assert_equal "$stderr" "vfcap: $text"
	assert_equal "$(stat -c '%i %s %Y' "$file")" "$before"
}

log() { # LINE...
	printf '%s\n' "vfcap-undo 1 enable $pf $boot" "$@" >"$undo"
}

@test "repair: a log that cannot be read is not an empty one" {
	local option fault call error what
	log 'override 0000:3b:01.0 - vfcap-vfio-pci' 'bind 0000:3b:01.0 - vfcap-vfio-pci'
	for option in '' --repair; do
		for fault in openat:EIO openat:EMFILE newfstatat:EIO pread64:EIO pread64:ENOMEM pread64:EIO:when=2; do
			IFS=: read -r call error what <<<"$fault"
			split kernel "$undo" -- "$call:error=$error${what:+:$what}" -- status $option ens1f0
			grep -q "$error.*INJECTED" "$trace" || fail "$fault: it does not come to that"
			assert_equal "$status" 1
			[[ $stderr == "vfcap: $pf: /run/vfcap/$pf.undo: "* ]] || fail "$fault: $stderr"
			assert_equal "$(wc -l <<<"$stderr")" 1
			assert_equal "$(wc -l <"$undo")" 3
		done
	done
}

@test "repair: a log that is damaged, cut off or all zeros stays" {
	local refusal="$pf: /run/vfcap/$pf.undo: cannot be understood; look at it, then remove it"
	head -c 300 /dev/zero >"$undo"
	assert_stays "$undo" "$refusal" kernel -- status --repair ens1f0
	: >"$undo"
	assert_stays "$undo" "$refusal" kernel -- status --repair ens1f0
	printf 'vfcap-undo 1 enable' >"$undo"
	assert_stays "$undo" "$refusal" kernel -- status --repair ens1f0
	log 'override 0000:3b:01.0 - vfcap-vfio-pci'
	head -c 64 /dev/zero >>"$undo"
	assert_stays "$undo" "$refusal" kernel -- status --repair ens1f0
	# A step that was not written down as a whole was not made.
	log
	printf 'override 0000:3b:01.0 - vfc' >>"$undo"
	split kernel -- status --repair ens1f0
	assert_equal "$status" 0
	[ ! -e "$undo" ]
}

@test "repair: a log that cannot be understood is something that was left, of every VF of its PF" {
	local option
	echo junk >"$undo"
	for option in '' --repair; do
		split kernel -- status -n -r -o ADDRESS,LEFTOVER $option ens1f0/vf0 0000:5e:00.2
		assert_equal "$status" 1
		assert_line --index 0 '0000:3b:01.0 damaged'
		refute_output --partial '0000:5e:00.2 damaged'
		split kernel -- -j status $option ens1f0/vf0
		assert_equal "$status" 1
		assert_equal "$(jq -c '.status[0].leftover' <<<"$output")" '{"running":false,"damaged":true}'
	done
}

@test "repair: a log or a directory that is something else is named, with what helps" {
	log
	mv "$undo" "$dir/elsewhere"
	ln -s ../../elsewhere "$undo"
	for option in '' --repair; do
		assert_stays "$undo" "$pf: /run/vfcap/$pf.undo: is no regular file; look at it, then remove it" \
			kernel -- status $option ens1f0
	done
	rm "$undo"
	log
	chmod 755 "$dir/run/vfcap"
	for option in '' --repair; do
		assert_stays "$undo" '/run/vfcap: is open to others than root: look at what is there, then chmod 700 /run/vfcap' \
			kernel -- status $option ens1f0
	done
	chmod 700 "$dir/run/vfcap"
	mv "$dir/run/vfcap" "$dir/elsewhere.d"
	ln -s ../elsewhere.d "$dir/run/vfcap"
	for option in '' --repair; do
		split kernel -- status $option ens1f0
		assert_equal "$status" 1
		assert_equal "$stderr" 'vfcap: /run/vfcap: is no directory: look at it, then remove it'
	done
	[ -e "$dir/elsewhere.d/$pf.undo" ]
}

@test "repair: who is not root is not told, and does not fail" {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
	log
	split strace -f -qq -o /dev/null -e inject=geteuid:retval=65534 -e "$sysfs" "$VFCAP" --sysroot "$dir" -j status ens1f0/vf0
	assert_equal "$status" 0
	assert_equal "$stderr" ''
	assert_equal "$(jq '.status[0] | has("leftover")' <<<"$output")" false
	split strace -f -qq -o /dev/null -e inject=geteuid:retval=65534 -e "$sysfs" "$VFCAP" --sysroot "$dir" status --repair ens1f0
	assert_equal "$status" 1
	assert_equal "$stderr" 'vfcap: /run/vfcap: needs root'
}

@test "repair: verify says that only root can know what was enabled" {
	printf '%s\n' "vfcap-record 2 $pf $boot" 'knob 0000:3b:01.4 480 0 0' >"$record"
	split kernel -- verify ens1f0/vf4
	assert_equal "$status" 3
	assert_equal "$stderr" ''
	split strace -f -qq -o /dev/null -e inject=geteuid:retval=65534 -e "$sysfs" "$VFCAP" --sysroot "$dir" verify ens1f0/vf4
	[[ $stderr == "vfcap: 0000:3b:01.4: what was enabled is not known: /run/vfcap: needs root"* ]] || fail "$stderr"
	refute_output --partial changed
	split kernel "$record" -- pread64:error=EIO -- verify ens1f0/vf4
	assert_equal "$status" 1
	assert_equal "$stderr" "vfcap: $pf: /run/vfcap/$pf.record: Input/output error"
}

@test "repair: status says how what was enabled differs, also where the width alone does" {
	local line want
	while IFS=: read -r line want; do
		printf '%s\n' "vfcap-record 2 $pf $boot" "knob 0000:3b:01.4 $line" >"$record"
		split kernel -- status -n -r -o CHANGED ens1f0/vf4
		assert_equal "$status" 0
		assert_output "$want"
	done <<-'END'
		464 0 0:
		464 0 16:PASID@1d0\x20(16\x20bits)
		480 0 0:PASID@1e0
		480 512 16:PASID@1e0,PRI@200\x20(16\x20bits)
	END
	echo 16 >"$dir/sys/bus/pci/devices/0000:3b:01.4/vfcap/pasid_width"
	printf '%s\n' "vfcap-record 2 $pf $boot" 'knob 0000:3b:01.4 464 0 0' >"$record"
	split kernel -- status -n -r -o CHANGED ens1f0/vf4
	assert_output "PASID@1d0\x20(the\x20PF's\x20bits)"
}

@test "repair: a record that cannot be read is not overwritten" {
	log 'override 0000:3b:01.0 - vfcap-vfio-pci' 'unbind 0000:3b:01.0 iavf -' 'bind 0000:3b:01.0 - vfcap-vfio-pci' 'done'
	printf '%s\n' "vfcap-record 1 $pf $boot" 'vf 0000:3b:01.4 iavf -' >"$record"
	before=$(<"$record")
	assert_stays "$undo" "$pf: /run/vfcap/$pf.record: Input/output error" \
		kernel "$record" -- pread64:error=EIO -- status --repair ens1f0
	assert_equal "$(<"$record")" "$before"
	split kernel -- status --repair ens1f0
	assert_equal "$status" 0
	assert_equal "$stderr" "vfcap: $pf: finished enable, which had not ended"
	assert_equal "$(<"$record")" "$before"$'\nvf 0000:3b:01.0 iavf -'
	for command in enable disable; do
		run kernel "$record" -- pread64:error=EIO -- $command --assume-unused ens1f0/vf3-4
		assert_failure 1
		assert_output --partial "/run/vfcap/$pf.record: Input/output error"
		[ ! -e "$undo" ]
	done
}

@test "repair: a boot ID that cannot be read is said" {
	local id=$dir/proc/sys/kernel/random/boot_id
	log 'override 0000:3b:01.0 - vfcap-vfio-pci'
	for option in '' --repair; do
		assert_stays "$undo" '/proc/sys/kernel/random/boot_id: Input/output error' \
			kernel "$id" -- pread64:error=EIO -- status $option ens1f0
	done
	rm "$undo"
	run kernel "$id" -- pread64:error=EIO -- enable --assume-unused ens1f0/vf3
	assert_failure 1
	assert_output --partial '/proc/sys/kernel/random/boot_id: Input/output error'
	[ ! -e "$undo" ]
}

@test "repair: what a later vfcap wrote is not touched" {
	echo "vfcap-undo 2 enable $pf $boot" >"$undo"
	for option in '' --repair; do
		assert_stays "$undo" "$pf: /run/vfcap/$pf.undo: was written by a later vfcap, which has to see to it" \
			kernel -- status $option ens1f0
	done
	rm "$undo"
	echo "vfcap-record 3 $pf $boot" >"$record"
	run kernel -- disable --assume-unused ens1f0/vf4
	assert_failure 1
	assert_output --partial "/run/vfcap/$pf.record: was written by a later vfcap"
	assert_equal "$(<"$record")" "vfcap-record 3 $pf $boot"
}

@test "repair: a FIFO as lock is refused, and nobody waits for it" {
	log
	mkfifo "$dir/run/vfcap/$pf.lock"
	for option in '' --repair; do
		assert_stays "$undo" "$pf: /run/vfcap/$pf.lock: is no regular file; look at it, then remove it" \
			kernel -- status $option ens1f0
	done
}

@test "repair: directories that are made are on the disk before what is written to them" {
	rmdir "$dir/run/vfcap"
	run kernel "$dir/run" -- fsync:error=EIO -- enable --assume-unused ens1f0/vf3
	assert_failure 1
	assert_output --partial '/run/vfcap: Input/output error'
	[ ! -e "$dir/run/vfcap" ]
	mkdir -p "$dir/etc"
	run kernel "$dir/etc" -- fsync:error=EIO -- enable --assume-unused --persist ens1f0/vf3
	assert_failure 1
	assert_output --partial '/etc/vfcap.d: Input/output error'
	[ ! -e "$dir/etc/vfcap.d" ]
}

@test "repair: what is in the way of a file that is written is named" {
	in_the_way() { # PATH COMMAND...
		mkdir -p "$dir/$1.new"
		split kernel -- "${@:2}" ens1f0/vf3
		assert_equal "$status" 1
		[[ $stderr == *"/$1.new: is in the way; look at it, then remove it"* ]] || fail "stderr: $stderr"
		rmdir "$dir/$1.new"
	}
	in_the_way "run/vfcap/$pf.undo" enable --assume-unused
	log 'override 0000:3b:01.0 - vfcap-vfio-pci' 'bind 0000:3b:01.0 - vfcap-vfio-pci' done
	in_the_way "run/vfcap/$pf.record" status --repair
	rm "$undo"
	in_the_way etc/vfcap.d/.try enable --assume-unused --persist
}

@test "repair: a description that cannot be read is named, and so is their directory" {
	mkdir -p "$dir/etc/vfcap.d"
	cp "$VFCAP_SOURCE/tests/fixtures/0.1.0/persisted.json" "$dir/etc/vfcap.d/$pf.json"
	split kernel "$dir/etc/vfcap.d/$pf.json" -- pread64:error=EIO -- apply --check
	assert_equal "$status" 1
	assert_equal "$stderr" "vfcap: /etc/vfcap.d/$pf.json: Input/output error; the file is passed over"
	split kernel "$dir/etc/vfcap.d" -- getdents64:error=EIO -- apply --check
	assert_equal "$status" 1
	assert_equal "$stderr" 'vfcap: /etc/vfcap.d: Input/output error'
}

@test "repair: what 0.1.0 left is read" {
	local fixtures=$VFCAP_SOURCE/tests/fixtures/0.1.0 left name
	for left in 'apply, 13 steps' 'disable, 4 steps' 'enable, done, 6 steps'; do
		name=${left%%,*}
		[[ $left != *done* ]] || name+=-done
		cp "$fixtures/$name.undo" "$undo"
		split vfcap --sysroot "$dir" status ens1f0
		assert_equal "$status" 0
		[[ $stderr == *"has left something ($left): "* ]] || fail "$stderr"
	done
	cp "$fixtures/record" "$record"
	split kernel -- status --repair ens1f0
	assert_equal "$status" 0
	assert_equal "$stderr" "vfcap: $pf: finished enable, which had not ended"
	assert_equal "$(<"$record")" "$(sed 's/record 1/record 2/' "$fixtures/record")
vf 0000:3b:01.0 iavf -
knob 0000:3b:01.0 464 480 16"
	mkdir -p "$dir/etc/vfcap.d"
	cp "$fixtures/persisted.json" "$dir/etc/vfcap.d/$pf.json"
	assert_equal "$(jqc '[.results[] | [.address, .result]]' vfcap -j --sysroot "$dir" apply --check)" \
		'[["0000:3b:00.0","unchanged"],["0000:3b:01.4","unchanged"],["0000:3b:01.5","unchanged"]]'
}

@test "repair: a dry run says what the run would say of what was left" {
	log 'override 0000:3b:01.3 - vfcap-vfio-pci'
	split kernel -- enable --dry-run --assume-unused ens1f0/vf3
	assert_equal "$status" 0
	[[ $stderr == *"$pf: would first take back enable, which has not ended"* ]] || fail "stderr: $stderr"
	echo junk >"$undo"
	for command in enable disable; do
		split kernel -- $command --dry-run --assume-unused ens1f0/vf3
		assert_equal "$status" 1
		[[ $stderr == *"$undo"* || $stderr == *"$pf.undo: cannot be understood"* ]] || fail "stderr: $stderr"
	done
}

@test "repair: what is no boot ID makes no log that of another boot" {
	log 'override 0000:3b:01.0 - vfcap-vfio-pci'
	for id in xyz 6FD3C1B1-0000-4000-8000-0000DEADBEEF "$boot-"; do
		echo "$id" >"$dir/proc/sys/kernel/random/boot_id"
		for option in '' --repair; do
			assert_stays "$undo" '/proc/sys/kernel/random/boot_id: holds no boot ID' \
				kernel -- status $option ens1f0
		done
	done
}

@test "enable settles what was changed to what is wanted" {
	printf 'vfcap-record 2 %s %s\nknob 0000:3b:01.4 480 0 16\n' "$pf" "$boot" >"$record"
	changed() { kernel -- --json status 3b:01.4 | jq -c '.status[0] | [.configured.pasid, .enabled.pasid, .changed]'; }
	assert_equal "$(changed)" '[464,480,true]'
	split kernel -- --json enable --assume-unused 3b:01.4
	assert_equal "$status" 0
	assert_equal "$(jq -c '.results[0] | [.result, .steps]' <<<"$output")" '["unchanged",[]]'
	assert_equal "$(changed)" '[464,464,false]'
}

@test "repair: status names a record that keeps the PF from being changed" {
	echo junk >"$record"
	assert_stays "$record" "$pf: /run/vfcap/$pf.record: cannot be understood; look at it, then remove it" \
		kernel -- status ens1f0
	for knob in '64 0 0' '0 258 0' '0 4084 0' '464 0 21'; do
		printf 'vfcap-record 2 %s %s\nknob 0000:3b:01.4 %s\n' "$pf" "$boot" "$knob" >"$record"
		for command in status 'verify' 'enable --assume-unused'; do
			assert_stays "$record" "$pf: /run/vfcap/$pf.record: cannot be understood; look at it, then remove it" \
				kernel -- $command ens1f0/vf4
		done
	done
	printf 'vfcap-record 3 %s %s\n' "$pf" "$boot" >"$record"
	split kernel -- status ens1f0
	assert_equal "$status" 1
	[[ $stderr == *"$pf.record: was written by a later vfcap"* ]] || fail "stderr: $stderr"
}
