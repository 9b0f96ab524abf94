#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What `make install` leaves is whole, can be built against, and goes again.

prefix=/opt/vfcap

setup_file() {
	export DEST=$BATS_FILE_TMPDIR/root
	make_ install
}

setup() {
	bats_load_library bats-support
	bats_load_library bats-assert
	bats_load_library bats-file
	lib=$DEST$prefix/lib headers=$DEST$prefix/include/vfcap
}

# A build of its own: the prefix is compiled in, and sanitizers do not belong into what is installed.
make_() {
	MAKEFLAGS='' make -s -C "$VFCAP_SOURCE" O="$VFCAP_BUILD/installed" SAN= PREFIX=$prefix DESTDIR="$DEST" "$@"
}

# Builds the example like a stranger would: [--static] and nothing but what pkg-config says.
build_example() {
	local flags
	flags=$(PKG_CONFIG_PATH=$lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$DEST \
		"${PKG_CONFIG:-pkg-config}" "$@" --cflags --libs vfcap)
	[ "${1-}" != --static ] || flags=${flags/-lvfcap/-l:libvfcap.a}
	# shellcheck disable=SC2086 # flags are words
	"${CC:-cc}" -Wall -Wextra -Werror -o "$BATS_TEST_TMPDIR/example" \
		"$VFCAP_SOURCE/tests/install/example.c" $flags
}

# The same lines from the tool: address, chain, placements.
expected() {
	"$DEST$prefix/bin/vfcap" "$@" --json show |
		jq -r '.functions[] | select(.role == "vf") | .address + "\t" +
			([.chain[]? | "\(.offset):\(.id)"] | join(" "))' >"$BATS_TEST_TMPDIR/show"
	"$DEST$prefix/bin/vfcap" "$@" --json plan '*' |
		jq -r '.plan[] | .address + "\t" + ([.placements[] | "\(.offset):\(.id)"] | join(" "))' >"$BATS_TEST_TMPDIR/plan"
	join -t $'\t' "$BATS_TEST_TMPDIR/show" "$BATS_TEST_TMPDIR/plan" | awk -F '\t' '
		{
			printf "%s", $1
			for (part = 2; part <= 3; part++) {
				n = split($part, caps, " ")
				for (i = 1; i <= n; i++) {
					split(caps[i], c, ":")
					printf " %s%03x:%02x", part == 3 ? "+" : "", c[1], c[2]
				}
			}
			print ""
		}'
}

# Functions that the installed headers declare, inline ones left out.
declared() {
	"${CC:-cc}" -E -P "$headers/libvfcap.h" | tr '\n' ' ' |
		sed -e ':again; s/{[^{}]*}/;/; t again' -e 's/extern "C"//g' | tr ';' '\n' |
		grep -vE '^ *(static|typedef)' | grep -oE '\bvfcap_[a-z0-9_]+ ?\(' | tr -d ' (' | sort -u
}

@test "the installed tool runs and finds its demo host" {
	run "$DEST$prefix/bin/vfcap" --version
	assert_success
	assert_output "vfcap $VFCAP_VERSION"
	run "$DEST$prefix/bin/vfcap" --demo -n -r -o ADDRESS list
	assert_success
	assert_output
}

@test "the example builds against the shared library and agrees with the tool" {
	build_example
	run readelf -d "$BATS_TEST_TMPDIR/example"
	assert_output --partial 'libvfcap.so.0'
	expected --demo >"$BATS_TEST_TMPDIR/expected"
	LD_LIBRARY_PATH=$lib run "$BATS_TEST_TMPDIR/example" "$DEST$prefix/share/vfcap/demo"
	assert_success
	assert_output "$(cat "$BATS_TEST_TMPDIR/expected")"
	assert_output --partial ' +'
}

@test "the example builds against the static library and reads a dump" {
	build_example --static
	run readelf -d "$BATS_TEST_TMPDIR/example"
	refute_output --partial 'libvfcap.so'
	expected -F "$VFCAP_SOURCE/tests/fixtures/igb.lspci" >"$BATS_TEST_TMPDIR/expected"
	run "$BATS_TEST_TMPDIR/example" "$VFCAP_SOURCE/tests/fixtures/igb.lspci"
	assert_success
	assert_output "$(cat "$BATS_TEST_TMPDIR/expected")"
	assert_output
}

