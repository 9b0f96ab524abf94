#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# What the program tells of itself (vfcap --dump-options), its help, its man pages, its JSON and the schema of
# that say the same. Completions read the program's tables: completion.bats sees that they do.

# Everything that has JSON, over hosts that have everything: a document each under $DOCUMENTS.
setup_file() {
	local host arguments n=0
	local -a from
	export DOCUMENTS=$BATS_FILE_TMPDIR/documents
	mkdir "$DOCUMENTS"
	for host in "$VFCAP_SOURCE"/share/demo.host "$VFCAP_SOURCE"/tests/hosts/*.host; do
		"$VFCAP_BUILD/mkhost" --dump "$host" >"$BATS_FILE_TMPDIR/dump"
		from=(-F "$BATS_FILE_TMPDIR/dump")
		case $host in
		*/demo.host) from=(--demo) ;;
		*/enabled.host) # the knob is in no dump
			from=(--sysroot "$BATS_FILE_TMPDIR/enabled")
			"$VFCAP_BUILD/mkhost" "$host" "$BATS_FILE_TMPDIR/enabled"
			;;
		esac
		for arguments in 'list --all' show diff 'map *' plan 'plan --rule free-gap --cap pasid' 'plan --cap pri' \
			'plan --at pasid=0x102' 'plan --at pasid=0x104 --force' 'verify *' 'show --view vfio *' \
			'enable --dry-run --cap pasid,pri *' 'enable --force *' 'disable *' status doctor; do
			n=$((n + 1))
			# shellcheck disable=SC2086 # words; none of them names a file
			(set -f && "$VFCAP" -q --json "${from[@]}" $arguments) >"$DOCUMENTS/$n.json" 2>/dev/null ||
				[ $? -ne 2 ]
		done
	done
	"$VFCAP" -q --json --demo capture "$BATS_FILE_TMPDIR/host.tar" >"$DOCUMENTS/capture.json"
	"$VFCAP" -q --json --demo apply --check "$VFCAP_SOURCE/share/example.json" >"$DOCUMENTS/apply.json" || [ $? -eq 3 ]
	mkdir -p "$BATS_FILE_TMPDIR/enabled/etc/vfcap.d"
	echo nonsense >"$BATS_FILE_TMPDIR/enabled/etc/vfcap.d/a.json"
	echo '{"vfcap":1,"pfs":[{"address":"*:*","numvfs":65535}]}' >"$BATS_FILE_TMPDIR/enabled/etc/vfcap.d/b.json"
	"$VFCAP" --json --sysroot "$BATS_FILE_TMPDIR/enabled" apply >"$DOCUMENTS/kept.json" || [ $? -eq 2 ]
}

setup() {
	bats_load_library bats-support
	bats_load_library bats-assert
	man=$VFCAP_SOURCE/man
	schema=$VFCAP_SOURCE/share/vfcap.schema.json
	tables=$("$VFCAP" --dump-options)
}

commands() {
	awk -F '\t' '$1 == "command" { print $2 }' <<<"$tables" | sort
}

# Options as "-s --long=" or "--long", one a line: = when it takes something. COMMAND "" has the global ones.
options() { # COMMAND
	awk -F '\t' -v command="$1" '$1 == "option" && $2 == command {
		print ($3 == "" ? "" : $3 " ") $4 ($5 == "" ? "" : "=")
	}' <<<"$tables" | sort
}

columns() { # COMMAND
	awk -F '\t' -v command="$1" '$1 == "column" && $2 == command { print $3 }' <<<"$tables" | sort
}

# The section of a page, without its heading.
section() { # FILE HEADING
	awk -v heading="$2" '/^#/ { inside = $0 == heading; next } inside' "$1"
}

# What a page defines: the bold words at the start of a line (after LEVEL tabs), the next line being a text.
defined() { # LEVEL
	awk -v level="$1" '
		{ tabs = match($0, /[^\t]/) - 1 }
		tabs == level + 1 && term != "" { print term }
		{ term = tabs == level && /^\t*\*/ ? substr($0, tabs + 1) : "" }' | tr -d '*' | sed 's/, /\n/g'
}

