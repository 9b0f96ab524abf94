#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Files of a system that cannot be read, have no end, or are none: named, soon, and never taken for empty ones.
load common

bats_require_minimum_version 1.5.0

# LeakSanitizer cannot look at a program that is traced.
export ASAN_OPTIONS=detect_leaks=0

setup() {
	dir=$BATS_TEST_TMPDIR/host
	cp -R "$demo" "$dir"
	modules=lib/modules/6.12.48-amd64
	file=$BATS_TEST_TMPDIR/description
	echo '{"vfcap":1,"pfs":[{"address":"ens1f0","numvfs":8}]}' >"$file"
}

# A description of 8 VFs for ens1f0 is compared; the first such system call on a path under the root fails.
faulty() { # SYSCALL ERRNO PATH
	need_strace
	split strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e "trace=$1" -P "$3" -P "$dir/$3" -e "inject=$1:error=$2:when=1" \
		"$VFCAP" --sysroot "$dir" apply --check "$file"
	grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || fail "$1 of $3 did not fail: it was not made"
}

# The PF's row failed, for want of that object.
assert_not_known() { # PATH WHY
	assert_equal "$status" 1
	# shellcheck disable=SC2154 # run --separate-stderr sets it
	assert_equal "$stderr" "vfcap: 0000:3b:00.0: who else sets its number of VFs is not known: /$1: $2"
}

# Memory is short, but where a sanitizer's shadow wants all there is.
bounded() { # ARGUMENT...
	# shellcheck disable=SC2016 # expanded by the inner shell
	split timeout 60 bash -c '[ -n "${SAN-}" ] || ulimit -v 400000; exec "$@"' _ "$VFCAP" "$@"
}

# Exit status 1, and a line that names the file and why.
assert_names() { # PATH WHY
	assert_equal "$status" 1
	# shellcheck disable=SC2154 # run --separate-stderr sets it
	[[ $output$stderr == *"$1: $2"* ]] || fail "stderr: $stderr"
}

@test "files of those who set the number of VFs: each is read, or nothing is said of them" {
	local path errno why
	for path in etc/NetworkManager/system-connections/a etc/netplan/1.yaml etc/systemd/network/1.link \
		etc/sriov-operator/pci/0000:3b:00.0 etc/sriov-operator/a.yaml; do
		mkdir -p "$dir/${path%/*}"
		echo '# nothing' >"$dir/$path"
		while read -r errno why; do
			[ "$errno" = EIO ] || [ "$path" = etc/netplan/1.yaml ] || continue
			faulty openat2 "$errno" "${path%/*}"
			assert_not_known "${path%/*}" "$why"
			faulty openat2 "$errno" "$path"
			assert_not_known "$path" "$why"
			faulty pread64 "$errno" "$path"
			assert_not_known "$path" "$why"
		done <<-'END'
			EIO Input/output error
			EMFILE Too many open files
			ENOMEM Cannot allocate memory
			EACCES Permission denied
		END
		faulty getdents64 EIO "${path%/*}"
		assert_not_known "${path%/*}" 'Input/output error'
		faulty openat2 ENOENT "$path" # it went since it was listed
		assert_equal "$status" 0
		rm -r "${dir:?}/$path"
	done
}

@test "files of those who set the number of VFs: a directory among them is none" {
	mkdir -p "$dir/etc/NetworkManager/system-connections/old" "$dir/etc/netplan/old.yaml" "$dir/etc/sriov-operator/pci/old"
	split vfcap --sysroot "$dir" apply --check "$file"
	assert_equal "$status" 0
	assert_equal "$stderr" ''
}

@test "files of those who set the number of VFs: lines have any length, sections their whole names" {
	local far
	far=$(printf '%2000s')
	mkdir -p "$dir/etc/netplan" "$dir/etc/systemd/network" "$dir/etc/NetworkManager/system-connections"
	printf '%s\n' 'network:' '  ethernets:' "    ens1f0: {dhcp4: true,$far virtual-function-count: 8}" >"$dir/etc/netplan/a.yaml"
	run vfcap --sysroot "$dir" apply --check "$file"
	assert_failure 3
	assert_output --partial '/etc/netplan/a.yaml:3: ens1f0'
	# What is another interface's stays that of another one, behind any column.
	printf '%s\n' 'network:' '  ethernets:' "    # $far" "    eth0: {dhcp4: true,$far${far# } virtual-function-count: 8}" >"$dir/etc/netplan/a.yaml"
	run vfcap --sysroot "$dir" apply --check "$file"
	assert_success
	printf '%s\n' '[Match]' "OriginalName=${far// /x } ens1f0" '[Link]' 'SR-IOVVirtualFunctions=8' >"$dir/etc/systemd/network/a.link"
	run vfcap --sysroot "$dir" apply --check "$file"
	assert_failure 3
	assert_output --partial '/etc/systemd/network/a.link:4'
	rm "$dir/etc/systemd/network/a.link"
	printf '%s\n' '[connection]' interface-name=ens1f0 "[sriov$(printf 'x%.0s' {1..63})]" total-vfs=8 \
		>"$dir/etc/NetworkManager/system-connections/a"
	run vfcap --sysroot "$dir" apply --check "$file"
	assert_success
}

