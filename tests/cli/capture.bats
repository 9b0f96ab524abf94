#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# A host as one file: the answers over it are those over the host.

bats_require_minimum_version 1.5.0

setup() {
	load common
	# Nothing is unpacked: nothing may stay here.
	export TMPDIR=$BATS_TEST_TMPDIR/tmp
	mkdir "$TMPDIR"
	file=$BATS_TEST_TMPDIR/host.tar
}

teardown() {
	[ -z "$(ls -A "$TMPDIR")" ] || fail "left behind: $(ls -A "$TMPDIR")"
}

# The same question to the host and to what was captured of it: the same answer.
same_answer() { # SYSROOT OPTION CAPTURE ARGUMENT...
	local host=$1 option=$2 capture=$3 before=0 after=0
	shift 3
	vfcap -q --sysroot "$host" --json "$@" >"$BATS_TEST_TMPDIR/host" 2>/dev/null || before=$?
	vfcap -q "$option" "$capture" --json "$@" >"$BATS_TEST_TMPDIR/capture" 2>/dev/null || after=$?
	assert_equal "$*: $after" "$*: $before"
	cmp "$BATS_TEST_TMPDIR/host" "$BATS_TEST_TMPDIR/capture" || fail "$host: $option: $*"
}

same_answers() { # SYSROOT CAPTURE
	local command
	same_answer "$1" --from "$2" list --all
	for command in list show plan diff status; do
		same_answer "$1" --sysroot "$2" $command
	done
	for command in map 'enable --dry-run'; do
		# shellcheck disable=SC2086 # words
		same_answer "$1" --sysroot "$2" $command '*'
	done
}

@test "a capture gives the answers of the host: the demo host" {
	vfcap -q --demo capture --with-serials "$file"
	same_answers "$demo" "$file"
}

@test "a capture gives the answers of the host: every host of the tests" {
	local spec name n=0
	for spec in "$VFCAP_SOURCE"/tests/hosts/*.host; do
		name=$(basename "$spec" .host)
		host "$name" >/dev/null
		vfcap -q --sysroot "$BATS_FILE_TMPDIR/$name" capture --with-serials "$BATS_TEST_TMPDIR/$name.tar"
		same_answers "$BATS_FILE_TMPDIR/$name" "$BATS_TEST_TMPDIR/$name.tar"
		n=$((n + 1))
	done
	[ $n -ge 12 ]
}

@test "a capture of a capture is that capture" {
	vfcap -q --demo capture "$file"
	vfcap -q --sysroot "$file" capture "$file.2"
	cmp "$file" "$file.2"
	vfcap -q --from "$file" capture "$file.3"
	cmp "$file" "$file.3"
}

@test "tar(1) reads it, and what it unpacks is a sysroot" {
	mkdir "$BATS_TEST_TMPDIR/unpacked"
	vfcap -q --demo capture --with-serials "$file"
	tar -C "$BATS_TEST_TMPDIR/unpacked" -xf "$file"
	assert_equal "$(vfcap -j --sysroot "$BATS_TEST_TMPDIR/unpacked" list --all)" "$(vfcap -j --demo list --all)"
	# and back again, as people pack
	tar -C "$BATS_TEST_TMPDIR/unpacked" -cf "$file.2" .
	assert_equal "$(vfcap -j --sysroot "$file.2" list --all)" "$(vfcap -j --demo list --all)"
}

@test "names that are longer than a header has room for" {
	local spec=$BATS_TEST_TMPDIR/deep.host i
	for i in 1 2 3 4 5 6 7 8 9 a b c d; do
		printf 'bridge 0000:%02x:00.0 8086:352a %02x\n' $((0x$i - 1)) $((0x$i))
	done >"$spec"
	printf 'function 0000:0d:00.0 8086:10fb driver ixgbe netdev eth7\ncap 100 AER\nsriov 160 8 2 8 2 10ed\nvfs 0-1\n' >>"$spec"
	"$VFCAP_BUILD/mkhost" "$spec" "$BATS_TEST_TMPDIR/deep"
	vfcap --sysroot "$BATS_TEST_TMPDIR/deep" capture --with-serials "$file"
	same_answers "$BATS_TEST_TMPDIR/deep" "$file"
	tar -tf "$file" | grep -qE '^.{160,}$'
	tar -C "$TMPDIR" -xf "$file"
	assert_equal "$(vfcap -j --sysroot "$TMPDIR" list)" "$(vfcap -j --sysroot "$file" list)"
	rm -r "$TMPDIR" && mkdir "$TMPDIR"
}

@test "serial numbers and MAC addresses are blanked, unless asked for" {
	run vfcap -q --demo capture "$file"
	assert_output --regexp 'host.tar: 38 functions, .* KiB; blanked: 2 serial numbers, 7 MAC addresses'
	run vfcap -j --from "$file" show 0000:81:00.0
	assert_equal "$(jqc '[.functions[].chain[] | select(.id == 3) | .registers[].value]' vfcap -j --from "$file" show 0000:81:00.0)" '[0]'
	refute [ "$(jqc '[.functions[].chain[] | select(.id == 3) | .registers[].value]' vfcap -j --demo show 0000:81:00.0)" = '[0]' ]
	! tar -xOf "$file" --wildcards '*/address' | grep -v '^00:00:00:00:00:00$' || fail 'a MAC address'
	run vfcap -q --demo capture --with-serials "$file.2"
	assert_output --partial 'serial numbers and MAC addresses are in it'
	tar -xOf "$file.2" --wildcards '*/address' | grep -q '^02:'
	# What else it has are places, not contents.
	assert_equal "$(jqc '[.plan[].placements]' vfcap -qj --from "$file" plan)" "$(jqc '[.plan[].placements]' vfcap -qj --demo plan)"
}

