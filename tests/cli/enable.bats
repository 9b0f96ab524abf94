#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# enable, disable and status where there is no kernel: what would be done, and that nothing is.

bats_require_minimum_version 1.5.0

setup() {
	load common
}

# A copy of the demo host that can be changed; prints its directory.
own_demo() {
	cp -R "$demo" "$BATS_TEST_TMPDIR/host"
	echo "$BATS_TEST_TMPDIR/host"
}

results() { # ARGUMENT...
	jqc '[.results[] | [.address, .result, .code]]' vfcap -j "$@"
}

@test "enable: a captured host gets the steps, no change, and exit status 1" {
	local dir before
	dir=$(own_demo)
	mkdir "$dir/run"
	before=$(cd "$dir" && find . -printf '%p %l %s %T@\n' | sort)
	split vfcap --sysroot "$dir" enable ens1f0/vf0
	assert_equal "$status" 1
	[[ $stderr == *'there is no kernel behind it, nothing was changed' ]] || fail "$stderr"
	assert_line '  not done: PASID at 0x1d0 (20 bits)'
	assert_line '    driver_override vfcap-vfio-pci (was none)'
	assert_line '    unbind from iavf'
	assert_line '    bind to vfcap-vfio-pci'
	assert_line '    pasid_offset 0x1d0 (was 0x000)'
	assert_line '    verify through VFIO'
	vfcap --sysroot "$dir" disable ens1f0/vf4 || [ $? -eq 1 ]
	assert_equal "$(cd "$dir" && find . -printf '%p %l %s %T@\n' | sort)" "$before"
}

@test "enable: --dry-run says what would be done, and that is no failure" {
	split vfcap --demo enable --dry-run ens1f0
	assert_equal "$status" 0
	assert_equal "$stderr" ''
	assert_equal "$(results --demo enable --dry-run ens1f0/vf3-4)" \
		'[["0000:3b:01.3","unchanged",null],["0000:3b:01.4","unchanged",null]]'
	assert_equal "$(jqc '[.results[] | .steps | length]' vfcap -j --demo enable --dry-run ens1f0/vf3-4)" '[5,0]'
	assert_equal "$(jqc '.results[0].steps' vfcap -j --demo enable --dry-run ens1f0/vf3)" \
		'[{"step":"override","from":null,"to":"vfcap-vfio-pci"},{"step":"unbind","from":"iavf"},{"step":"bind","to":"vfcap-vfio-pci"},{"step":"knob","attribute":"pasid_offset","from":0,"to":464},{"step":"verify"}]'
}

@test "enable: --no-verify, --width and --at change the steps" {
	run vfcap --demo enable --dry-run --no-verify --width 8 --at pasid=0x200 ens1f0/vf3
	refute_line '    verify through VFIO'
	assert_line '    pasid_width 8 (was 0)'
	assert_line '    pasid_offset 0x200 (was 0x000)'
	run vfcap --demo enable --dry-run --at pasid=0x200 ens1f0/vf4
	assert_line --index 2 '    pasid_offset 0x000 (was 0x1d0)'
	assert_line --index 3 '    pasid_offset 0x200 (was 0x000)'
}

@test "enable: bits are those that a guest is shown" {
	local root
	root=$(host width)
	run vfcap --sysroot "$root" enable --dry-run 3b:00.0/vf0
	assert_line '  would be done: PASID at 0x160 (16 bits)'
	refute_line --partial 'pasid_width'
	run vfcap --sysroot "$root" enable --dry-run --width 18 3b:00.0/vf0
	assert_line '  would be done: PASID at 0x160 (16 bits)'
	# Applying the plan is no change of what was enabled without a width.
	vfcap --sysroot "$root" -j plan 3b:00.0/vf0 >"$BATS_TEST_TMPDIR/plan"
	sed '/^vfs/s/iavf/vfcap-vfio-pci pasid_offset 160 pri_offset 0/' "$VFCAP_SOURCE/tests/hosts/width.host" >"$BATS_TEST_TMPDIR/spec"
	"$VFCAP_BUILD/mkhost" "$BATS_TEST_TMPDIR/spec" "$BATS_TEST_TMPDIR/root"
	run vfcap --sysroot "$BATS_TEST_TMPDIR/root" apply --check "$BATS_TEST_TMPDIR/plan"
	assert_success
}