# The options that a page defines, in the form of options().
page_options() { # FILE HEADING
	section "$1" "$2" | sed -nE 's/^\*(-[^*]+)\*(, \*(--[^*]+)\*)?(=.*)?$/\1 \3\4/p' |
		sed -E 's/=.*/=/; s/ $//; s/ =$/=/' | sort
}

# The options that --help shows, in the form of options(): those of the command or the global ones.
help_options() { # COMMAND global|own
	local -a command=()
	[ -z "$1" ] || command=("$1")
	"$VFCAP" "${command[@]}" --help | awk -v part="$2" '
		/^ Global options/ { global = 1 }
		/^  (    )?-/ && (part == "global") == (global + 0) {
			sub(/^ +/, "")
			sub(/   .*/, "")
			gsub(/, /, " ")
			sub(/=.*/, "=")
			sub(/ $/, "")
			sub(/  .*/, "")
			print
		}' | sort
}

# Runs vfcap, keeping only its exit status.
status_of() { # ARGUMENT...
	local status=0
	"$VFCAP" "$@" >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err" || status=$?
	echo $status
}

# ------------------------------------------------------------------------------------- commands --

@test "commands: program, --help, vfcap(8) and pages" {
	assert_equal "$("$VFCAP" --help | sed -nE 's/^  ([a-z]+)  +[a-z].*/\1/p' | sort)" "$(commands)"
	assert_equal "$(section "$man/vfcap.8.scd" '# COMMANDS' | defined 0 | sort)" "$(commands)"
	assert_equal "$(cd "$man" && printf '%s\n' vfcap-*.8.scd | sed -E 's/vfcap-(.*)\.8\.scd/\1/' | sort)" \
		"$(commands | grep -vx help)"
}

@test "commands: a page's synopsis says what --help says" {
	local command args
	for command in $(commands | grep -vx help); do
		args=$(awk -F '\t' -v c="$command" '$1 == "command" && $2 == c { print $3 }' <<<"$tables")
		run section "$man/vfcap-$command.8.scd" '# SYNOPSIS'
		assert_line "*vfcap $command* [_OPTION_...] ${args//DEVICE/_DEVICE_}"
		run "$VFCAP" "$command" --usage
		assert_output --partial "$args"
	done
}

@test "commands: pages name each other" {
	local command
	for command in $(commands | grep -vx help); do
		section "$man/vfcap.8.scd" '# SEE ALSO' | grep -qF "*vfcap-$command*(8)"
		section "$man/vfcap-$command.8.scd" '# SEE ALSO' | grep -qF '*vfcap*(8)'
	done
}

# -------------------------------------------------------------------------------------- options --

@test "options: global ones in program, --help and vfcap(8)" {
	[ "$(options '' | wc -l)" -gt 10 ]
	assert_equal "$(page_options "$man/vfcap.8.scd" '# GLOBAL OPTIONS')" "$(options '')"
	assert_equal "$(help_options '' global)" "$(options '')"
}

@test "options: of every command in program, --help and its page" {
	local command all=0
	for command in $(commands | grep -vx help); do
		assert_equal "$command: $(page_options "$man/vfcap-$command.8.scd" '# OPTIONS')" "$command: $(options "$command")"
		assert_equal "$command: $(help_options "$command" own)" "$command: $(options "$command")"
		assert_equal "$command: $(help_options "$command" global)" "$command: $(options '')"
		all=$((all + $(options "$command" | wc -l)))
	done
	[ $all -ge 8 ]
}

@test "options: words that one takes are those of its page" {
	local word
	for word in $(awk -F '\t' '$5 ~ /\|/ { gsub(/[|,]/, " ", $5); print $5 }' <<<"$tables" | tr ' ' '\n' | sort -u); do
		grep -qF "*$word*" "$man"/vfcap*.8.scd || fail "$word"
	done
}

