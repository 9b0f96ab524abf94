#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# The Ansible role, over local connections to two captured hosts: a directory and a file of vfcap capture.
# Playbooks take their time: they are run once, and each test looks at a part of what they said.

bats_require_minimum_version 1.5.0

common() {
	load ../cli/common
}

play() { # NAME ARGUMENT...: its output and exit status are kept as NAME
	local status=0
	ansible-playbook -i "$BATS_FILE_TMPDIR/hosts.yml" "${@:2}" >"$out/$1" 2>&1 || status=$?
	echo "$status" >"$out/$1.status"
}

inventory() {
	cat <<-END
		fleet:
		  hosts:
		    golden: {vfcap_sysroot: $BATS_FILE_TMPDIR/golden}
		    adrift: {vfcap_sysroot: $BATS_FILE_TMPDIR/adrift.tar}
		  vars:
		    ansible_connection: local
		    ansible_become: false
		    ansible_python_interpreter: "{{ ansible_playbook_python }}"
		    vfcap_executable: $VFCAP
		    vfcap_path: $kept/new/{{ inventory_hostname }}.json
		    vfcap_description: "{{ fleet_description }}"
		    fleet_description:
		      vfcap: 1
		      pfs: [{address: "0000:01:00.0", numvfs: 4}]
		      plan: [{address: "0000:01:00.0/vf0-3", placements: [{name: PASID, rule: auto}]}]
	END
}

setup_file() {
	common
	export out=$BATS_FILE_TMPDIR/out kept=$BATS_FILE_TMPDIR/vfcap.d
	export ANSIBLE_DEPRECATION_WARNINGS=1 ANSIBLE_HOME=$BATS_FILE_TMPDIR/home ANSIBLE_CONFIG=$BATS_FILE_TMPDIR/ansible.cfg ANSIBLE_NOCOLOR=1 ANSIBLE_PIPELINING=1
	export ANSIBLE_ROLES_PATH=$VFCAP_SOURCE/contrib/ansible/roles PYTHONDONTWRITEBYTECODE=1
	export ANSIBLE_LOCAL_TEMP=$BATS_FILE_TMPDIR/local ANSIBLE_REMOTE_TEMP=$BATS_FILE_TMPDIR/remote
	local example=$VFCAP_SOURCE/contrib/ansible own=$VFCAP_SOURCE/tests/ansible
	mkdir "$out" "$kept" "$ANSIBLE_REMOTE_TEMP" && : >"$ANSIBLE_CONFIG"
	host golden >"$out/hosts" && host adrift >>"$out/hosts"
	vfcap -q --sysroot "$(host adrift)" capture "$BATS_FILE_TMPDIR/adrift.tar"
	vfcap --sysroot "$(host golden)" --json plan --cap pasid >"$BATS_FILE_TMPDIR/golden.json"
	inventory >"$BATS_FILE_TMPDIR/hosts.yml"

	play check "$own/facts.yml" --check --diff -e "facts=$out"
	ls -A "$kept" >"$out/check.kept"
	play apply "$example/fleet.yml" --diff
	play again "$example/fleet.yml" --diff --limit golden
	play golden "$example/golden.yml" -e "golden=$BATS_FILE_TMPDIR/golden.json"
	[ ! -e "$kept/new/golden.json" ] || install -m 666 "$kept/new/golden.json" "$kept/open.json"
	ln -s new/golden.json "$kept/link.json"
	# Modules without a role's tasks are looked for there.
	ANSIBLE_LIBRARY=$example/roles/vfcap/library ANSIBLE_MODULE_UTILS=$example/roles/vfcap/module_utils \
		play errors "$own/errors.yml" "$own/persist.yml" -e "kept=$kept"
}

setup() {
	common
}

# Of a host in the recap.
assert_recap() { # PLAY HOST KEY=NUMBER...
	local line count
	line=$(grep -E "^$2 +:" "$out/$1") || fail "$(cat "$out/$1")"
	for count in "${@:3}"; do
		[[ " $line " == *" $count "* ]] || fail "$1: no $count: $line"
	done
}

# What a task said of a host when it failed.
failure() { # PLAY [TASK]
	awk -v task="${2-}" '
		/^TASK/ { on = task == "" || index($0, "[" task "]") || index($0, " : " task) }
		on && /^fatal: / { sub(/^[^>]*=> /, ""); print; exit }' "$out/$1"
}

assert_failure_says() { # TASK TEXT
	local msg
	msg=$(failure errors "$1" | jq -r .msg) || fail "$(cat "$out/errors")"
	[[ $msg == $2 ]] || fail "$1: $msg"
}

# The status of a task: ok, changed or fatal.
outcome() { # PLAY TASK
	awk -v task="[$2]" '/^TASK/ { on = index($0, task) } on && /^[a-z]+: \[/ { sub(/:.*/, ""); print; exit }' "$out/$1"
}

@test "the fact is what list prints, of a directory and of a capture" {
	local name
	for name in golden adrift; do
		diff <(jq -S . "$out/$name.json") <(vfcap --sysroot "$BATS_FILE_TMPDIR/$name" --json list | jq -S 'del(..|.mac?)') ||
			fail "$name"
	done
	assert_equal "$(jq -c '[.functions[].emulated.pasid]' "$out/adrift.json")" '[null,768,768,null,832]'
}

@test "check mode: drift of one host, none of the other, and nothing is changed" {
	assert_equal "$(cat "$out/check.status")" 0
	assert_recap check golden changed=1 failed=0 # its description is not kept yet
	assert_recap check adrift changed=1 failed=0
	assert_equal "$(cat "$out/check.kept")" ''
}