@test "the headers compile alone and as C++" {
	local header
	for header in "$headers"/*.h; do
		"${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -fsyntax-only -x c -include "$header" /dev/null
		! command -v c++ || c++ -Wall -Wextra -Werror -fsyntax-only -x c++ -include "$header" /dev/null
	done
}

@test "what the headers declare is what the library exports" {
	run diff <(declared) <(nm -D --defined-only "$lib/libvfcap.so" |
		awk '$2 == "T" { sub(/@.*/, "", $3); print $3 }' | sort)
	assert_success
	[ "$(declared | wc -l)" -gt 50 ]
}

@test "every exported symbol has a version" {
	run bash -c "nm -D --defined-only '$lib/libvfcap.so' | awk '\$2 == \"T\"' | grep -v '@@VFCAP_0'"
	refute_output
}

# A comment above it or above its group, or at the end of its line.
@test "every public function is documented in its header" {
	local name undocumented=()
	for name in $(declared); do
		awk -v name="$name" '
			/^$/ { comment = 0 }
			/\/\*/ { comment = 1 }
			/^[a-z].*\(/ && !/^static/ && match($0, "[ *]" name "\\(") { ok = comment || /\*\/$/; found = 1 }
			END { exit !(found && ok) }' "$headers"/*.h || undocumented+=("$name")
	done
	run echo "${undocumented[@]}"
	assert_output ''
}

@test "libvfcap(3) names every public function, and its example is the one tested here" {
	local name missing=() page=$DEST$prefix/share/man/man3/libvfcap.3
	for name in $(declared); do
		grep -q "\b$name\b" <(tr -d '\\' <"$page") || missing+=("$name")
	done
	run echo "${missing[@]}"
	assert_output ''
	run diff <(sed '1,/^# EXAMPLE/d' "$VFCAP_SOURCE/man/libvfcap.3.scd" |
		sed -n '/^```$/,/^```$/{/^```$/d;p}') "$VFCAP_SOURCE/tests/install/example.c"
	assert_success
}

@test "the packages of Debian are of this version" {
	run sed -n '1s/^vfcap (\(.*\)) .*/\1/p' "$VFCAP_SOURCE/debian/changelog"
	assert_output "$VFCAP_VERSION"
}

# systemd looks for what they start, which is below DEST.
@test "systemd finds no fault in the units, and they expose little" {
	command -v systemd-analyze >/dev/null || skip 'no systemd-analyze here'
	local unit
	for unit in vfcap-apply.service vfcap-apply@.service; do
		sed "s|^ExecStart=|&$DEST|" "$lib/systemd/system/$unit" >"$BATS_TEST_TMPDIR/$unit"
		run grep -c "^ExecStart=$DEST" "$BATS_TEST_TMPDIR/$unit"
		assert_output 1
		run systemd-analyze verify --man=no "$BATS_TEST_TMPDIR/$unit"
		refute_output --partial vfcap
		run systemd-analyze security --offline=true --no-pager --threshold=45 "$BATS_TEST_TMPDIR/$unit"
		assert_success
	done
}

@test "both units have one sandbox, whole" {
	local unit
	for unit in vfcap-apply.service vfcap-apply@.service; do
		run diff <(sed '/^# What vfcap has no use for/,/^$/!d; /^$/d' "$lib/systemd/system/$unit") \
			<(tail -n +2 "$VFCAP_SOURCE/contrib/systemd/sandbox")
		assert_success
		run grep -E '@[A-Z]+@' "$lib/systemd/system/$unit"
		assert_failure
	done
}

@test "the Ansible role is installed as it is" {
	run diff -r "$VFCAP_SOURCE/contrib/ansible" "$DEST$prefix/share/vfcap/ansible"
	assert_success
	assert_output ''
}

@test "uninstall leaves nothing" {
	run find "$DEST" -type f
	assert_output
	make_ uninstall
	run find "$DEST" ! -type d
	refute_output
	run find "$DEST" -type d -name '*vfcap*' ! -path "$DEST$prefix"
	refute_output
}
