load helper

setup_more() {
	PATH=$BUILD_DIR/tests/tools:$PATH
}

# In the background, ready when this returns.
serve() {
	start "${@:-loop-bus}" serve 2>bus-errors
	bus=$started
	wait_for 40 loop-bus status
}

# field PATH FILE: one field of every event of a file.
field() {
	jq -c "$1" "$2" | tr '\n' ' '
}

lines_in() {
	[ "$(wc -l <"$1")" -eq "$2" ]
}

@test "sub prints what comes, by pattern, subject, priority and field" {
	serve
	start loop-bus sub 'story.*' >stories
	start loop-bus sub --subject 'P/**' >subject
	start loop-bus sub --priority high >urgent
	start loop-bus sub --where data.success=false --where 'data.ms>=10' >failed
	wait_for 20 eval '[ "$(loop-bus status --json | jq ".subscribers | length")" -eq 4 ]'
	loop-emit story.started -s P/1
	loop-emit story.completed -s Q/1 -p critical success:=false ms:=9
	loop-emit test.run -s P -p high success:=false ms:=10
	loop-emit end -p low
	wait_for 20 lines_in stories 2
	wait_for 20 lines_in subject 2
	wait_for 20 lines_in urgent 2
	wait_for 20 lines_in failed 1
	[ "$(field .type stories)" = '"story.started" "story.completed" ' ]
	[ "$(field .type subject)" = '"story.started" "test.run" ' ]
	[ "$(field .type urgent)" = '"story.completed" "test.run" ' ]
	[ "$(field .type failed)" = '"test.run" ' ]
	cmp stories <(grep story "$LOOP_DIR/events.jsonl")
}

@test "sub goes on from the journal when the bus is killed, and needs none to begin with" {
	start loop-bus sub --direct >direct
	wait_for 20 test -d "$LOOP_DIR"
	loop-emit -t n - < <(seq 100)
	serve
	start loop-bus sub --from start >events
	wait_for 20 lines_in events 100
	kill -KILL "$bus"
	wait "$bus" || true
	seq 101 200 | loop-emit -t n -
	wait_for 20 lines_in events 200
	[ "$(field .data events)" = "$(seq 200 | tr '\n' ' ')" ]
	run loop-bus status
	[ "$status" -eq 1 ]
	# What the killed one left does not stop the next.
	[ -S "$LOOP_DIR/bus.sock" ]
	serve
}

@test "one bus a state directory" {
	serve
	run --separate-stderr loop-bus serve
	[ "$status" -eq 75 ]
	has "$stderr" "$bus"
	loop-bus status
	status_is 0 loop-bus stop
	wait "$bus"
	[ ! -e "$LOOP_DIR/bus.sock" ] && [ ! -e "$LOOP_DIR/bus.fifo" ]
	status_is 1 loop-bus stop
}

@test "--daemon returns when it is ready" {
	status_is 0 loop-bus serve --daemon
	pid=$(head -n 1 "$LOOP_DIR/bus.pid" | tr -dc 0-9)
	loop-bus status
	STARTED+=("$pid")
	loop-bus stop
	wait_for 80 gone "$pid"
}

