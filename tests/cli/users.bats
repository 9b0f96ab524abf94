#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Who uses a VF, what it is bound to and told to show, where that cannot be read: nothing is taken for an answer.

# shellcheck disable=SC2154 # run and common.bash set them
load common

bats_require_minimum_version 1.5.0

# A copy of the demo host, with a process that has nothing of VFIO open; its directory.
setup() {
	root=$BATS_TEST_TMPDIR/host
	cp -R "$demo" "$root"
	mkdir -p "$root/proc/4711/fd"
	ln -s /dev/null "$root/proc/4711/fd/0"
	vf=0000:3b:01.4 # has a knob
}

# Refused, with the object that could not be read; --assume-unused goes on.
assert_not_taken() { # SYSCALL ERRNO PATH UNREAD
	faulty_in "$root" "${@:1:3}" disable --dry-run "$vf"
	assert_equal "$status" 3
	assert_line "  refused: who uses it cannot be found out ($4); --assume-unused goes on (in-use)"
	faulty_in "$root" "${@:1:3}" disable --dry-run --assume-unused "$vf"
	assert_equal "$status" 0
	assert_line '    unbind from vfcap-vfio-pci'
}

@test "users: processes that cannot be asked may have it open" {
	assert_not_taken openat2 EMFILE proc/4711/fd '/proc/4711/fd: Too many open files'
	assert_not_taken openat2 EACCES proc/4711/fd '/proc/4711/fd: Permission denied'
	assert_not_taken getdents64 EIO "$root/proc/4711/fd" '/proc/4711/fd: Input/output error'
	assert_not_taken readlinkat EACCES "$root/proc/4711/fd" '/proc/4711/fd/0: Permission denied'
	assert_not_taken getdents64 EIO "$root/proc" '/proc: Input/output error'
}

@test "users: want of memory is no answer either, and ends the run as everywhere" {
	faulty_in "$root" openat2 ENOMEM proc/4711/fd disable --dry-run "$vf"
	assert_equal "$status" 1
	assert_line '  refused: who uses it cannot be found out (/proc/4711/fd: Cannot allocate memory); --assume-unused goes on (in-use)'
}

@test "users: a process that ended meanwhile has nothing open" {
	faulty_in "$root" openat2 ENOENT proc/4711/fd disable --dry-run "$vf"
	assert_equal "$status" 0
	faulty_in "$root" readlinkat ENOENT "$root/proc/4711/fd" disable --dry-run "$vf"
	assert_equal "$status" 0
	faulty_in "$root" getdents64 ESRCH "$root/proc/4711/fd" disable --dry-run "$vf"
	assert_equal "$status" 0
}

@test "users: --force does not say that nobody uses it, and who is seen to is not passed over" {
	faulty_in "$root" openat2 EMFILE proc/4711/fd enable --dry-run --force --at pasid=0x200 "$vf"
	assert_equal "$status" 3
	assert_line --partial 'who uses it cannot be found out (/proc/4711/fd: Too many open files)'
	local group
	group=$(vfcap --demo list -n -r -o GROUP "$vf")
	echo qemu >"$root/proc/4711/comm"
	ln -s "/dev/vfio/$group" "$root/proc/4711/fd/1"
	split vfcap --sysroot "$root" disable --dry-run --assume-unused "$vf"
	assert_equal "$status" 3
	assert_line '  refused: qemu (process 4711) holds it through VFIO (in-use)'
}

@test "users: apply asks as enable does" {
	local file=$BATS_TEST_TMPDIR/state.json
	vfcap --demo -j plan --cap pasid --at pasid=0x200 "$vf" >"$file"
	faulty_in "$root" openat2 EMFILE proc/4711/fd apply --dry-run "$file"
	assert_equal "$status" 3
	assert_line --partial 'who uses it cannot be found out (/proc/4711/fd: Too many open files)'
	faulty_in "$root" openat2 EMFILE proc/4711/fd apply --dry-run --assume-unused "$file"
	assert_equal "$status" 0
}

@test "users: an interface that cannot be asked may be up" {
	faulty_in "$root" openat2 EIO sys/bus/pci/devices/0000:3b:01.0/net enable --dry-run 0000:3b:01.0
	assert_equal "$status" 3
	assert_line --partial '(/sys/bus/pci/devices/0000:3b:01.0/net: Input/output error)'
}

@test "status: a knob or a binding that cannot be read is not told as none" {
	local name
	for name in abi pasid_offset pri_offset pasid_width pasid_shown pri_shown state; do
		faulty_in "$root" openat EIO "$name" status "$vf"
		assert_equal "$status" 1
		[[ $output != *"$vf"* ]] || fail "$output"
		assert_equal "$stderr" "vfcap: $vf: vfcap/$name: Input/output error"
	done
	faulty_in "$root" openat EACCES pasid_offset status "$vf"
	assert_equal "$status" 1
	assert_equal "$stderr" "vfcap: $vf: vfcap/pasid_offset: Permission denied"
	faulty_in "$root" openat EIO driver_override status "$vf"
	assert_equal "$status" 1
	assert_equal "$stderr" "vfcap: $vf: driver_override: Input/output error"
	faulty_in "$root" openat EACCES pasid_offset list -n -r -o EMULATED "$vf"
	assert_output '?'
}

@test "enable, disable: a binding that cannot be read fails, and is not taken for none" {
	local name
	for name in driver_override pasid_offset; do
		faulty_in "$root" openat EIO "$name" disable --dry-run "$vf"
		assert_equal "$status" 1
		[[ $stderr == "vfcap: $vf: "*"$name: Input/output error" ]] || fail "$stderr"
	done
	mkdir -p "$root/lib/modules/6.12.48-amd64"
	touch "$root/lib/modules/6.12.48-amd64/modules.alias"
	faulty_in "$root" openat2 EIO lib/modules/6.12.48-amd64/modules.alias enable --dry-run 0000:3b:01.0
	assert_equal "$status" 1
	[[ $stderr == *'/lib/modules/6.12.48-amd64/modules.alias: Input/output error' ]] || fail "$stderr"
}