@test "options: each is accepted before and after the command" {
	local option
	for option in $(options '' | grep -vE '=|--(help|usage|version)$' | sed 's/.* //'); do
		[ "$option" = --demo ] || set -- --demo
		assert_equal "$option $(status_of "$@" "$option" list)" "$option 0"
		assert_equal "$option $(status_of "$@" list "$option")" "$option 0"
	done
}

@test "columns: program, --help and page" {
	local command all=0
	for command in $(awk -F '\t' '$1 == "column" { print $2 }' <<<"$tables" | sort -u); do
		assert_equal "$(section "$man/vfcap-$command.8.scd" '# COLUMNS' | defined 0 | sort)" "$(columns "$command")"
		assert_equal "$("$VFCAP" "$command" --help | sed -nE 's/^  [* ] ([A-Z]+) .*/\1/p' | sort)" "$(columns "$command")"
		all=$((all + $(columns "$command" | wc -l)))
	done
	[ $all -ge 15 ]
}

@test "checks: program and vfcap-doctor(8)" {
	local checks
	checks=$(awk -F '\t' '$1 == "check" { print $3 }' <<<"$tables" | sort)
	[ "$(wc -l <<<"$checks")" -gt 40 ]
	assert_equal "$(section "$man/vfcap-doctor.8.scd" '# CHECKS' | defined 0 | sort)" "$checks"
}

# --------------------------------------------------------------------------------- exit statuses --

@test "exit statuses are those of vfcap(8)" {
	assert_equal "$(section "$man/vfcap.8.scd" '# EXIT STATUS' | defined 0 | tr '\n' ' ')" '0 1 2 3 '
}

@test "exit status 0: done, or yes" {
	local arguments
	"$VFCAP_BUILD/mkhost" "$VFCAP_SOURCE/tests/hosts/well.host" "$BATS_TEST_TMPDIR/well"
	for arguments in --help --usage --version help 'help plan' '--demo list' '--demo show enp94s0f0' '--demo diff enp94s0f0' \
		'--demo map enp94s0f0' '--demo plan enp94s0f0' '--demo plan --cap pasid 0000:c1:00.0' '--demo plan 0000:c1:00.0' \
		'--demo enable --dry-run ens1f0' '--demo enable ens1f0/vf4' '--demo disable ens1f0/vf0' '--demo disable --dry-run ens1f0' \
		'--demo status' '--demo status ens1f0' "--sysroot $BATS_TEST_TMPDIR/well doctor" "--demo apply --dry-run $VFCAP_SOURCE/share/example.json"; do
		# shellcheck disable=SC2086 # words
		assert_equal "$arguments: $(status_of $arguments)" "$arguments: 0"
	done
	"$VFCAP_BUILD/mkhost" --dump "$VFCAP_SOURCE/tests/hosts/none.host" >"$BATS_TEST_TMPDIR/none"
	assert_equal "$(status_of -F "$BATS_TEST_TMPDIR/none" list)" 0
	[ ! -s "$BATS_TEST_TMPDIR/out" ]
	[ -s "$BATS_TEST_TMPDIR/err" ]
}

@test "exit status 1: could not" {
	assert_equal "$(status_of -F "$BATS_TEST_TMPDIR/absent" list)" 1
	assert_equal "$(status_of -F "$BATS_TEST_TMPDIR" list)" 1
	assert_equal "$(status_of --sysroot "$BATS_TEST_TMPDIR/absent" list)" 1
	assert_equal "$(status_of --sysroot "$BATS_TEST_TMPDIR" show)" 1
	assert_equal "$(status_of --demo show 0000:00:1f.3)" 1
	assert_equal "$(status_of --demo doctor 0000:00:1f.3)" 1
	assert_equal "$(status_of --sysroot "$BATS_TEST_TMPDIR" doctor)" 1
	assert_equal "$(status_of --demo verify enp94s0f0)" 1
	assert_equal "$(status_of --demo capture "$BATS_TEST_TMPDIR/no/such")" 1
	assert_equal "$(status_of --demo monitor)" 1
	assert_equal "$(status_of --demo enable ens1f0/vf0)" 1
	assert_equal "$(status_of --demo disable ens1f0/vf4)" 1
	assert_equal "$(status_of --demo status --repair)" 1
	assert_equal "$(status_of --demo apply "$VFCAP_SOURCE/share/example.json")" 1
	assert_equal "$(status_of --demo apply "$BATS_TEST_TMPDIR/absent")" 1
	assert_equal "$(status_of --demo show --view vfio enp94s0f0/vf0)" 1
	run bash -c '"$VFCAP" --demo list >/dev/full'
	assert_failure 1
	run bash -c '"$VFCAP" --demo list >&-'
	assert_failure 1
}