@test "the FIFO takes events and words; what is wrong there is told in the log" {
	serve
	cat >"$LOOP_DIR/bus.fifo" <<-'EOF2'
		{"type":"a","data":{"x":1}}
		story.completed story=US-1 success:=true note="two words \"here\""
		Bad x=1
		a novalue
		{"type":
		b
	EOF2
	wait_for 20 eval '[ "$(wc -l <"$LOOP_DIR/events.jsonl")" -eq 3 ]'
	[ "$(field '[.type,.data]' "$LOOP_DIR/events.jsonl")" = '["a",{"x":1}] ["story.completed",{"story":"US-1","success":true,"note":"two words \"here\""}] ["b",null] ' ]
	wait_for 20 eval '[ "$(wc -l <bus-errors)" -eq 3 ]'
	loop-bus verify -q
}

@test "the socket: every operation and every error has its answer, in order" {
	serve
	cat >requests <<-'EOF2'
		{"op":"ping"}
		{"op":"pub","type":"a.b","subject":"S","data":{"n":1}}
		{"type":"a.c", "op" : "pub"}
		{"op":"pub","type":"Wrong"}
		{"op":"pub","type":"a.d"}
		nonsense
		{"type":"x"}
		{"op":"dance"}
		{"op":"ack","id":"0"}
		{"op":"sub","types":["a*"]}
		{"op":"sub","from":"5"}
		{"op":"sub","order":"random"}
		{"op":"sub","durable":"../x"}
		{"op":"sub","types":["a.*"],"from":"start","where":{"type":"a.c"}}
	EOF2
	busline 15 <requests >answers
	[ "$(head -n 1 answers)" = '{"ok":true,"pong":true}' ]
	[ "$(field 'select(.id != null) | .id' <(sed -n 2,5p answers) | tr -d '" ' | wc -c)" -gt 3 ]
	[ "$(field .ok <(head -n 14 answers))" = 'true true true false true false false false false false false false false true ' ]
	has "$(sed -n 4p answers)" "type 'Wrong'"
	has "$(sed -n 6p answers)" 'byte 1: '
	has "$(sed -n 7p answers)" 'op: missing'
	has "$(sed -n 9p answers)" 'not durable'
	has "$(sed -n 10p answers)" "type pattern 'a*'"
	has "$(sed -n 11p answers)" '5 is not where an event begins'
	[ "$(tail -n 1 answers)" = "$(sed -n 2p "$LOOP_DIR/events.jsonl")" ]
	[ "$(jq -r .id "$LOOP_DIR/events.jsonl")" = "$(sed -n '2p;3p;5p' answers | jq -r .id)" ]
	[ "$(field .type "$LOOP_DIR/events.jsonl")" = '"a.b" "a.c" "a.d" ' ]
}

@test "a line that is too long, silence and never reading harm only who does so" {
	serve
	start bash -c 'echo "{\"op\":\"sub\",\"from\":\"start\"}" | exec busline hold 3' >held
	wait_for 20 test -s held
	wait_for 20 eval '[ "$(loop-bus status --json | jq ".subscribers | length")" -eq 3 ]'
	{ head -c 1100000 /dev/zero | tr '\0' x; echo; } >long
	run busline 2 <long
	[ "$status" -eq 1 ]
	has "$output" 'too long'
	start loop-bus sub >all
	wait_for 20 eval '[ "$(loop-bus status --json | jq ".subscribers | length")" -eq 4 ]'
	seq 20000 | awk '{ printf "{\"n\":%d,\"pad\":\"%0200d\"}\n", $1, 0 }' | loop-emit -t load -
	wait_for 80 lines_in all 20000
	[ "$(loop-bus status --json | jq '[.subscribers[] | select(.blocked and .lag > 1000000)] | length')" -eq 3 ]
	case $BUILD_DIR in
	*/release) [ "$(awk '/VmRSS/ { print $2 }' "/proc/$bus/status")" -lt 12000 ] ;;
	esac
	cmp all "$LOOP_DIR/events.jsonl"
}

@test "a journal that is taken away: subscribers go on with the one that begins anew" {
	serve
	seq 100 | loop-emit -t old -
	start loop-bus sub >by-bus
	start loop-bus sub --direct >direct
	wait_for 20 eval '[ "$(loop-bus status --json | jq ".subscribers | length")" -eq 1 ]'
	wait_for 20 eval 'loop-emit ready; grep -q ready direct && grep -q ready by-bus'
	rm "$LOOP_DIR"/events.jsonl
	loop-emit new
	loop-emit newer
	wait_for 20 grep -q newer by-bus
	wait_for 20 grep -q newer direct
	grep -q '"new"' by-bus
	[ "$(sed -n 1p "$LOOP_DIR/events.jsonl" | jq -r .id)" = 0 ]
}

@test "order by priority: what was not sent yet comes in order of urgency" {
	serve
	local p
	for p in low normal high background critical; do
		seq 3 | loop-emit -t "$p" -p "$p" -
	done
	echo '{"op":"sub","order":"priority","from":"start"}' | busline 16 | tail -n 15 >got
	[ "$(field '[.type,.data]' got)" = '["critical",1] ["critical",2] ["critical",3] ["high",1] ["high",2] ["high",3] ["normal",1] ["normal",2] ["normal",3] ["low",1] ["low",2] ["low",3] ["background",1] ["background",2] ["background",3] ' ]
}

@test "durable: what was not acknowledged comes again, what was does not" {
	serve
	seq 5 | loop-emit -t n -
	echo '{"op":"sub","durable":"d","from":"start"}' | busline 6 >first
	[ "$(field '.data // empty' first)" = '1 2 3 4 5 ' ]
	wait_for 20 eval '[ "$(loop-bus status --json | jq ".subscribers | length")" -eq 0 ]'
	echo '{"op":"sub","durable":"d","from":"now"}' | busline 6 >again
	cmp <(tail -n 5 first) <(tail -n 5 again)
	# The answer to the acknowledgement comes in front of what is sent behind it.
	mkfifo in
	start bash -c 'exec busline hold 1 <in >held'
	id=$(sed -n 4p first | jq -r .id)
	printf '{"op":"sub","durable":"e","from":"start"}\n{"op":"ack","id":"%s"}\n' "$id" >in
	wait_for 20 test -s held
	echo '{"op":"sub","durable":"e"}' | busline 1 >refused
	has "$(cat refused)" 'another subscriber'
	printf '%s\n' "$id" >"$LOOP_DIR/cursors/d"
	echo '{"op":"sub","durable":"d"}' | busline 3 >third
	[ "$(field '.data // empty' third)" = '4 5 ' ]
}

@test "an acknowledgement of what is no event is refused, and the place stays good" {
	serve
	seq 3 | loop-emit -t n -
	cat >requests <<-'EOF2'
		{"op":"sub","durable":"d","from":"start"}
		{"op":"ack","id":"3"}
		{"op":"ack","id":"0"}
	EOF2
	busline 2 4 <requests >got
	[ "$(field 'select(.ok != null) | .ok' got)" = 'true false true ' ]
	wait_for 5 eval '[ "$(loop-bus status --json | jq ".subscribers | length")" -eq 0 ]'
	echo '{"op":"sub","durable":"d"}' | busline 3 >again
	[ "$(field '.data // empty' again)" = '2 3 ' ]
}

@test "many requests at once: each has its answer, and none is taken before those are" {
	serve
	yes x | head -n 9000 | busline 9000 >answers
	lines_in answers 9000
	[ "$(sort -u answers)" = '{"ok":false,"error":"byte 1: something that is no JSON value"}' ]
}

@test "half a line was sent when the journal was taken away: that subscriber is cut off" {
	serve
	{ printf '"'; head -c 900000 /dev/zero | tr '\0' x; printf '"\n'; } | loop-emit -t long -
	start bash -c 'echo "{\"op\":\"sub\",\"from\":\"start\"}" | exec busline hold 1' >held
	wait_for 5 eval 'loop-bus status --json | jq -e ".subscribers[0].blocked"'
	rm "$LOOP_DIR/events.jsonl"
	loop-emit new
	wait_for 5 eval '[ "$(loop-bus status --json | jq ".subscribers | length")" -eq 0 ]'
}

@test "durable sub: kill -9 loses nothing" {
	seq 50 | loop-emit -t n -
	loop-bus sub --durable d --from start -n 20 >one
	start loop-bus sub --durable d >two
	wait_for 20 lines_in two 30
	run --separate-stderr loop-bus sub --durable d
	[ "$status" -eq 75 ]
	has "$stderr" 'another subscriber'
	kill -KILL "$started"
	wait "$started" || true
	seq 51 60 | loop-emit -t n -
	loop-bus sub --durable d -n 10 >three
	[ "$(cat one two three | jq .data | tr '\n' ' ')" = "$(seq 60 | tr '\n' ' ')" ]
}

@test "history: the newest thousand, or as the options say" {
	seq 3000 | loop-emit -t n -
	loop-emit story.started -s P/1 story=1 title='a needle'
	[ "$(loop-bus history | wc -l)" -eq 1000 ]
	[ "$(loop-bus history | head -n 1 | jq .data)" -eq 2002 ]
	[ "$(loop-bus history --all | wc -l)" -eq 3001 ]
	[ "$(loop-bus history -n 3 'n' | jq .data | tr '\n' ' ')" = '2998 2999 3000 ' ]
	[ "$(loop-bus history -n 3 -r 'n' | jq .data | tr '\n' ' ')" = '3000 2999 2998 ' ]
	[ "$(loop-bus history --where data=17 | jq .data)" -eq 17 ]
	[ "$(loop-bus history --grep needle | jq -r .type)" = story.started ]
	[ "$(loop-bus history -s 'P/*' -t 'story.**' | wc -l)" -eq 1 ]
	loop-emit old --time 2020-01-01T00:00:00Z
	[ "$(loop-bus history --until 2021-01-01T00:00:00Z | jq -r .type)" = old ]
	[ "$(loop-bus history --all --since 1h | wc -l)" -eq 3001 ]
	status_is 1 loop-bus history nothing.such
	status_is 64 loop-bus history 'a*b'
	status_is 64 loop-bus history --since yesterday
}

@test "history reads from the end: the newest of a large journal costs little" {
	LOOP_JOURNAL_SEGMENT=4M
	export LOOP_JOURNAL_SEGMENT
	seq 60000 | awk '{ printf "{\"n\":%d,\"pad\":\"%0200d\"}\n", $1, 0 }' | loop-emit -t load -
	strace -f -e trace=pread64 -o reads loop-bus history -n 10 >ten || skip 'no strace'
	[ "$(field .data.n ten)" = "$(seq 59991 60000 | tr '\n' ' ')" ]
	[ "$(awk -F= '{ n += $NF } END { print (n < 4000000) }' reads)" -eq 1 ]
}

@test "replay keeps the distances, so many times as fast" {
	loop-emit a --time 2026-01-01T00:00:00Z
	loop-emit b --time 2026-01-01T00:00:10Z
	loop-emit c --time 2026-01-01T00:00:20Z
	local begin=$EPOCHREALTIME
	loop-bus replay --speed 100 >got
	[ "$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { print (b - a >= 0.2) }')" -eq 1 ]
	[ "$(field .type got)" = '"a" "b" "c" ' ]
	[ "$(loop-bus replay --speed 0 b | jq -r .type)" = b ]
}

@test "verify tells every damaged place" {
	export LOOP_JOURNAL_SEGMENT=2K
	seq 25 | loop-emit -t n -
	seq 26 50 | loop-emit -t n -
	status_is 0 loop-bus verify
	has "$output" '50 events'
	has "$output" ' 0 damaged'
	sed -i '3s/"data"/"data;/' "$LOOP_DIR/events.0.jsonl"
	echo 'no event' >>"$LOOP_DIR/events.jsonl"
	status_is 1 loop-bus verify
	has "$output" '49 events'
	has "$output" ' 2 damaged'
	[ "$(grep -c 'a line that is no JSON' <<<"$stderr")" -eq 2 ]
	status_is 1 loop-bus verify --quiet
	[ -z "$output$stderr" ]
}

@test "nothing to read is said, not made" {
	status_is 66 loop-bus history
	has "$stderr" 'no state directory'
	[ ! -e "$LOOP_DIR" ]
}

figure() { # JQ: of the bus's own
	loop-bus status --json | jq -c "$1"
}

@test "who connects and asks for nothing is cut off; who has asked stays" {
	start loop-bus serve --silence 100ms 2>bus-errors
	wait_for 40 loop-bus status
	start bash -c 'echo "{\"op\":\"sub\"}" | exec busline 3' >subscriber
	run busline 2 </dev/null
	[ "$status" -eq 1 ]
	has "$output" 'nothing was asked for'
	loop-emit a.b
	loop-emit a.c
	wait_for 20 lines_in subscriber 3
}

@test "a client of another user is sent away" {
	if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then skip 'needs root and setpriv'; fi
	open=$(mktemp -d)
	export LOOP_DIR=$open/loop
	cp "$(command -v busline)" "$open/busline"
	serve
	chmod 755 "$open" "$LOOP_DIR"
	[ "$(stat -c %a "$LOOP_DIR/bus.sock")" = 600 ]
	chmod 666 "$LOOP_DIR/bus.sock"
	echo '{"op":"ping"}' >ping
	run -1 --separate-stderr setpriv --reuid 65534 --clear-groups "$open/busline" 1 <ping
	[ -z "$output" ]
	[ "$(figure .refused)" -eq 1 ]
	[ "$(busline 1 <ping)" = '{"ok":true,"pong":true}' ]
	loop-bus stop
	rm -r "$open"
}

@test "a listener that was handed over is used, and left where it is" {
	loop-emit first
	start activate -u "$LOOP_DIR/bus.sock" loop-bus serve >told
	wait_for 40 grep -q READY told
	[ "$(echo '{"op":"pub","type":"a.b"}' | busline 1 | jq -r .id)" = "$(head -n 1 "$LOOP_DIR/events.jsonl" | wc -c)" ]
	loop-bus stop
	wait_for 80 gone "$started"
	grep -q STOPPING told
	[ -S "$LOOP_DIR/bus.sock" ]
	serve
	[ "$(echo '{"op":"ping"}' | busline 1)" = '{"ok":true,"pong":true}' ]
}

@test "without inotify the journal is asked by time" {
	unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_inotify_instances' || skip 'no user namespaces here'
	cat >blind <<-'EOF'
		#!/bin/sh
		exec unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_inotify_instances; exec loop-bus "$@"' sh "$@"
	EOF
	chmod +x blind
	serve ./blind
	start loop-bus sub >by-bus
	start ./blind sub --direct >direct
	start ./blind on 'a.*' -- sh -c 'cat >>handled'
	wait_for 20 eval 'loop-emit ready; grep -q ready by-bus && grep -q ready direct'
	wait_for 20 eval 'loop-emit a.ready; grep -q a.ready handled'
	LOOP_JOURNAL_SEGMENT=200 loop-emit a.last
	wait_for 20 grep -q a.last by-bus
	wait_for 20 grep -q a.last direct
	wait_for 20 grep -q a.last handled
}

@test "bad input has a clear error, and nothing else is disturbed" {
	serve
	start loop-bus sub >subscriber
	wait_for 20 eval '[ "$(figure ".subscribers | length")" -eq 1 ]'
	printf 'a.unended x=1' >"$LOOP_DIR/bus.fifo"
	head -c 100000000 /dev/zero | tr '\0' x >endless
	run -1 --separate-stderr busline 2 <endless
	has "$output" 'a line that is too long'
	case $BUILD_DIR in
	*/release) [ "$(awk '/VmRSS/ { print $2 }' "/proc/$bus/status")" -lt 12000 ] ;;
	esac
	wait_for 20 grep -q 'bus.fifo: a line without its end' bus-errors
	printf '%s\n' '{"type":"B A D"}' 'not..type x=1' 'a.b novalue' '{"type":"a.c","FOO":1}' 'a.good x=1' >"$LOOP_DIR/bus.fifo"
	wait_for 20 lines_in subscriber 1
	[ "$(field '[.type,.data.x]' subscriber)" = '["a.good","1"] ' ]
	[ "$(grep -c 'bus.fifo: ' bus-errors)" -eq 5 ]
	has "$(cat bus-errors)" "type 'B A D': must be lower-case words"
	has "$(cat bus-errors)" "'novalue' is neither KEY=VALUE"
	has "$(cat bus-errors)" 'attribute "FOO": must be lower-case letters and digits only'
}

