load helper

journal() {
	cat "$LOOP_DIR"/events.jsonl
}

# The journal's files, the oldest first.
segments() {
	find "$LOOP_DIR" -name 'events.*.jsonl' | sed 's/.*events\.//' | sort -n | sed "s|^|$LOOP_DIR/events.|"
	echo "$LOOP_DIR/events.jsonl"
}

# field PATH: one field of every event of the journal.
field() {
	journal | jq -c "$1"
}

# Every line is one event whose id is its place.
ids_are_places() {
	LC_ALL=C awk -v at=0 '{
		if (!match($0, /^\{"specversion":"1.0","id":"[0-9]+"/)) { print "no event: " $0; bad = 1 }
		if (substr($0, 28, RLENGTH - 28) != at) { print "id " substr($0, 28, RLENGTH - 28) " at " at; bad = 1 }
		at += length($0) + 1
	} END { exit bad }' "$@"
}

@test "an event is one line, made of options and operands" {
	status_is 0 loop-emit story.started -s PRD-001/US-003 -p high --run r1 --session s1 \
		-a lang=c story=US-003 title='Log "in"' tries:=2 list:='[1, {"a": null}]'
	[ -z "$output$stderr" ]
	[ "$(journal | wc -l)" -eq 1 ]
	[ "$(field 'del(.time)')" = '{"specversion":"1.0","id":"0","source":"/loop-emit","type":"story.started","subject":"PRD-001/US-003","priority":"high","runid":"r1","sessionid":"s1","lang":"c","data":{"story":"US-003","title":"Log \"in\"","tries":2,"list":[1,{"a":null}]}}' ]
	events_conform
}

@test "subject, run and session come from the environment" {
	LOOP_SUBJECT=P/T LOOP_RUN=run-1 LOOP_SESSION=ses_1 loop-emit a
	LOOP_SUBJECT=P/T loop-emit a --subject Q
	[ "$(field '[.subject, .runid, .sessionid]')" = $'["P/T","run-1","ses_1"]\n["Q",null,null]' ]
}

@test "--data takes any JSON, and operands are added to an object" {
	loop-emit a --data ' [1,
		2] '
	loop-emit a --data '{"x":1}' y=2
	loop-emit a --data '{ }' y:=3
	[ "$(field .data)" = $'[1,2]\n{"x":1,"y":"2"}\n{"y":3}' ]
	[ "$(journal | wc -l)" -eq 3 ]
	status_is 65 loop-emit a --data '[1]' y=2
	has "$stderr" 'must be an object'
}

@test "--print prints the event as it stands in the journal" {
	loop-emit a
	status_is 0 loop-emit b --print x=y
	[ "$output" = "$(journal | tail -n 1)" ]
	printf '{"type":"c"}\n{"type":"d"}\n' >lines
	run loop-emit - --print <lines
	[ "$output" = "$(journal | tail -n 2)" ]
}

@test "what is no event is refused, and nothing is appended" {
	status_is 65 loop-emit Story.Started
	has "$stderr" "loop-emit: type 'Story.Started': must be lower-case words"
	status_is 65 loop-emit a..b
	status_is 65 loop-emit a --data '{"x":1'
	has "$stderr" '--data: not JSON at byte 7'
	status_is 65 loop-emit a x:=nope
	status_is 65 loop-emit a x=1 x=2
	has "$stderr" 'a key that comes twice'
	status_is 65 loop-emit a -a Lang=c
	has "$stderr" "attribute 'Lang': must be lower-case letters and digits"
	status_is 65 loop-emit a -a type=b
	status_is 65 loop-emit a --subject ../b
	status_is 65 loop-emit a --subject $'a\nb'
	status_is 65 loop-emit a --subject $'\e]0;title\a'
	[[ $stderr != *$'\e'* ]]
	status_is 64 loop-emit
	status_is 64 loop-emit a novalue
	status_is 64 loop-emit a --priority urgent
	status_is 64 loop-emit a --type b
	status_is 64 loop-emit - x=1
	[ ! -e "$LOOP_DIR/events.jsonl" ]
}