@test "what a capture tells as JSON" {
	assert_equal "$(jqc '.capture[0] | del(.file, .bytes, .files)' vfcap -qj --demo capture "$file")" \
		'{"functions":38,"without_config":1,"short_config":0,"blanked":{"serials":2,"macs":7}}'
}

@test "a capture is packed by its name" {
	local name
	vfcap -q --demo capture "$file"
	for name in host.tar.gz host.tgz; do
		run jqc '.capture[0].bytes' vfcap -qj --demo capture "$BATS_TEST_TMPDIR/$name"
		assert_output "$(stat -c %s "$BATS_TEST_TMPDIR/$name")"
		gunzip -c "$BATS_TEST_TMPDIR/$name" | cmp - "$file"
		[ "$output" -lt 20000 ]
		vfcap -q --sysroot "$BATS_TEST_TMPDIR/$name" capture "$BATS_TEST_TMPDIR/again.gz"
		cmp "$BATS_TEST_TMPDIR/$name" "$BATS_TEST_TMPDIR/again.gz"
		rm "$BATS_TEST_TMPDIR/again.gz"
		# a full disk
		run bash -c 'trap "" XFSZ; ulimit -f 4; "$VFCAP" -q --demo capture "$1"' - "$BATS_TEST_TMPDIR/full.$name"
		assert_failure 1
		assert_output "vfcap: $BATS_TEST_TMPDIR/full.$name: File too large"
		[ ! -e "$BATS_TEST_TMPDIR/full.$name" ]
	done
	rm "$file.gz"
	run vfcap -q --demo capture "$file.gz"
	assert_output --regexp 'host.tar.gz: 38 functions, [0-9]+ KiB; blanked: 2 serial numbers, 7 MAC addresses'
}

@test "standard output" {
	vfcap -q --demo capture - >"$file"
	vfcap -q --demo capture "$file.2"
	cmp "$file" "$file.2"
	split vfcap --demo -j capture -
	assert_refusal 2 'standard output is taken'
	run bash -c '"$VFCAP" -q --demo capture - >/dev/full'
	assert_failure 1
	assert_output 'vfcap: standard output: No space left on device'
}

@test "the file is its owner's alone, replaces none, and is whole or not there" {
	umask 0
	vfcap -q --demo capture "$file"
	assert_equal "$(stat -c %a "$file")" 600
	split vfcap -q --demo capture "$file"
	assert_refusal 1 'host.tar: is there already'
	ln -s "$file.2" "$BATS_TEST_TMPDIR/link"
	split vfcap -q --demo capture "$BATS_TEST_TMPDIR/link"
	assert_refusal 1 'link: is there already'
	split vfcap -q --demo capture "$BATS_TEST_TMPDIR/no/such"
	assert_refusal 1 'no/such: No such file or directory'
	# A limit of file size is a full disk.
	run bash -c 'trap "" XFSZ; ulimit -f 100; "$VFCAP" -q --demo capture "$1"' - "$file.3"
	assert_failure 1
	assert_output "vfcap: $file.3: File too large"
	[ ! -e "$file.3" ]
}