@test "diff mode: what differs, below its function" {
	run sed -n '/^--- before: the host/,/^$/p' "$out/check"
	assert_output - <<-'END'
		--- before: the host
		+++ after: described
		@@ -1,6 +1,6 @@
		 0000:01:01.2
		-  driver_override none
		-  driver vfio-pci
		-  pasid_offset 0x000
		+  driver_override vfcap-vfio-pci
		+  driver vfcap-vfio-pci
		+  pasid_offset 0x300
		 0000:01:01.3
		-  pasid_offset 0x340
		+  pasid_offset 0x300

	END
}

@test "diff mode: the file that is kept" {
	run cat "$out/apply"
	assert_line "+++ after: $kept/new/golden.json"
	assert_line --regexp '^\+ +"numvfs": 4'
}

@test "apply: what is as described is kept for the next boot, once" {
	assert_recap apply golden changed=1 failed=0
	assert_recap again golden changed=0 failed=0
	assert_equal "$(cat "$out/again.status")" 0
	assert_equal "$(jq -c '.pfs, .plan[0].placements' "$kept/new/golden.json")" \
		$'[{"address":"0000:01:00.0","numvfs":4}]\n[{"name":"PASID","rule":"auto"}]'
	assert_equal "$(stat -c %a "$kept/new" "$kept/new/golden.json")" $'755\n644'
	vfcap --sysroot "$BATS_FILE_TMPDIR/golden" apply --check "$kept/new/golden.json"
}

@test "apply: a host that cannot be changed fails with what vfcap says, and nothing is kept" {
	assert_equal "$(cat "$out/apply.status")" 2
	assert_recap apply adrift changed=0 failed=1
	assert_equal "$(failure apply | jq -r .msg)" \
		"vfcap: $BATS_FILE_TMPDIR/adrift.tar: there is no kernel behind it, nothing was changed"
	assert_equal "$(failure apply | jq -c '[.results[].result]')" \
		'["unchanged","unchanged","unchanged","failed","failed"]'
	[ ! -e "$kept/new/adrift.json" ]
}

@test "a golden host: what differs from its plan elsewhere" {
	assert_equal "$(cat "$out/golden.status")" 0
	assert_recap golden golden changed=0 failed=0
	assert_recap golden adrift changed=1 failed=0
	run cat "$out/golden"
	assert_line '-  pasid_offset 0x340'
	[ ! -e "$kept/new/adrift.json" ]
}

@test "descriptions that are wrong: where, and which key" {
	assert_failure_says key 'vfcap: description:5:7: pfs\[0].adress: no such key; there are address, numvfs'
	assert_equal "$(failure errors key | jq -r '.text[4]')" '      "adress": "0000:01:00.0",'
	assert_failure_says unquoted 'vfcap: description:*: plan\[0].address: a string belongs here'
	assert_failure_says absent "vfcap: description:*: address: 0000:77:00.0: no such function on $BATS_FILE_TMPDIR/golden"
	assert_failure_says refused '0000:01:01.1: PASID: no place was good: * (no-room)'
	# Of the other one, which is not touched because of that, it says nothing more.
	assert_equal "$(failure errors refused | jq -c '[.results[] | .result, .code]')" '["refused","no-room","refused",null]'
}

@test "variables and options that are wrong" {
	assert_equal "$(failure errors Validating | jq -c '[.argument_errors[] | contains("vfcap_description")]')" '[true]'
	assert_failure_says sysroot 'vfcap: /nonexistent/host: No such file or directory'
	assert_failure_says device "vfcap: 0000:77:00.0: no such function on $BATS_FILE_TMPDIR/golden"
	assert_failure_says executable '*/nonexistent/vfcap*'
	assert_failure_says garbage '*/echo: no JSON came of it: *'
	assert_failure_says directory '/dev/null/vfcap.d/x.json: Not a directory'
	assert_failure_says special '/dev/null: is no regular file'
	# Nothing else went wrong, and none of them succeeded. The role fails twice, and its facts are there.
	assert_equal "$(sed '/^PLAY .The file/,$d' "$out/errors" | grep -c '^fatal')" 12
	assert_recap errors golden ok=17 changed=3 failed=0 ignored=12
}

@test "the file that is kept is nobody else's, and no link" {
	assert_equal "$(outcome errors Look)" changed
	assert_equal "$(outcome errors Open)" changed
	assert_equal "$(outcome errors Link)" changed
	assert_equal "$(outcome errors Again)" ok
	assert_equal "$(stat -c '%a %F' "$kept/open.json" "$kept/link.json")" $'644 regular file\n644 regular file'
	cmp "$kept/link.json" "$kept/new/golden.json"
}

@test "Ansible warns of nothing, and nothing is deprecated" {
	run grep -E 'WARNING|DEPRECATED' "$out"/{check,apply,again,golden,errors}
	assert_failure
}

@test "the example inventory describes what vfcap understands" {
	run --separate-stderr ansible-inventory -i "$VFCAP_SOURCE/contrib/ansible/hosts.yml" --list
	assert_success
	local host n=0
	while read -r host; do
		jq --arg host "$host" '._meta.hostvars[$host].vfcap_description' <<<"$output" >"$BATS_TEST_TMPDIR/$n.json"
		/usr/bin/python3 -c 'import json, jsonschema, sys
jsonschema.validate(*(json.load(open(f)) for f in sys.argv[1:]))' \
			"$BATS_TEST_TMPDIR/$n.json" "$VFCAP_SOURCE/share/vfcap-description.schema.json"
		n=$((n + 1))
	done < <(jq -r '._meta.hostvars | keys[]' <<<"$output")
	[ $n -eq 3 ]
}