@test "strange texts stay what they are" {
	loop-emit a --subject 'PRD 1/ü — "x" & $(y)' 'key "q"'=$'tab\there\nnext \e[2J' empty=
	[ "$(field .subject)" = '"PRD 1/ü — \"x\" & $(y)"' ]
	[ "$(field '.data["key \"q\""]')" = '"tab\there\nnext \u001b[2J"' ]
	[ "$(field .data.empty)" = '""' ]
	[ "$(journal | wc -l)" -eq 1 ]
	loop-emit b bytes=$'\xff\xfe'
	[ "$(field .data.bytes | tail -n 1)" = '"��"' ]
}

@test "an event over one MiB is refused, one just below is taken" {
	head -c 1048000 /dev/zero | tr '\0' x | jq -Rc '{type:"a",data:.}' >fits
	head -c 1048577 /dev/zero | tr '\0' x | jq -Rc '{type:"a",data:.}' >larger
	head -c 1048500 /dev/zero | tr '\0' x | jq -Rc '{type:"a",data:.}' >between
	status_is 0 loop-emit - <fits
	status_is 65 loop-emit - <larger
	has "$stderr" 'longer than 1048576 bytes'
	status_is 65 loop-emit - <between
	has "$stderr" 'line 1: larger than 1048576 bytes'
	[ "$(journal | wc -l)" -eq 1 ]
}