# One read fails while the demo host is captured, of a path as the program or the kernel has it.
faulty_capture() { # SYSCALL ERRNO PATH
	ASAN_OPTIONS=detect_leaks=0 split strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e "trace=$1" -P "$3" \
		-e "inject=$1:error=$2:when=1" "$VFCAP" -q --sysroot "$demo" capture "$file"
	grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || fail "$1 of $3 did not fail: it was not made"
}

@test "a read that fails is the end of a capture, and nothing is left of it" {
	need_strace
	local fn=sys/devices/pci0000:00/0000:00:02.0 real call errno path
	real=$(realpath "$demo")
	while read -r call errno path; do
		faulty_capture "$call" "$errno" "$path"
		assert_refusal 1 "${path#"$real/"}: "
		[ ! -e "$file" ] || fail "$call of $path: it is there"
		[ -z "$(find "$BATS_TEST_TMPDIR" -name 'host.tar*')" ] || fail "$call of $path: left behind"
	done <<-END
		openat2 EIO $fn/modalias
		openat2 EMFILE $fn/sriov_drivers_autoprobe
		pread64 EIO $real/$fn/revision
		readlinkat EIO $fn/revision
		newfstatat EIO iommu_group
		openat2 EIO $fn/vfcap
		getdents64 EIO $real/sys/kernel/iommu_groups
		openat2 ENFILE sys/class/vfio
		openat2 EIO proc/cmdline
		pread64 EIO $real/proc/cmdline
	END
}

@test "what may not be read is left out of a capture" {
	need_strace
	local fn=sys/devices/pci0000:00/0000:00:02.0
	faulty_capture openat2 EACCES "$fn/revision"
	assert_success
	tar -tf "$file" "$fn/vendor"
	! tar -tf "$file" "$fn/revision" 2>/dev/null || fail 'it is there'
}

@test "what is no host cannot be captured" {
	split vfcap -F "$(dump many)" capture "$file"
	assert_refusal 1 'many.lspci: it was read from a file'
	split vfcap --demo capture
	assert_refusal 2 'needs a FILE'
	split vfcap --demo capture a b
	assert_refusal 2 'b: capture takes one FILE'
}

@test "what is not read is told" {
	split vfcap --demo capture "$file"
	[[ $stderr == *"left out of 1 function: asleep"* ]] || fail "$stderr"
	split vfcap --demo --wake capture "$file.2"
	assert_equal "$stderr" ''
	assert_equal "$(vfcap --from "$file.2" --wake list -rno SIZE 0000:00:1f.3)" 4096
}

@test "what is no capture, in one line" {
	vfcap -q --demo capture "$file"
	printf '\3757zXZ\0and so on' >"$file.xz"
	split vfcap --sysroot "$file.xz" list
	assert_refusal 1 'host.tar.xz: compressed: unxz it first, and take what comes of it'
	gzip -k "$file"
	head -c 5000 "$file.gz" >"$file.cut.gz"
	split vfcap --sysroot "$file.cut.gz" list
	assert_refusal 1 'host.tar.cut.gz: not a capture of vfcap: it is damaged, or ends too early'
	gzip <"$VFCAP_SOURCE/Makefile" >"$BATS_TEST_TMPDIR/Makefile.gz"
	split vfcap --sysroot "$BATS_TEST_TMPDIR/Makefile.gz" list
	assert_refusal 1 'Makefile.gz: not a capture of vfcap: neither a directory nor an archive'
	split vfcap --sysroot "$VFCAP_SOURCE/Makefile" list
	assert_refusal 1 'Makefile: not a capture of vfcap: neither a directory nor an archive'
	head -c 100000 "$file" >"$file.cut"
	split vfcap --sysroot "$file.cut" list
	assert_refusal 1 'host.tar.cut: not a capture of vfcap: it ends too early'
	tar -C "$VFCAP_SOURCE" -cf "$file.other" Makefile
	split vfcap --sysroot "$file.other" list
	assert_refusal 1 'it does not say so'
	split vfcap --from "$file" --from "$(dump many)" list
	assert_refusal 1 'a captured host, which is read alone'
	split vfcap --from "$file.gz" --from "$(dump many)" list
	assert_refusal 1 'a captured host, which is read alone'
}