@test "a cursor that points nowhere says so, and what to do" {
	for i in 1 2 3 4 5 6; do LOOP_JOURNAL_SEGMENT=200 loop-emit a.b n:=$i; done
	mkdir "$LOOP_DIR/cursors"
	printf '%-20s\n' 99999 >"$LOOP_DIR/cursors/past"
	printf '%-20s\n' 1 >"$LOOP_DIR/cursors/inside"
	printf '%-20s\n' 0 >"$LOOP_DIR/cursors/old"
	echo nonsense >"$LOOP_DIR/cursors/torn"
	rm "$LOOP_DIR/events.0.jsonl"
	status_is 66 loop-bus sub --durable past
	has "$stderr" "cursors/past: "
	has "$stderr" "99999 lies behind the journal's end; remove the file to begin anew"
	status_is 66 loop-bus sub --durable old
	has "$stderr" 'cursors/old: '
	has "$stderr" '0 lies before the oldest event, '
	status_is 66 loop-bus sub --durable inside
	status_is 65 loop-bus sub --durable torn
	has "$stderr" 'cursors/torn: '
	status_is 125 loop-bus on a.b --durable past -- true
	has "$stderr" 'remove the file'
	serve
	[ "$(echo '{"op":"sub","durable":"past"}' | busline 1 | jq -c '[.ok, (.error | contains("remove the file"))]')" = '[false,true]' ]
	rm "$LOOP_DIR/cursors/past"
	status_is 0 loop-bus sub --durable past --from "$(loop-bus history -n 1 | jq -r .id)" -n 1
	[ "$(jq .data.n <<<"$output")" = 6 ]
}

