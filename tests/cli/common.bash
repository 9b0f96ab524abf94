# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests of the command line share. VFCAP is the program, VFCAP_BUILD where mkhost and the demo host are.
bats_load_library bats-support
bats_load_library bats-assert

# shellcheck disable=SC2034 # for the tests
demo=$VFCAP_BUILD/demo

# A host of tests/hosts as a sysroot; prints its directory.
host() { # NAME
	local dir=$BATS_FILE_TMPDIR/$1
	[ -d "$dir" ] || "$VFCAP_BUILD/mkhost" "$VFCAP_SOURCE/tests/hosts/$1.host" "$dir" || return
	echo "$dir"
}

# The same as text of lspci -xxxx; prints its path.
dump() { # NAME
	local file=$BATS_FILE_TMPDIR/$1.lspci
	"$VFCAP_BUILD/mkhost" --dump "$VFCAP_SOURCE/tests/hosts/$1.host" >"$file" || return
	echo "$file"
}

vfcap() {
	"$VFCAP" "$@"
}

# Runs the program on a terminal; a root without /dev/pts has none to give.
on_terminal() { # ARGUMENT...
	script -qec true /dev/null >/dev/null 2>&1 || skip 'no pseudo-terminals here'
	run script -qec "$VFCAP $*" /dev/null
}

# Runs a command with standard output and error apart: $output and $stderr.
split() {
	run --separate-stderr "$@"
}

# One line on standard error, nothing on standard output, and that exit status.
assert_refusal() { # STATUS TEXT
	assert_equal "$status" "$1"
	assert_output ''
	# shellcheck disable=SC2154 # run --separate-stderr sets it
	assert_equal "$(printf '%s\n' "$stderr" | wc -l)" 1
	[[ $stderr == "vfcap: "*"$2"* ]] || fail "stderr: $stderr"
}

# What pci.ids calls a device differs from host to host: golden files have no such names.
nameless() {
	awk -F '  ' '
		$2 ~ /^[0-9a-f]+:[0-9a-f]+$/ && NF > 4 { print $1 "  " $2 "  " $3 "  " $4; next }
		/^(PF|VF|fn)  / { print $1 "  " $2 "  " $3; next }
		{ print }'
}

# Compares a command's output with a file that was looked at; VFCAP_GOLDEN=write writes it anew.
assert_golden() { # NAME COMMAND...
	local file=$VFCAP_SOURCE/tests/cli/golden/$1 have
	shift
	have=$("$@" | nameless)
	[ "${VFCAP_GOLDEN-}" != write ] || printf '%s\n' "$have" >"$file"
	diff -u "$file" - <<<"$have" || fail "not as in golden/${file##*/}"
}

# The first answer of jq to a filter, in one line.
jqc() { # FILTER COMMAND...
	"${@:2}" | jq -c "$1"
}

# Runs vfcap over a root; the first such system call on a path fails. The path is one that the program gives.
need_strace() {
	command -v strace >/dev/null || skip 'no strace'
}
faulty_in() { # ROOT SYSCALL ERRNO PATH ARGUMENT...
	need_strace
	# LeakSanitizer cannot look at a program that is traced.
	split env ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e "trace=$2" -P "$4" \
		-e "inject=$2:error=$3:when=1" "$VFCAP" --sysroot "$1" "${@:5}"
	grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || fail "$2 of $4 did not fail: it was not made"
}

faulty() { # SYSCALL ERRNO PATH ARGUMENT...
	faulty_in "$demo" "$@"
}