@test "a capture that is packed by gzip is read as it is" {
	vfcap -q --demo capture --with-serials "$file"
	gzip -k "$file"
	mv "$file.gz" "$BATS_TEST_TMPDIR/packed" # what it is called does not matter
	same_answers "$demo" "$BATS_TEST_TMPDIR/packed"
	# nor does it, packed in two parts, or through a pipe
	{ head -c 1000 "$file" | gzip && tail -c +1001 "$file" | gzip; } >"$file.2"
	assert_equal "$(vfcap -j --sysroot "$file.2" list --all)" "$(vfcap -j --demo list --all)"
	assert_equal "$(vfcap -j --sysroot <(cat "$file.2") list --all)" "$(vfcap -j --demo list --all)"
	assert_equal "$(cd / && TMPDIR=/nowhere vfcap -j --sysroot "$file.2" list --all)" "$(vfcap -j --demo list --all)"
}

@test "a capture is read in memory: a few system calls, none of which writes a file" {
	need_strace
	[ -z "${SAN-}" ] || skip 'sanitizers make system calls of their own'
	local form calls
	vfcap -q --demo capture "$file"
	gzip -k "$file"
	for form in "$file" "$file.gz"; do
		run -0 strace -f -o "$BATS_TEST_TMPDIR/trace" "$VFCAP" -q --sysroot "$form" list
		calls=$(wc -l <"$BATS_TEST_TMPDIR/trace")
		[ "$calls" -lt 400 ] || fail "$calls system calls"
		! grep -E 'O_WRONLY|O_RDWR|O_CREAT|mkdir|symlink|unlink|rename|rmdir' "$BATS_TEST_TMPDIR/trace" || fail 'it writes'
		assert_equal "$(grep -cF "openat(AT_FDCWD, \"$form\"" "$BATS_TEST_TMPDIR/trace")" 2
	done
}

# 294,000 directories came of this when captures were unpacked.
@test "an archive of many directories that it does not name" {
	local tree=$BATS_TEST_TMPDIR/tree
	mkdir "$tree"
	printf 'vfcap-capture 1\n' >"$tree/vfcap-capture"
	python3 - "$file" "$tree/vfcap-capture" <<-'END'
		import sys, tarfile
		with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
		    tar.add(sys.argv[2], "vfcap-capture")
		    for i in range(600):
		        link = tarfile.TarInfo(f"{i}/" + "d/" * 480 + "l")
		        link.type, link.linkname = tarfile.SYMTYPE, "x"
		        tar.addfile(link)
	END
	gzip -k "$file"
	for form in "$file" "$file.gz"; do
		split vfcap --sysroot "$form" list
		assert_refusal 1 'not a capture of vfcap: directories in it are too deep'
	done
}

@test "a capture has no kernel behind it" {
	vfcap -q --demo capture "$file"
	split vfcap --sysroot "$file" status --repair
	assert_equal "$status" 1
	[[ $stderr == *"host.tar: there is no kernel behind it"* ]] || fail "$stderr"
}

@test "a capture that comes through a pipe" {
	local name pipe=$BATS_TEST_TMPDIR/pipe
	mkfifo "$pipe"
	for name in host.tar host.tgz; do
		vfcap -q --demo capture "$BATS_TEST_TMPDIR/$name"
		split bash -c '"$VFCAP" -F - list <"$1"' - <(cat "$BATS_TEST_TMPDIR/$name")
		assert_refusal 1 'standard input: an archive, which --from reads from a file alone: --sysroot /dev/stdin takes it'
		cat "$BATS_TEST_TMPDIR/$name" >"$pipe" &
		split timeout 10 "$VFCAP" -F "$pipe" list
		assert_refusal 1 "$pipe: an archive, which --from reads from a file alone: --sysroot $pipe takes it"
		split bash -c '"$VFCAP" --sysroot /dev/stdin list <"$1"' - <(cat "$BATS_TEST_TMPDIR/$name")
		assert_success
		assert_output "$(vfcap --demo list)"
	done
}