@test "enable: PRI comes only when asked for, and with a line about it" {
	split vfcap --demo enable --dry-run --cap pasid,pri 0000:6c:00.0
	assert_equal "$status" 0
	[[ $stderr == *'PRI: '*'no page faults'* ]] || fail "$stderr"
	assert_line '  would be done: PASID at 0x100 (20 bits), PRI at 0x1c0'
	split vfcap --demo enable --dry-run 0000:6c:00.0
	assert_equal "$stderr" ''
	refute_line --partial PRI
}

@test "enable: one VF that is refused keeps all of its PF as they are" {
	assert_equal "$(results --demo enable --cap pri enp94s0f0)" \
		'[["0000:5e:00.2","refused","pf-off"],["0000:5e:00.3","refused","pf-off"]]'
	assert_equal "$(results --demo enable --no-bind ens1f0/vf3-4)" \
		'[["0000:3b:01.3","refused","not-bound"],["0000:3b:01.4","unchanged",null]]'
	run vfcap --demo enable --no-bind --at pasid=0x200 ens1f0/vf3-4
	assert_failure 3
	assert_line '  refused: not touched, because 0000:3b:01.3 was refused'
}

@test "enable: a broken chain is not bound, forced or not" {
	local force
	for force in '' --force; do
		# shellcheck disable=SC2086 # a word or none
		assert_equal "$(results --demo enable $force --dry-run 0000:81:00.0/vf0)" '[["0000:81:04.0","refused","broken-chain"]]'
	done
}

@test "enable: an interface that is up, or elsewhere, is in use" {
	local dir vf
	dir=$(own_demo)
	vf=$(realpath "$dir/sys/bus/pci/devices/0000:3b:01.0")
	echo 0x1003 >"$vf/net/ens1f0v0/flags"
	run vfcap --sysroot "$dir" enable --dry-run ens1f0/vf0
	assert_failure 3
	assert_line '  refused: its network interface ens1f0v0 is up (in-use)'
	rm -r "$vf/net/ens1f0v0"
	run vfcap --sysroot "$dir" enable --dry-run 0000:3b:01.0
	assert_failure 3
	assert_line '  refused: its network interface is in another network namespace (in-use)'
}

@test "enable: who holds the group is named" {
	local dir group
	dir=$(own_demo)
	group=$(vfcap --demo list -n -r -o GROUP 0000:3b:01.4)
	mkdir -p "$dir/proc/4711/fd"
	echo qemu-system-x86 >"$dir/proc/4711/comm"
	ln -s "/dev/vfio/${group}0" "$dir/proc/4711/fd/12"
	run vfcap --sysroot "$dir" disable --dry-run 0000:3b:01.4
	assert_success
	ln -sf "/dev/vfio/$group" "$dir/proc/4711/fd/12"
	run vfcap --sysroot "$dir" disable --dry-run 0000:3b:01.4
	assert_failure 3
	assert_line '  refused: qemu-system-x86 (process 4711) holds it through VFIO (in-use)'
	run vfcap --sysroot "$dir" enable --dry-run 0000:3b:01.4
	assert_success
	assert_line '  unchanged: PASID at 0x1d0 (20 bits)'
}

@test "enable: a driver of VFIO that is made for the VF is spared, unless forced" {
	local dir
	dir=$(own_demo)
	mkdir -p "$dir/lib/modules/6.12.48-amd64"
	echo 'alias vfio_pci:v00008086d00001889sv*sd*bc*sc*i* ice_vfio_pci' >"$dir/lib/modules/6.12.48-amd64/modules.alias"
	echo pci:v00008086d00001889sv00000000sd00000000bc02sc00i00 >"$dir/sys/bus/pci/devices/0000:3b:01.0/modalias"
	run vfcap --sysroot "$dir" enable --dry-run 0000:3b:01.0
	assert_failure 3
	assert_line --partial 'ice_vfio_pci is made for it'
	assert_line --partial '(other-variant)'
	run vfcap --sysroot "$dir" enable --dry-run --force 0000:3b:01.0
	assert_success
}