by_priority() { # EVENTS [REQUEST…]: the data of so many, then sends the requests
	local count=$1
	shift
	printf '%s\n' '{"op":"sub","order":"priority","durable":"p","from":"start"}' "$@" |
		busline $# $((count + 1)) | jq -r '.data // empty' | tr '\n' ' '
}

@test "durable and in order of priority: each level goes on where it was" {
	serve
	loop-emit -t a - <<<1
	loop-emit -t a -p high - <<<2
	loop-emit -t a - <<<3
	loop-emit -t a -p critical - <<<4
	mapfile -t id < <(jq -r .id "$LOOP_DIR/events.jsonl")
	[ "$(by_priority 4 "{\"op\":\"ack\",\"id\":\"${id[3]}\"}")" = '4 2 1 3 ' ]
	[ "$(by_priority 3 "{\"op\":\"ack\",\"id\":\"${id[2]}\"}")" = '2 1 3 ' ]
	loop-emit -t a -p low - <<<5
	[ "$(by_priority 2)" = '2 5 ' ]
	status_is 0 loop-bus sub --direct --durable p -n 5
	[ "$(jq .data <<<"$output" | tr '\n' ' ')" = '1 2 3 4 5 ' ]
}

@test "in order of priority, too, a subscriber goes on where it was" {
	serve
	sub() { loop-bus sub --order=priority --durable=urgent "$@" | jq -c '[.priority, .data.n]' | tr -d '\n'; }
	for n in 1 3 5; do loop-emit an.event -p low n:="$n"; done
	for n in 2 4 6; do loop-emit an.event -p high n:="$n"; done
	[ "$(sub --from start -n 4)" = '["high",2]["high",4]["high",6]["low",1]' ]
	loop-emit an.event -p high n:=7
	[ "$(sub -n 2)" = '["high",7]["low",3]' ]
	[ "$(sub -n 1 --where data.n=5)" = '["low",5]' ]
	loop-emit an.event -p critical n:=8
	[ "$(sub -n 1)" = '["critical",8]' ]
	loop-bus stop
	status_is 69 loop-bus sub --order=priority --durable=urgent -n 1
}

@test "where descriptors are short it says so and ends, and is not aborted" {
	export ASAN_OPTIONS=detect_leaks=0 # which takes descriptors of its own
	for n in {6..16}; do
		for words in serve 'on a -- true'; do
			# shellcheck disable=SC2086
			run --separate-stderr timeout 10 prlimit "--nofile=$n:$n" loop-bus $words
			[ "$status" = 74 ] || [ "$status" = 125 ]
			has "$stderr" 'Too many open files'
		done
	done
}