@test "exit status 2: usage, in one line and nothing on standard output" {
	local arguments
	for arguments in '' 'nonsense' '--nonsense' 'list --nonsense' '--color=blue list' 'list -o NONSENSE' \
		'--demo --sysroot / list' '--demo -F x list' 'list -F x --sysroot /' 'plan --cap nonsense' 'plan --rule nonsense' \
		'plan --at nonsense=0x140' 'plan --at pasid=nonsense' 'plan --width 21' 'plan --as nonsense' 'plan --width' \
		'show --view nonsense' enable disable 'enable --cap nonsense 3b:00.0' 'enable --at pri=0x140 3b:00.0' \
		'enable --vf-token nonsense 3b:00.0' 'disable --force 3b:00.0' 'status -o NONSENSE' 'status --nonsense' 'doctor --nonsense' \
		'--demo show --view vfio' "--demo apply $VFCAP_SOURCE/README.md" 'apply --nonsense' 'apply --wait 0' 'apply --wait 9999' 'apply --wait 1s' 'verify' 'verify --vf-token nonsense 3b:00.0' \
		'monitor --count 0' 'monitor --count x' 'monitor --timeout -1' 'monitor --buffer 99999999' 'monitor --nonsense' \
		capture 'capture a b' 'capture --json -' 'capture --nonsense a' \
		'help nonsense' '--demo show nonsense:is:no.address/vfx'; do
		# shellcheck disable=SC2086 # words
		assert_equal "$arguments: $(status_of $arguments)" "$arguments: 2"
		assert_equal "$arguments: $(wc -l <"$BATS_TEST_TMPDIR/err")" "$arguments: 1"
		assert_equal "$arguments: $(wc -c <"$BATS_TEST_TMPDIR/out")" "$arguments: 0"
	done
}

@test "exit status 3: no" {
	local arguments
	for arguments in '--demo list 0000:ff:00.0' '--demo show 0000:ff:00.0' '--demo plan 0000:ff:00.0' \
		'--demo plan 0000:81:00.0' '--demo plan --cap pri 0000:c1:00.0' '--demo plan --at pasid=0x2f4 enp94s0f0' \
		'--demo enable 0000:ff:00.0' '--demo enable --dry-run --force 0000:81:00.0' '--demo enable 0000:00:00.0' \
		'--demo enable --cap pri enp94s0f0' '--demo enable --no-bind ens1f0/vf0' '--demo status 0000:ff:00.0' \
		'--demo status 0000:00:00.0' "--demo apply --check $VFCAP_SOURCE/share/example.json" '--demo verify 0000:ff:00.0' '--demo verify 0000:00:00.0' '--demo plan 0000:00:00.0' '--demo doctor' '--demo doctor ens1f0' '--demo doctor 0000:ff:00.0' '--demo list 0000:ff:00.0 enp94s0f0'; do
		# shellcheck disable=SC2086 # words
		assert_equal "$arguments: $(status_of $arguments)" "$arguments: 3"
	done
}

# ----------------------------------------------------------------------------------------- JSON --

# The schema, taken at its word: no keys but those that it names.
strict_schema() {
	jq 'walk(if type == "object" and has("properties") and (has("additionalProperties") | not)
		then .additionalProperties = false else . end)' "$schema"
}