@test "enable: a VF that vfio-pci refuses is refused, forced or not, and others are not" {
	local dir force
	dir=$(host denylisted)
	for force in '' --force; do
		# shellcheck disable=SC2086 # a word or none
		assert_equal "$(results --sysroot "$dir" enable $force --dry-run 0000:3d:00.0)" \
			'[["0000:3d:01.0","refused","denylisted"],["0000:3d:01.1","refused","denylisted"]]'
	done
	split vfcap --sysroot "$dir" enable --dry-run 0000:3d:01.0
	assert_equal "$status" 3
	assert_equal "$stderr" ''
	assert_line --partial '  refused: vfio-pci refuses it for errata that a guest can exploit'
	assert_line --partial 'disable_denylist=1 (denylisted)'
	assert_equal "$(results --sysroot "$dir" enable --dry-run 0000:3f:01.0)" '[["0000:3f:01.0","unchanged",null]]'
	cp -R "$dir" "$BATS_TEST_TMPDIR/unloaded"
	rm -r "$BATS_TEST_TMPDIR/unloaded/sys/module"
	run vfcap --sysroot "$BATS_TEST_TMPDIR/unloaded" enable --dry-run 0000:3d:01.0
	assert_failure 3
	run vfcap --from "$(dump denylisted)" enable --dry-run 3d:01.0
	assert_failure 3
	assert_line --partial '(denylisted)'
}

@test "enable: the module's disable_denylist allows it, with one line for VFs of a PF" {
	local dir
	dir=$(host denylist-disabled)
	split vfcap --sysroot "$dir" enable --dry-run 0000:3d:00.0
	assert_equal "$status" 0
	assert_equal "$stderr" 'vfcap: 0000:3d:01.0: vfio-pci refuses 8086:37c9 for errata that a guest can exploit; the module'"'s"' parameter disable_denylist allows it'
	assert_line '  would be done: PASID at 0x158 (20 bits)'
	faulty_in "$dir" openat2 EIO sys/module/vfcap_vfio_pci/parameters/disable_denylist enable --dry-run 0000:3d:00.0
	assert_equal "$status" 1
	[[ $stderr == *'vfcap: '*disable_denylist*': Input/output error'* ]] || fail "$stderr"
	faulty_in "$dir" openat2 EACCES sys/module/vfcap_vfio_pci/parameters/disable_denylist enable --dry-run 0000:3d:00.0
	assert_equal "$status" 1
	[[ $stderr == *'vfcap: '*disable_denylist*': Permission denied'* ]] || fail "$stderr"
	split vfcap --sysroot "$dir" disable --dry-run 0000:3d:00.0
	assert_equal "$status" 0
	assert_equal "$stderr" ''
}

@test "enable: of an Intel GPU, that OpRegion regions are vfio-pci's, once, and no failure" {
	local args dir text='vfcap: 0000:00:02.1: OpRegion regions of an Intel GPU come from vfio-pci only: a guest has none on vfcap-vfio-pci'
	split vfcap --demo enable --dry-run 0000:00:02.0 ens1f0
	assert_equal "$status" 0
	assert_equal "$stderr" "$text"
	split vfcap --demo -j enable --dry-run 0000:00:02.1
	assert_equal "$stderr" "$text"
	for args in 'disable --dry-run 0000:00:02.0' 'enable --dry-run --no-bind 0000:00:02.0' \
		'enable --dry-run ens1f0' '-q enable --dry-run 0000:00:02.0'; do
		# shellcheck disable=SC2086 # words
		split vfcap --demo $args
		assert_equal "$args: $stderr" "$args: "
	done
	dir=$BATS_TEST_TMPDIR/display # not VGA
	sed 's/class 030000/class 038000/' "$VFCAP_SOURCE/share/demo.host" >"$dir.host"
	"$VFCAP_BUILD/mkhost" "$dir.host" "$dir"
	split vfcap --sysroot "$dir" enable --dry-run 0000:00:02.1
	assert_equal "$status" 0
	assert_equal "$stderr" ''
}

@test "enable: its reasons are those of its page and of the core" {
	local codes page
	codes=$(sed -nE 's/^\t\[VFCAP_(PF_OFF|IN_USE|OTHER_VARIANT|DENYLISTED|NO_MODULE|NOT_BOUND)\] = \{ "([a-z-]+)".*/\2/p' \
		"$VFCAP_SOURCE/src/core/tool.c" | sort)
	page=$(sed -nE '/^# REASONS/,/^# FILES/s/^\*([a-z-]+)\*$/\1/p' "$VFCAP_SOURCE/man/vfcap-enable.8.scd" | sort)
	[ "$(wc -l <<<"$codes")" -eq 6 ]
	assert_equal "$page" "$codes"
}