@test "texts without an end cost nothing, and are named" {
	local path
	for path in "$modules/modules.dep" "$modules/modules.builtin" "$modules/modules.symbols" boot/config-6.12.48-amd64; do
		mkdir -p "$dir/${path%/*}"
		mv "$dir/$path" "$BATS_TEST_TMPDIR/whole" || :
		truncate -s 3G "$dir/$path"
		bounded --sysroot "$dir" doctor
		assert_names "$path" 'File too large'
		rm "$dir/$path"
		mv "$BATS_TEST_TMPDIR/whole" "$dir/$path" || :
	done
	for path in etc/netplan/a.yaml etc/systemd/network/a.link etc/NetworkManager/system-connections/a etc/sriov-operator/a.json; do
		mkdir -p "$dir/${path%/*}"
		truncate -s 3G "$dir/$path"
		bounded --sysroot "$dir" apply --check "$file"
		assert_names "$path" 'File too large'
		rm "$dir/$path"
	done
	truncate -s 3G "$dir/$modules/modules.alias"
	bounded --sysroot "$dir" enable --dry-run 3b:00.0
	assert_names modules.alias 'File too large'
	rm "$dir/$modules/modules.alias"
	truncate -s 3G "$dir/usr/share/misc/pci.ids"
	bounded --sysroot "$dir" show 3b:00.0
	assert_names usr/share/misc/pci.ids 'File too large'
}

@test "a list that cannot be read does not say that a module is not there" {
	local path
	sed -i '/vfio_iommu_type1/d' "$dir/$modules/modules.dep"
	rm -rf "$dir/dev/iommu" "$dir"/sys/module/vfio*
	assert_equal "$(jqc '[.checks[] | select(.id == "vfio-type1") | .result]' vfcap --sysroot "$dir" -j doctor)" '["fail"]'
	mkdir "$dir/$modules/modules.builtin"
	split vfcap --sysroot "$dir" -j doctor
	assert_equal "$(jq -c '[.checks[] | select(.id == "vfio-type1") | .result]' <<<"$output")" '["unknown"]'
	assert_names "$modules/modules.builtin" 'Is a directory'
}

@test "FIFOs where files are expected hold nothing up" {
	local path
	for path in usr/share/misc/pci.ids "$modules/modules.dep" boot/config-6.12.48-amd64 etc/netplan/a.yaml \
		sys/class/iommu/dmar0/intel-iommu/ecap; do
		mkdir -p "$dir/${path%/*}"
		mv "$dir/$path" "$BATS_TEST_TMPDIR/whole" || :
		mkfifo "$dir/$path"
		case $path in
		usr/*) bounded --sysroot "$dir" show 3b:00.0 ;;
		etc/*) bounded --sysroot "$dir" apply --check "$file" ;;
		*) bounded --sysroot "$dir" doctor ;;
		esac
		assert_names "$path" 'Not a regular file'
		if [[ $path == */ecap ]]; then
			bounded --sysroot "$dir" plan 3b:00.0/vf0
			assert_names 'IOMMU dmar0' 'Not a regular file'
		fi
		rm "$dir/$path"
		mv "$BATS_TEST_TMPDIR/whole" "$dir/$path" || :
	done
}

@test "names come from a root's own pci.ids" {
	sed -i 's/^8086  .*/8086  Intel of this root/' "$dir/usr/share/misc/pci.ids"
	run vfcap --sysroot "$dir" show 3b:00.0
	assert_success
	assert_output --partial 'ice  Intel of this root Ethernet'
}

@test "a pci.ids that is none costs the names, and no more" {
	head -c 71680 /dev/zero | tr '\0' A >"$dir/usr/share/misc/pci.ids"
	split vfcap --sysroot "$dir" show 3b:00.0
	assert_equal "$status" 0
	[[ $stderr == "vfcap: pci.ids: "*"devices have no names" ]] || fail "stderr: $stderr"
}
