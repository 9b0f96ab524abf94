#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Names that others chose, on their way to a terminal: nothing that it would obey, that reorders what is near it or that
# cannot be seen, no bytes that are no UTF-8, and ASCII alone where the locale has no more.
load common

bats_require_minimum_version 1.5.0

# What is dangerous, a letter between any two.
bad=$'x\xc2\x80x\xc2\x9b31mx\xc2\x9fx\x7f'                                         # C1, DEL
bad+=$'x\xe2\x80\xaax\xe2\x80\xaex\xe2\x81\xa6x\xe2\x81\xa9'                        # embeddings, isolates
bad+=$'x\xe2\x80\x8ex\xe2\x80\x8fx\xd8\x9cx\xe2\x80\xa8x\xe2\x80\xa9x\xef\xbb\xbf' # marks, ends of lines, BOM
bad+=$'x\xe2\x80\x8bx\xf3\xa0\x81\x81x'                                            # what cannot be seen
shown='x?x?31mx?x?x?x?x?x?x?x?x?x?x?x?x?x?x'
invalid=$'x\xc0\xafx\xe0\x80\xafx\xf0\x80\x80\xaf'            # overlong
invalid+=$'x\xed\xa0\x80x\xf4\x90\x80\x80x\xf8\x88\x80\x80\x80' # surrogate, above U+10FFFF
invalid+=$'x\x9bx\xe2\x80x\xc3x'                             # alone, cut off

setup() {
	dir=$BATS_TEST_TMPDIR/host
	"$VFCAP_BUILD/mkhost" "$VFCAP_SOURCE/tests/hosts/none.host" "$dir"
	pf=$dir/sys/bus/pci/devices/0000:01:00.0
}

# Python knows Unicode's categories by itself. Color is ours.
assert_tame() { # FILE
	python3 - "$1" <<-'END'
		import re, sys, unicodedata
		text = open(sys.argv[1], "rb").read().decode("utf-8")
		text = re.sub("\x1b\\[[0-9;]*m", "", text)
		wrong = {hex(ord(c)) for c in text if c not in "\n\t\r" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cn", "Co")}
		sys.exit(" ".join(wrong) or 0)
	END
}

tame() { # ARGUMENT...
	"$VFCAP" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || :
	assert_tame "$BATS_TEST_TMPDIR/out"
	assert_tame "$BATS_TEST_TMPDIR/err"
}

assert_ascii() { # FILE
	! LC_ALL=C grep -nP '[^\x00-\x7f]' "$1"
}

driver() { # NAME
	ln -sfn "../../../bus/pci/drivers/$1" "$pf/driver"
}

@test "names of drivers" {
	driver "$bad"
	tame --sysroot "$dir" list --all
	grep -qF "$shown" "$BATS_TEST_TMPDIR/out"
	tame --sysroot "$dir" show 0000:01:00.0
	grep -qF "$shown" "$BATS_TEST_TMPDIR/out"
	tame -q --sysroot "$dir" map 0000:01:00.0
	tame -q --sysroot "$dir" map --svg 0000:01:00.0
	driver "$invalid"
	tame --sysroot "$dir" list --all
	grep -q 'x?' "$BATS_TEST_TMPDIR/out"
	tame --sysroot "$dir" list --all --raw -o driver
	tame --sysroot "$dir" show 0000:01:00.0
	driver 'Käse→'
	run vfcap --sysroot "$dir" list --all -o driver
	assert_line --partial 'Käse→'
}

@test "names of drivers on a terminal" {
	local name
	for name in "$bad" "$invalid"; do
		driver "$name"
		on_terminal --sysroot "$dir" list --all
		printf '%s\n' "$output" >"$BATS_TEST_TMPDIR/out"
		assert_tame "$BATS_TEST_TMPDIR/out"
		assert_output --partial 'x?x?'
	done
}

@test "JSON is valid, exact where a name is UTF-8, and tame" {
	driver "$bad"
	tame --sysroot "$dir" list --all --json 0000:01:00.0
	assert_equal "$(jq -r '.functions[0].driver' "$BATS_TEST_TMPDIR/out")" "$bad"
	driver "é$invalid"
	tame --sysroot "$dir" list --all --json 0000:01:00.0
	assert_regex "$(jq -r '.functions[0].driver' "$BATS_TEST_TMPDIR/out")" $'^é(x\ufffd+){9}x$'
	driver $'\U1f600é'
	LC_ALL=C tame --sysroot "$dir" list --all --json 0000:01:00.0
	assert_ascii "$BATS_TEST_TMPDIR/out"
	assert_equal "$(jq -r '.functions[0].driver' "$BATS_TEST_TMPDIR/out")" $'\U1f600é'
}

@test "names of netdevs, of pci.ids and of a kernel" {
	local name
	mkdir -p "$dir/sys/class/net" "$dir/usr/share/misc" "$dir/sys/kernel/security"
	for name in "$bad" "$invalid"; do
		ln -s "../../devices/pci0000:00/0000:01:00.0/net/$name" "$dir/sys/class/net/$name"
		printf '8086  Vendor%sx\n\t1572  Device%sx\n' "$name" "$name" >"$dir/usr/share/misc/pci.ids"
		printf 'intel_iommu=on,sm_%s\n' "$name" >"$dir/proc/cmdline"
		printf '[%.20s]\n' "$name" >"$dir/sys/kernel/security/lockdown"
		tame --sysroot "$dir" list --all
		tame --sysroot "$dir" list --all --json
		jq -e . "$BATS_TEST_TMPDIR/out" >/dev/null
		tame --sysroot "$dir" show 0000:01:00.0
		tame --sysroot "$dir" doctor
		tame --sysroot "$dir" doctor --json
		jq -e . "$BATS_TEST_TMPDIR/out" >/dev/null
	done
}

@test "names of processes" {
	local name root
	root=$BATS_TEST_TMPDIR/well
	"$VFCAP_BUILD/mkhost" "$VFCAP_SOURCE/tests/hosts/well.host" "$root"
	mkdir -p "$root/proc/4711/fd" "$root/dev/vfio"
	ln -s /dev/vfio/41 "$root/proc/4711/fd/9"
	touch "$root/dev/vfio/41"
	# A process has 15 bytes for its name.
	for name in $'x\xc2\x9b31m\xe2\x80\xaey' $'x\xc0\xaf\xed\xa0\x80\x9by'; do
		printf '%s\n' "$name" >"$root/proc/4711/comm"
		tame --sysroot "$root" doctor -v
		tame --sysroot "$root" doctor --json
		jq -r '.checks[] | select(.id == "vf-use") | .evidence' "$BATS_TEST_TMPDIR/out" | grep -q '^x.*process 4711'
	done
}

@test "messages have what the locale has" {
	local name
	for name in "$bad" "$invalid"; do
		tame --demo show "$name"
		grep -q 'x?x?' "$BATS_TEST_TMPDIR/err"
		tame --sysroot "$dir/$name" list
		grep -q 'x?x?' "$BATS_TEST_TMPDIR/err"
	done
	tame --demo show 'Käse'
	grep -q 'Käse' "$BATS_TEST_TMPDIR/err"
	LC_ALL=C tame --demo show 'Käse'
	grep -q 'K?se' "$BATS_TEST_TMPDIR/err"
	assert_ascii "$BATS_TEST_TMPDIR/err"
	driver 'Käse→'
	LC_ALL=C tame --sysroot "$dir" list --all
	grep -q 'K?se?' "$BATS_TEST_TMPDIR/out"
	assert_ascii "$BATS_TEST_TMPDIR/out"
}