@test "disable: back to the driver that wants the VF; of others nothing" {
	run vfcap --demo disable --dry-run ens1f0/vf3-4
	assert_success
	assert_line '  unchanged: nothing is emulated'
	assert_line '    unbind from vfcap-vfio-pci'
	assert_line '    bind to the driver that wants it'
	run vfcap --demo disable --dry-run --no-bind ens1f0/vf4
	assert_line '    pasid_offset 0x000 (was 0x1d0)'
	refute_line --partial unbind
	run vfcap --demo disable --dry-run --cap pri ens1f0/vf4
	assert_line '  unchanged: PASID at 0x1d0'
}

@test "disable: of a VF that was enabled and is bound elsewhere, what the driver keeps is forgotten" {
	local dir
	dir=$(own_demo)
	mkdir -p "$dir/run" "$dir/proc/sys/kernel/random"
	mkdir -m 700 "$dir/run/vfcap"
	echo 6fd3c1b1-0000-4000-8000-0000deadbeef >"$dir/proc/sys/kernel/random/boot_id"
	printf '%s\n' 'vfcap-record 2 0000:3b:00.0 6fd3c1b1-0000-4000-8000-0000deadbeef' 'vf 0000:3b:01.0 iavf -' \
		'knob 0000:3b:01.0 464 0 0' 'vf 0000:3b:01.1 iavf -' >"$dir/run/vfcap/0000:3b:00.0.record"
	run vfcap --sysroot "$dir" disable --dry-run ens1f0/vf0
	assert_line '  would be done: nothing is emulated'
	assert_line '    forget what vfcap-vfio-pci keeps of it'
	assert_equal "$(jqc '[.results[].steps]' vfcap -j --sysroot "$dir" disable --dry-run ens1f0/vf0-1)" '[[{"step":"forget"}],[]]'
}

@test "status: what is configured, and what was left" {
	local dir undo
	assert_equal "$(jqc '.status' vfcap -j --demo status ens1f0/vf4)" \
		'[{"address":"0000:3b:01.4","pf":"0000:3b:00.0","driver":"vfcap-vfio-pci","state":"ready","configured":{"pasid":464,"pri":null},"shown":{"pasid":null,"pri":null},"width":0,"enabled":null,"changed":false,"leftover":null}]'
	dir=$(own_demo)
	mkdir -p "$dir/run" "$dir/proc/sys/kernel/random"
	mkdir -m 700 "$dir/run/vfcap"
	echo 6fd3c1b1-0000-4000-8000-0000deadbeef >"$dir/proc/sys/kernel/random/boot_id"
	undo=$dir/run/vfcap/0000:3b:00.0.undo
	cat >"$undo" <<-END
		vfcap-undo 1 enable 0000:3b:00.0 6fd3c1b1-0000-4000-8000-0000deadbeef
		override 0000:3b:01.0 - vfcap-vfio-pci
		unbind 0000:3b:01.0 iavf -
	END
	split vfcap -j --sysroot "$dir" status ens1f0/vf0-1
	assert_equal "$status" 0
	[[ $stderr == 'vfcap: 0000:3b:00.0: a run that did not end has left something (enable, 2 steps): status --repair takes it back' ]]
	assert_equal "$(jq -c '[.status[].leftover]' <<<"$output")" \
		'[{"command":"enable","n_steps":2,"done":false,"running":false,"damaged":false},null]'
	split vfcap --sysroot "$dir" status --repair ens1f0
	assert_equal "$status" 1
	[ -e "$undo" ]
	echo 'override 0000:3b:01.1 - ../x' >>"$undo"
	split vfcap --sysroot "$dir" status ens1f0/vf0
	assert_equal "$status" 1
	[[ $stderr == *'.undo: cannot be understood; look at it, then remove it' ]]
	echo 00000000-0000-4000-8000-000000000000 >"$dir/proc/sys/kernel/random/boot_id"
	split vfcap --sysroot "$dir" status ens1f0/vf0
	assert_equal "$stderr" ''
}

@test "status: what others may write to is not believed" {
	local dir
	dir=$(own_demo)
	mkdir -p "$dir/run/vfcap"
	chmod 777 "$dir/run/vfcap"
	echo nonsense >"$dir/run/vfcap/0000:3b:00.0.undo"
	split vfcap -j --sysroot "$dir" status ens1f0/vf0
	assert_equal "$status" 1
	assert_equal "$stderr" 'vfcap: /run/vfcap: is open to others than root: look at what is there, then chmod 700 /run/vfcap'
	assert_equal "$(jq '.status[0] | has("leftover")' <<<"$output")" false
}
