#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# How signals and a closed pipe end a command.
bats_require_minimum_version 1.5.0
load common.bash

# Runs a command with its PID in the file pid, and says how it ended: "signal N" or "exit N". A shell says 128+N of
# both.
ended() { # COMMAND...
	# shellcheck disable=SC2016 # perl's own
	perl -e 'system @ARGV; print STDERR $? & 127 ? "signal " . ($? & 127) : "exit " . ($? >> 8), "\n"' \
		sh -c 'echo $$ >pid; exec "$@"' sh "$@"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# Waits for a line in a file.
await() { # FILE PATTERN
	local i
	for ((i = 0; i < 600; i++)); do
		grep -qs -- "$2" "$1" && return
		sleep 0.05
	done
	fail "no $2 in $1"
}

# A pipe with no room left, at descriptor 5.
full_pipe() {
	mkfifo full
	exec 5<>full
	head -c 65536 /dev/zero >&5
}

# Says something on standard error, then waits for room in the pipe that is its standard output.
blocked() { # ARGUMENT...
	full_pipe
	ended "$VFCAP" "$@" >&5 2>err 5>&- &
	await err '^vfcap: '
}

drained() {
	exec 6<full 5>&-
	cat <&6 >out
	wait
}

@test "a command that reads is ended by the signal, without a word" {
	mkfifo input
	exec 5<>input
	ended "$VFCAP" apply --demo --check - <input 2>err 5>&- &
	await pid .
	await "/proc/$(cat pid)/comm" '^vfcap$'
	kill -TERM "$(cat pid)"
	wait
	assert_equal "$(cat err)" 'signal 15'
	exec 5>&-
}

@test "a command that changes says so, and is ended by the signal's own action" {
	local signal
	for signal in 'INT 2' 'TERM 15' 'HUP 1'; do
		# shellcheck disable=SC2086
		set -- $signal
		rm -f full err pid
		blocked enable --demo 3b:01.0
		kill -"$1" "$(cat pid)"
		drained
		assert_equal "$(tail -n 2 err)" "vfcap: interrupted by SIG$1: what was begun is done
signal $2"
	done
}

@test "a second signal ends it at once" {
	blocked enable --demo 3b:01.0
	kill -TERM "$(cat pid)"
	await "/proc/$(cat pid)/status" '^SigCgt:.*0$'
	kill -INT "$(cat pid)"
	wait
	assert_equal "$(tail -n 1 err)" 'signal 2'
	run grep interrupted err
	assert_failure
	exec 5>&-
}

@test "a terminal that goes away may say so twice" {
	blocked enable --demo 3b:01.0
	kill -HUP "$(cat pid)"
	await "/proc/$(cat pid)/status" '^SigIgn:.*1$'
	kill -HUP "$(cat pid)"
	drained
	assert_equal "$(tail -n 2 err)" 'vfcap: interrupted by SIGHUP: what was begun is done
signal 1'
}

@test "what is ignored from the start stays ignored" {
	full_pipe
	(
		trap '' HUP
		ended "$VFCAP" enable --demo 3b:01.0 >&5 2>err 5>&-
	) &
	await err '^vfcap: '
	kill -HUP "$(cat pid)"
	drained
	assert_equal "$(tail -n 1 err)" 'exit 1'
	run grep interrupted err
	assert_failure
}

@test "a closed pipe ends it as it ends other tools" {
	mkfifo gone
	local command
	for command in list 'list --raw' 'show --json' 'enable --dry-run 3b:01.0' 'capture -'; do
		# shellcheck disable=SC2094
		exec 5<>gone 6>gone
		exec 5>&-
		# shellcheck disable=SC2086
		ended "$VFCAP" -q --demo $command >&6 2>err
		exec 6>&-
		assert_equal "$(cat err)" 'signal 13'
	done
	# shellcheck disable=SC2094
	exec 5<>gone 6>gone
	exec 5>&-
	(
		trap '' PIPE
		ended "$VFCAP" -q --demo list >&6 2>err
	)
	exec 6>&-
	assert_equal "$(cat err)" 'vfcap: standard output: Broken pipe
exit 1'
}