validate() { # FILE...
	/usr/bin/python3 -c '
import json, sys, jsonschema
schema = json.load(sys.stdin)
validator = jsonschema.validators.validator_for(schema)
validator.check_schema(schema)
for path in sys.argv[1:]:
    for error in validator(schema).iter_errors(json.load(open(path))):
        sys.exit(f"{path}: {list(error.absolute_path)}: {error.message[:500]}")' "$@" < <(strict_schema)
}

@test "JSON: everything that is printed is in the schema" {
	run validate "$DOCUMENTS"/*.json
	assert_success
	[ "$(jq -rs 'map(keys[]) | unique | length' "$DOCUMENTS"/*.json)" -eq 10 ]
}

@test "JSON: the schema refuses what is not in it" {
	jq '.functions[0].surprise = 1' "$DOCUMENTS/1.json" >"$BATS_TEST_TMPDIR/json"
	run validate "$BATS_TEST_TMPDIR/json"
	assert_failure
	assert_output --partial surprise
	"$VFCAP" --demo --json plan enp94s0f0 | jq '.plan[0].placements[0].offset = "0x140"' >"$BATS_TEST_TMPDIR/json"
	run validate "$BATS_TEST_TMPDIR/json"
	assert_failure
	assert_output --partial 0x140
}

# Keys that are printed, but those of registers and fields, whose names are the specification's.
printed_keys() {
	jq -r 'walk(if type == "object" and has("registers") then .registers = {} else . end)
		| .. | objects | keys[]' "$DOCUMENTS"/*.json | sort -u
}

documented_keys() {
	grep -oE '\*[a-z_]+\*' "$man/vfcap-json.5.scd" | tr -d '*' | sort -u
}

@test "JSON: every key that is printed is in vfcap-json(5)" {
	[ "$(printed_keys | wc -l)" -gt 40 ]
	assert_equal "$(comm -23 <(printed_keys) <(documented_keys))" ''
}

@test "JSON: every key and word of the schema is in vfcap-json(5) or vfcap-plan(8)" {
	local word missing=()
	for word in $(jq -r '.. | objects | (.properties? // {} | keys[]), (.enum? // [] | .[] | strings)' "$schema" | sort -u); do
		grep -qE "\*$word\*|\"$word\"" "$man/vfcap-json.5.scd" "$man/vfcap-plan.8.scd" || missing+=("$word")
	done
	assert_equal "${missing[*]}" ''
}

# The names in a table of the core: [VFCAP_SOMETHING] = "name" or = { "name", ...
names_in() { # TABLE
	sed -nE "/ $1\[VFCAP_/,/^\};/s/^\t\[VFCAP_[A-Z_]+\] = (\{ )?\"([a-z0-9-]+)\".*/\2/p" "$VFCAP_SOURCE/src/core/tool.c"
}

@test "JSON: the schema and the pages have the core's codes" {
	local anomalies rules codes
	anomalies=$(names_in anomalies | sort)
	rules=$(names_in rule_names | grep -vx auto | sort)
	# ok is no reason, and those of enable, apply and verify are none of plan's
	codes=$(names_in codes | grep -vxE 'ok|pf-off|in-use|other-variant|denylisted|no-module|not-bound|no-driver|rule-disagrees|owned|changed' | sort)
	[ "$(wc -l <<<"$anomalies")" -ge 11 ]
	[ "$(wc -l <<<"$codes")" -ge 16 ]
	assert_equal "$(jq -r '.definitions.anomaly.properties.code.enum[]' "$schema" | sort)" "$anomalies"
	assert_equal "$(jq -r '.definitions.placement.properties.rule.enum[]' "$schema" | sort)" "$rules"
	assert_equal "$(jq -r '.definitions | .considered.properties.code.enum[],
		.plan.properties.refused.items.properties.code.enum[]' "$schema" | sort -u)" "$codes"
	assert_equal "$(section "$man/vfcap-plan.8.scd" '# REASONS' | defined 0 | sort -u)" "$codes"
	assert_equal "$(section "$man/vfcap-json.5.scd" '## SHOW' | defined 1 |
		grep -xF "$anomalies" | sort)" "$anomalies"
}
