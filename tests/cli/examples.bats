#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# Output that documents show is what the program prints.

setup() {
	bats_load_library bats-support
	bats_load_library bats-assert
	cd "$VFCAP_SOURCE" || return
}

# FILE LEAST: its examples are true, and there are at least that many.
assert_examples() {
	run diff -u "$1" <(tests/examples "$1")
	assert_success
	[ "$(grep -c '^\$ vfcap ' "$1")" -ge "$2" ]
}

@test "README" {
	assert_examples README.md 5
}

@test "man pages" {
	local page
	for page in list show diff map plan enable disable status apply; do
		assert_examples "man/vfcap-$page.8.scd" 1
	done
	assert_examples man/vfcap-json.5.scd 2
}

@test "the README's picture" {
	run diff -u docs/map.svg <("$VFCAP" --demo -q map --svg enp94s0f0/vf0)
	assert_success
	grep -q '(docs/map.svg)' README.md
}

@test "files that the README names are there" {
	local file
	for file in $(grep -oE '\]\([^):]+\)' README.md | tr -d ']()'); do
		[ -e "$file" ] || fail "README.md: $file"
	done
}

@test "messages that the README explains are those of the program" {
	local message messages=0
	while read -r message; do
		grep -rqF -- "$message" src/cmd src/lib src/core || fail "README.md: $message"
		messages=$((messages + 1))
	done < <(sed -n '/^## Troubleshooting/,/^## /p' README.md | sed -nE 's/^\| (`[^|]*) \|.*\|.*/\1/p' |
		grep -oE '`[^`]+`' | tr -d '`' | sed 's/ *\.\.\. */\n/g' | grep .)
	[ $messages -ge 8 ]
}

@test "an example that is not true is found" {
	local file=$BATS_TEST_TMPDIR/README.md
	sed 's/^├─0000:5e:00.2 VF   mlx5_core/├─0000:5e:00.2 VF   mlx4_core/' README.md >"$file"
	run diff "$file" <(tests/examples "$file")
	assert_failure
}