@test "lines are events; those that are none are named and the others appended" {
	printf '%s\n' '{"type":"a","id":"77","priority":"low","data":{"n":1}}' 'rubbish' '' \
		'{"type":"B"}' '{"type":"c","time":"2026-11-20T09:01:02Z","source":"/x"}' '[1]' >lines
	printf '{"type":"last"}' >>lines
	status_is 65 loop-emit - <lines
	[ "$stderr" = "loop-emit: line 2: byte 1: something that is no JSON value
loop-emit: line 4: type 'B': must be lower-case words with dots, as in story.started
loop-emit: line 6: not a JSON object" ]
	[ "$(field '[.type,.priority,.source]')" = '["a","low","/loop-emit"]
["c","normal","/x"]
["last","normal","/loop-emit"]' ]
	ids_are_places "$LOOP_DIR/events.jsonl"
	events_conform
}

@test "with --type lines are data" {
	printf '%s\n' 1 '{"a":2}' '"x"' 'oops' >lines
	status_is 65 loop-emit -t metric.raw -s S --priority background - <lines
	[ "$stderr" = 'loop-emit: line 4: byte 1: something that is no JSON value' ]
	[ "$(field '[.type,.subject,.priority,.data]')" = '["metric.raw","S","background",1]
["metric.raw","S","background",{"a":2}]
["metric.raw","S","background","x"]' ]
}

@test "lines are appended as they come" {
	mkfifo pipe
	exec 9<>pipe # does not wait for a reader
	start bash -c 'exec 9<&-; exec loop-emit - <pipe'
	echo '{"type":"a"}' >&9
	wait_for 20 test -s "$LOOP_DIR/events.jsonl"
	echo '{"type":"b"}' >&9
	wait_for 20 eval '[ "$(journal | wc -l)" -eq 2 ]'
	exec 9>&-
	wait "$started"
	[ "$(journal | wc -l)" -eq 2 ]
}

@test "output that nobody can get is no success: a full disk, a closed descriptor" {
	status_is 74 eval 'loop-emit --print a >/dev/full'
	status_is 74 eval 'loop-emit --print b >&-'
	has "$stderr" 'standard output: Bad file descriptor'
	status_is 0 eval 'loop-emit c <&- >&- 2>&-'
	[ "$(journal | wc -l)" -eq 3 ]
}

@test "a torn journal is mended by the next event" {
	loop-emit a
	printf '{"specversion":"1.0","id":"1' >>"$LOOP_DIR/events.jsonl"
	loop-emit b
	[ "$(journal | wc -l)" -eq 3 ]
	[ "$(journal | sed -n 2p)" = '{"specversion":"1.0","id":"1' ]
	last=$(journal | tail -n 1)
	[ "$(jq -r .id <<<"$last")" -eq $(($(journal | wc -c) - ${#last} - 1)) ]
}

@test "the journal is rotated, and ids go on" {
	export LOOP_JOURNAL_SEGMENT=1K
	for _ in 1 2 3 4 5 6; do seq 5 | loop-emit -t n -; done
	local files
	mapfile -t files < <(segments)
	[ "${#files[@]}" -gt 2 ]
	ids_are_places "${files[@]}"
	[ "$(cat "${files[@]}" | jq .data | tr '\n' ' ')" = "$(for _ in 1 2 3 4 5 6; do seq 5; done | tr '\n' ' ')" ]
}

@test "a writer that hangs with the lock stops nobody: events go to the spool and come back" {
	loop-emit a
	exec 8>>"$LOOP_DIR/events.jsonl"
	flock 8
	exec 7<&8 8>&- # the lock stays with the description
	status_is 0 loop-emit b x=1
	has "$stderr" 'put aside in spool'
	[ "$(journal | wc -l)" -eq 1 ]
	[ "$(cat "$LOOP_DIR"/spool/* | jq -c .data)" = '{"x":"1"}' ]
	exec 7<&-
	status_is 0 loop-emit c
	[ -z "$stderr" ]
	[ "$(field .type | tr '\n' ' ')" = '"a" "b" "c" ' ]
	[ ! -e "$LOOP_DIR/spool" ]
	ids_are_places "$LOOP_DIR/events.jsonl"
}

@test "a full disk: nothing is torn, nothing acknowledged is lost" {
	mkdir small
	mount -t tmpfs -o size=64k none small 2>/dev/null || skip 'may not mount'
	export LOOP_DIR=$SCRATCH/small/loop
	local sent=0 i
	for i in $(seq 200); do
		loop-emit a n:="$i" pad="$(printf '%0900d' "$i")" 2>warning || break
		sent=$i
	done
	has "$(cat warning)" 'No space left'
	cat "$LOOP_DIR/events.jsonl" >before
	[ "$(tail -c 1 before | od -An -c | tr -d ' ')" = '\n' ]
	ids_are_places before
	status_is 74 loop-emit b pad="$(printf '%09000d' 1)"
	mount -o remount,size=4m none small
	loop-emit last
	ids_are_places "$LOOP_DIR/events.jsonl"
	[ "$(field 'select(.type == "a").data.n' | sort -n | tr '\n' ' ')" = "$(seq "$sent" | tr '\n' ' ')" ]
	umount small
}

teardown_more() {
	umount "$SCRATCH/small" 2>/dev/null || true
	umount "$SCRATCH/locked" 2>/dev/null || true
}

@test "a state directory that cannot be written is status 74" {
	mkdir locked
	LOOP_DIR=$SCRATCH/locked/loop loop-emit a
	mount --bind locked locked 2>/dev/null && mount -o remount,ro,bind locked 2>/dev/null || skip 'may not mount'
	export LOOP_DIR=$SCRATCH/locked/loop
	status_is 74 loop-emit b
	has "$stderr" 'cannot append: Read-only file system'
	[ "$(journal | wc -l)" -eq 1 ]
	umount locked
}

@test "eight writers at once: no line torn or missing, every id its place" {
	export LOOP_JOURNAL_SEGMENT=1M
	local each=${EACH:-12500} w pids=()
	for w in 1 2 3 4 5 6 7 8; do
		seq "$each" | awk -v w="$w" '{ printf "{\"w\":%d,\"n\":%d,\"pad\":\"%*s\"}\n", w, $1, ($1 * 7) % 300, "" }' |
			loop-emit -t load - &
		pids+=($!)
	done
	for w in "${pids[@]}"; do wait "$w"; done
	local files
	mapfile -t files < <(segments)
	ids_are_places "${files[@]}"
	cat "${files[@]}" | jq -r '"\(.data.w) \(.data.n)"' | awk -v each="$each" '
		{ if ($2 != ++seen[$1]) { print "writer " $1 ": " $2 " after " seen[$1] - 1; bad = 1 } }
		END { for (w = 1; w <= 8; w++) if (seen[w] != each) { print w ": " seen[w]; bad = 1 } exit bad }'
}

@test "loop.sh: the functions of scripts make events that conform" {
	cat >script <<-EOF
		set -eu
		. "$SOURCE_TREE/share/loop.sh"
		emit_prd_started PRD-001 'The "plan"' 3
		emit_story_started US-001 'Log in'
		emit_criterion_completed US-001 'it works' true
		emit_test_run 'make check' 1 5120
		emit_test_run 'true' 0
		emit_commit_created abc123 'a title' main
		emit_story_completed US-001 false 'tests failed'
		emit_story_completed US-001 true '' abc123
		emit_error 'something broke'
		emit_log_message 'hello'
		emit_metric seconds 1.5
		emit_prd_completed PRD-001
		echo done
	EOF
	local shell
	for shell in dash bash sh; do
		command -v "$shell" >/dev/null || continue
		rm -rf "$LOOP_DIR"
		status_is 0 "$shell" script
		[ "$output" = 'done' ] && [ -z "$stderr" ]
		[ "$(journal | wc -l)" -eq 12 ]
		events_conform
		[ "$(field 'select(.type == "story.started") | [.subject, .source, .data]')" = \
			'["PRD-001/US-001","/script",{"story":"US-001","title":"Log in"}]' ]
		[ "$(field 'select(.type == "test.run").data' | head -n 1)" = \
			'{"command":"make check","success":false,"status":1,"ms":5120}' ]
		[ "$(field 'select(.type == "story.completed").data' | tail -n 1)" = \
			'{"story":"US-001","success":true,"commit":"abc123"}' ]
	done
}

@test "loop.sh: without loop-emit one warning, and the script goes on" {
	cat >script <<-EOF
		set -eu
		. "$SOURCE_TREE/share/loop.sh"
		emit_story_started US-001
		emit_error oops
		echo done
	EOF
	mkdir bin
	ln -s "$(command -v bash)" bin/bash
	run --separate-stderr env PATH="$PWD/bin" bash script
	[ "$status" -eq 0 ] && [ "$output" = 'done' ]
	[ "$stderr" = 'script: loop-emit is not installed: events are not recorded' ]
	[ ! -e "$LOOP_DIR" ]
}

@test "the schema check finds what does not conform" {
	loop-emit story.started story:=7
	run events_conform
	[ "$status" -ne 0 ]
	has "$output" '0 story.started: data: has no title'
	has "$output" '0 story.started: data.story: is not of type string'
}

@test "what is JSON and what is not: every row of the table is judged as it says" {
	PATH=$BUILD_DIR/tests/tools:$PATH
	table=$SOURCE_TREE/tests/cases/json.tsv
	status_is 0 jsontable check "$table"
	[ "$(grep -vc '^#' "$table")" -gt 250 ]
	[ "$output" = "$(grep -vc '^#' "$table") rows, 0 wrong" ]
	jsontable taken "$table" >good
	# One is deeper than an event may be, so that an event can stand inside something else.
	status_is 65 loop-emit -t case - <good
	has "$stderr" 'nested deeper than 90'
	[ "$(($(wc -l <"$LOOP_DIR/events.jsonl") + 1))" -eq "$(wc -l <good)" ]
	before=$(cksum <"$LOOP_DIR/events.jsonl")
	jsontable refused "$table" >bad
	status_is 65 loop-emit -t case - <bad
	[ "$(grep -c '^loop-emit: line ' <<<"$stderr")" -eq "$(wc -l <bad)" ]
	[ "$(cksum <"$LOOP_DIR/events.jsonl")" = "$before" ]
	status_is 0 loop-bus verify
}
