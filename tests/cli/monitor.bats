#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What monitor says without anything that happens; that it follows is tested on a kernel, tests/vm/tool-monitor.

bats_require_minimum_version 1.5.0

setup() {
	load common
}

@test "of what is no live host nothing is told" {
	local file=$BATS_TEST_TMPDIR/host.tar
	split vfcap --demo monitor
	assert_refusal 1 'there is no kernel behind it'
	split vfcap --sysroot "$(host many)" monitor
	assert_refusal 1 "$(host many): there is no kernel behind it"
	split vfcap -F "$(dump many)" monitor --initial
	assert_refusal 1 'many.lspci: there is no kernel behind it'
	vfcap -q --demo capture "$file"
	split vfcap -F "$file" monitor
	assert_refusal 1 'host.tar: there is no kernel behind it'
}

@test "numbers that are none" {
	split vfcap monitor --count 0
	assert_refusal 2 '--count 0: a number from 1 to'
	split vfcap monitor --timeout 1s
	assert_refusal 2 '--timeout 1s: a number'
	split vfcap monitor --timeout -1
	assert_refusal 2 '--timeout -1: a number'
	split vfcap monitor --count 99999999999999999999
	assert_refusal 2 'a number from 1 to'
	split vfcap monitor --buffer ''
	assert_refusal 2 '--buffer: its argument ('
}

# Where such messages can be had at all; some containers have none.
need_messages() {
	vfcap monitor --timeout 1 >/dev/null 2>&1 || skip 'no messages of the kernel here'
}

@test "DEVICEs: forms, and what need not be there" {
	need_messages
	split vfcap monitor --timeout 1 a/b
	assert_refusal 2 'neither an address'
	split vfcap monitor --timeout 1 3b:00.0/vfx
	assert_refusal 2 'neither an address'
	split vfcap monitor --timeout 1 vfcapnosuch0
	assert_refusal 3 'vfcapnosuch0: no network interface'
	split vfcap monitor --timeout 1 ffff:ff:1f.7 'fffe:*' ffff:ff:1f.7/vf0-7
	assert_success
	assert_output ''
}

@test "the end: time, signals" {
	local signal pid status
	need_messages
	run vfcap monitor --count 1 --timeout 1 ffff:ff:1f.7
	assert_failure 3
	for signal in INT TERM HUP; do
		# Without a terminal, bash has what is in the background ignore SIGINT.
		env --default-signal=INT "$VFCAP" monitor ffff:ff:1f.7 &
		pid=$!
		sleep 0.5
		kill -s $signal $pid
		status=0
		wait $pid || status=$?
		assert_equal "$signal $status" "$signal 0"
	done
}

@test "the end: nobody reads" {
	need_messages
	run timeout 20 bash -c '{ "$VFCAP" monitor ffff:ff:1f.7; echo $? >"$1"; } | true' - "$BATS_TEST_TMPDIR/status"
	assert_success
	assert_output ''
	assert_equal "$(cat "$BATS_TEST_TMPDIR/status")" 0
}
