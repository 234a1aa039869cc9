load helper
load stream

ids() {
	sed -n 's/^id: //p' "$1"
}

has_ids() { # FILE COUNT
	[ "$(ids "$1" | wc -l)" -ge "$2" ]
}

journal_ids() {
	cat "$LOOP_DIR"/events.*jsonl | jq -r .id
}

@test "malformed and odd requests are answered as the table says" {
	serve
	run rawhttp "$port" "$SOURCE_TREE/tests/cases/http"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${output##*, }" = '0 failed' ]
	[ "$(get "$url/healthz")" = ok ]
}

@test "the runner of the table fails where an answer is another one" {
	serve
	printf 'wrong\t404 open\tGET /healthz HTTP/1.1\\r\\nHost: 127.0.0.1:\\P\\r\\n\\r\\n\n' >table
	status_is 1 rawhttp "$port" table
	has "$output" 'answered 200, not 404'
}

@test "events reach a client as they are appended, as the journal has them" {
	serve
	follow out "$url/events"
	burst 3 story.started P/US-1
	wait_for 40 has_ids out 3
	[ "$(ids out)" = "$(journal_ids)" ]
	[ "$(sed -n 's/^data: //p' out)" = "$(<"$LOOP_DIR/events.jsonl")" ]
	[ "$(grep -c '^event: story.started$' out)" -eq 3 ]
}

@test "a client resumes behind its last event, over a restart of the server" {
	burst 10 metric
	serve
	mapfile -t all < <(journal_ids)
	follow first --header "Last-Event-ID: ${all[3]}" "$url/events"
	wait_for 40 has_ids first 6
	[ "$(ids first)" = "$(printf '%s\n' "${all[@]:4}")" ]
	kill "$started"
	loop-stream stop
	serve
	burst 2 metric
	mapfile -t all < <(journal_ids)
	follow second "$url/stream/progress?after=${all[7]}"
	wait_for 40 has_ids second 4
	[ "$(ids second)" = "$(printf '%s\n' "${all[@]:8}")" ]
	follow third "$url/events?from=${all[7]}"
	wait_for 40 has_ids third 5
	[ "$(ids third | head -1)" = "${all[7]}" ]
}

@test "a client reads across rotations, from the start and live, none twice" {
	export LOOP_JOURNAL_SEGMENT=20000
	burst 400 metric
	serve
	follow out "$url/events?from=start"
	for _ in {1..30}; do burst 30 metric; done
	wait_for 40 has_ids out 1300
	[ "$(ids out)" = "$(journal_ids | sort -n)" ]
	[ "$(find "$LOOP_DIR" -name 'events.*.jsonl' | wc -l)" -gt 5 ]
}

@test "a place that was rotated away, or is of an older journal, is told as a gap" {
	export LOOP_JOURNAL_SEGMENT=5000
	for _ in {1..10}; do burst 20 metric; done
	rm "$LOOP_DIR/events.0.jsonl"
	serve
	follow out "$url/events?after=0"
	wait_for 40 grep -q '^event: stream.gap$' out
	wait_for 40 has_ids out 100
	[ "$(ids out)" = "$(journal_ids | sort -n)" ]
	follow later "$url/events?after=99999999"
	wait_for 40 has_ids later 100
	status_is 0 get --write-out '%{http_code}' --output /dev/null "$url/events?after=$(($(ids out | tail -1) + 1))"
	[ "$output" = 400 ]
}

@test "each client has its own filters" {
	serve
	follow stories "$url/events?types=story.*,task.**"
	follow subject "$url/events?subject=P/**&types=story.started"
	follow by_run "$url/events?run=run-1"
	burst 1 story.started P/US-1
	burst 1 metric P/US-1 0 run-1
	burst 1 task.completed Q
	burst 1 story.started Q/US-2
	burst 1 last P 0 run-1
	wait_for 40 has_ids by_run 2
	wait_for 40 has_ids stories 3
	[ "$(grep '^event' stories)" = $'event: story.started\nevent: task.completed\nevent: story.started' ]
	[ "$(ids subject)" = 0 ]
	[ "$(grep '^event' by_run)" = $'event: metric\nevent: last' ]
}

@test "a client that does not read delays nobody and misses nothing" {
	serve
	mkfifo slow
	start curl --silent --no-buffer --output slow "$url/events"
	slow_client=$started
	exec 7<slow
	kill -STOP "$slow_client"
	follow quick "$url/events"
	for _ in 1 2 3 4; do burst 3000 metric '' 1000; done
	wait_for 80 has_ids quick 12000
	[ "$(get "$url/healthz")" = ok ]
	kill -CONT "$slow_client"
	timeout 20 sed -n '/"n":2999,/{x;s/^/./;/^.\{4\}$/q;x};s/^id: //p' <&7 >got
	exec 7<&-
	[ "$(sed '/[^0-9]/d' got | head -12000)" = "$(journal_ids)" ]
}

@test "a silent stream is kept alive by comments" {
	serve --keep-alive 100ms
	follow out "$url/events"
	wait_for 40 grep -q '^:$' out
}

@test "HTTP/1.0 gets the stream without chunks, HEAD only its head" {
	burst 1 metric
	serve
	follow out --http1.0 "$url/events?from=start"
	wait_for 40 has_ids out 1
	has "$(get --head "$url/events")" 'Content-Type: text/event-stream; charset=utf-8'
}

@test "status tells of clients and of the journal, the command too" {
	burst 2 metric
	serve
	follow out "$url/events"
	[ "$(get "$url/status" | jq .clients.streams)" = 1 ]
	status_is 0 loop-stream status
	has "$output" "$url/"
	status_is 0 loop-stream status --json
	[ "$(jq -r .journal.end <<<"$output")" = "$(stat -c %s "$LOOP_DIR/events.jsonl")" ]
}

@test "one server a state directory; stop ends it, streams included" {
	serve
	server=$started
	follow out "$url/events"
	status_is 75 loop-stream serve --listen 127.0.0.1:0
	has "$stderr" "already running: pid $server"
	status_is 0 loop-stream stop
	wait_for 40 gone "$server"
	status_is 1 loop-stream status
	status_is 1 loop-stream stop
	[ ! -e "$LOOP_DIR/stream.pid" ]
}

@test "a server that was killed leaves nothing in the way" {
	serve
	kill -KILL "$started"
	wait "$started" || true
	status_is 1 loop-stream status
	serve
	status_is 0 loop-stream status
}

@test "the daemon is ready when the command returns" {
	status_is 0 loop-stream serve --daemon --listen 127.0.0.1:0
	url=$output
	STARTED+=("$(head -1 "$LOOP_DIR/stream.pid")")
	[ "$(get "${url}healthz")" = ok ]
	status_is 75 loop-stream serve --daemon --listen 127.0.0.1:0
	status_is 0 loop-stream stop
}

@test "a port that is taken, and an address that is none, are said" {
	serve
	status_is 69 env LOOP_DIR="$SCRATCH/other" loop-stream serve --listen "127.0.0.1:$port"
	has "$stderr" 'Address already in use'
	status_is 64 env LOOP_DIR="$SCRATCH/other" loop-stream serve --listen example.com:1
	has "$stderr" "'example.com' is no numeric address"
	status_is 64 env LOOP_DIR="$SCRATCH/other" loop-stream serve 127.0.0.1:0
	has "$stderr" "one operand too many: '127.0.0.1:0'"
}

@test "a Unix socket serves its owner, and a dead one is replaced" {
	for _ in 1 2; do
		start loop-stream serve --listen "unix:$SCRATCH/s"
		wait_for 40 loop-stream status
		[ "$(stat -c %a s)" = 600 ]
		[ "$(get --unix-socket s http://localhost/healthz)" = ok ]
		kill -KILL "$started"
		wait "$started" || true
	done
}

@test "beyond loopback every request needs the token" {
	start loop-stream serve --listen 0.0.0.0:0 --port-file port
	wait_for 40 test -s port
	url=http://127.0.0.1:$(<port)
	[ "$(get --output /dev/null --write-out '%{http_code}' "$url/healthz")" = 401 ]
	[ "$(stat -c %a "$LOOP_DIR/token")" = 600 ]
	[ "$(get --header "Authorization: Bearer $(<"$LOOP_DIR/token")" "$url/healthz")" = ok ]
	[ "$(get "$url/healthz?token=$(<"$LOOP_DIR/token")")" = ok ]
	[ "$(get --output /dev/null --write-out '%{http_code}' "$url/healthz?token=x")" = 401 ]
}

# drip: a head to descriptor 7 that has no end, until nobody is there to be told.
drip() {
	trap '' PIPE
	while printf 'X-Drip: 1\r\n' >&7; do sleep 0.1; done 2>/dev/null
}

@test "deadlines are absolute: a head that drips and a body that stalls are cut" {
	serve --head-timeout 300ms --body-timeout 300ms --idle-timeout 300ms
	exec 7<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n' "$port" >&7
	start drip
	has "$(timeout 20 cat <&7)" '408 Request Timeout'
	exec 7>&-
	exec 7<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nContent-Length: 9\r\n\r\nabc' "$port" >&7
	has "$(timeout 5 cat <&7)" '408 Request Timeout'
	exec 7>&-
	exec 7<>"/dev/tcp/127.0.0.1/$port"
	[ -z "$(timeout 5 cat <&7)" ]
	exec 7>&-
}

@test "a journal that begins anew is told, and goes on" {
	burst 50 metric
	serve
	follow out "$url/events"
	rm "$LOOP_DIR/events.jsonl"
	burst 2 metric
	wait_for 40 has_ids out 2
	grep -q '^event: stream.gap$' out
	[ "$(ids out)" = "$(journal_ids)" ]
}

# a_run: a plan and a log as the scheduler writes them, without a scheduler.
a_run() {
	mkdir -p "$LOOP_DIR/runs/run-1"
	echo '{"name":"p","tasks":[{"id":"a","title":"A","needs":[]},{"id":"b","needs":["a"]}]}' \
		>"$LOOP_DIR/runs/run-1/plan.json"
	printf '{"time":"2026-11-21T09:00:00Z",%s}\n' '"run":"started","pid":1,"start":1,"boot":"x"' \
		'"task":"a","state":"succeeded","attempt":2,"status":0,"ms":1500' \
		>"$LOOP_DIR/runs/run-1/run.jsonl"
}

@test "runs are told with their tasks and their plan" {
	a_run
	serve
	[ "$(get "$url/runs" | jq -c '.runs[] | [.id, .state, .counts.succeeded, .counts.waiting]')" = \
		'["run-1","interrupted",1,1]' ]
	get "$url/runs/run-1" >run
	[ "$(jq -c '.tasks[0] | [.state, .attempt, .ms]' run)" = '["succeeded",2,1500]' ]
	[ "$(jq -c '.document.tasks[1].needs' run)" = '["a"]' ]
	mkfifo "$LOOP_DIR/runs/run-1/control"
	token="Authorization: Bearer $(<"$LOOP_DIR/token")"
	[ "$(get --request POST --header "$token" --write-out '%{http_code}' --output /dev/null \
		"$url/runs/run-1/pause")" = 409 ]
	exec 7<>"$LOOP_DIR/runs/run-1/control"
	get --header "$token" --json '{"who":"me","why":"\u001b"}' "$url/runs/run-1/cancel"
	read -r -t 5 line <&7
	exec 7>&-
	[ "$line" = cancel ]
	[ "$(jq -c '[.type, .runid, .data]' "$LOOP_DIR/events.jsonl")" = \
		'["run.control","run-1",{"action":"cancel","who":"me","why":"\u001b"}]' ]
}

@test "sessions are told with their logs" {
	mkdir -p "$LOOP_DIR/sessions/ses_1"
	echo '{"state":"running"}' >"$LOOP_DIR/sessions/ses_1/session.json"
	printf '0123456789' >"$LOOP_DIR/sessions/ses_1/stdout.log"
	echo 'no JSON' >"$LOOP_DIR/sessions/ses_1/result.json"
	serve
	[ "$(get "$url/sessions" | jq -c '.sessions')" = \
		'[{"id":"ses_1","session":{"state":"running"},"result":null}]' ]
	[ "$(get "$url/sessions/ses_1/log")" = 0123456789 ]
	get --include "$url/sessions/ses_1/log?from=7" >part
	grep -q '^X-Next: 10' part
	[ "$(tail -n 1 part)" = 789 ]
	[ "$(get "$url/sessions/ses_1/log?limit=3")" = 789 ]
	for log in 'log?stream=../session.json' 'log?stream=stderr'; do
		[ "$(get --write-out '%{http_code}' --output /dev/null "$url/sessions/ses_1/$log")" = 404 ]
	done
}

@test "history tells the newest events that fit, or those from a place on" {
	burst 5 a.b
	burst 5 c.d X/1 0 run-1
	serve
	[ "$(get "$url/history" | jq '.events | length')" = 10 ]
	[ "$(get "$url/history?limit=2&types=a.*" | jq -c '[.events[].data.n]')" = '[3,4]' ]
	get "$url/history?from=start&limit=4" >first
	get "$url/history?from=$(jq -r .next first)&run=run-1" >second
	[ "$(jq -c '[.events[].data.n]' first)" = '[0,1,2,3]' ]
	[ "$(jq -c '[.events[].data.n]' second)" = '[0,1,2,3,4]' ]
	[ "$(get "$url/history?before=$(jq -r '.events[0].id' second)&limit=1" | jq .events[0].data.n)" = 4 ]
}

@test "history that stopped early says how to go on, either way, and ends" {
	burst 3 a.b
	burst 5 c.d
	serve
	pages() { # PARAMETER: the first page, and those behind it
		local more=$1
		while [ "$more" ]; do
			get "$url/history?types=a.*&limit=2&$more" >page
			jq -c '[.events[].data.n]' page
			more=$(jq -r '.more // {} | to_entries[] | "\(.key)=\(.value)"' page)
		done
	}
	[ "$(pages from=start)" = $'[0,1]\n[2]' ]
	[ "$(pages run=)" = $'[1,2]\n[0]' ]
}

@test "long polling answers with what comes, and goes on where it was" {
	burst 1 first
	serve
	start get --output one "$url/poll?types=second"
	two_clients() { [ "$(get "$url/status" | jq .clients.open)" = 2 ]; }
	wait_for 40 two_clients
	burst 1 other
	burst 2 second
	wait "$started"
	[ "$(jq -c '[.events[].data.n]' one)" = '[0,1]' ]
	burst 1 third
	[ "$(get "$url/poll?from=$(jq -r .next one)" | jq -r '.events[0].type')" = third ]
}

@test "events may be posted with the token, and only as JSON" {
	serve
	token="Authorization: Bearer $(<"$LOOP_DIR/token")"
	[ "$(get --header "$token" --json '{"type":"a.b","data":{"x":1}}' "$url/events" | jq -r .id)" = 0 ]
	[ "$(jq -c .data "$LOOP_DIR/events.jsonl")" = '{"x":1}' ]
	post() { get --output answer --write-out '%{http_code}' --header "$token" --data "$@" "$url/events"; }
	[ "$(post '{"type":"a.b"}')" = 415 ]
	[ "$(post '{"type":"A b"}' --header 'Content-Type: application/json')" = 400 ]
	[ "$(post 'x' --header 'Content-Type: application/json')" = 400 ]
	[ "$(wc -l <"$LOOP_DIR/events.jsonl")" -eq 1 ]
}

@test "metrics are in the text format, each with its type" {
	serve
	get "$url/metrics" >metrics
	[ "$(grep -c '^# TYPE' metrics)" -eq "$(grep -vc '^#' metrics)" ]
	grep -q '^loop_stream_requests_total [0-9]*$' metrics
}

@test "the series of loop-stat and a run's report are given as their programs give them" {
	for n in {1..50}; do printf '{"type":"metric","subject":"P/%d","data":{"value":%d}}\n' $((n % 2)) "$n"; done | loop-emit -
	echo '{"name":"p","tasks":[{"id":"a","title":"<b>","run":"true"}]}' >plan.json
	loop-sched run plan.json --id run-1 >/dev/null
	serve
	for query in by=type 'by=subject&type=metric' 'window=1h&since=1h' 'type=none.such' 'value=data.value&subject=P/1'; do
		IFS='&' read -ra words <<<"$query"
		[ "$(get "$url/stat?$query" | jq -c '.series[]')" = "$(loop-stat --json "${words[@]/#/--}" | jq -c .)" ]
	done
	code() { get --output answer --write-out '%{http_code}' "$@"; }
	[ "$(code "$url/stat?type=a..b")" = 400 ]
	has "$(<answer)" "--type: 'a..b' is no pattern"
	[ "$(code "$url/stat?window=%00")" = 400 ]
	[ "$(code "$url/stat?window=--help")" = 400 ]
	[ "$(code "$url/runs/run-1/report")" = 200 ]
	cmp answer <(loop report --html run-1)
	grep -q '&lt;b&gt;' answer
	[ "$(code --head "$url/runs/run-1/report")" = 200 ]
	grep -qi "^content-security-policy: default-src 'none'" answer
	[ "$(code "$url/runs/none/report")" = 404 ]
	[ "$(code --path-as-is "$url/runs/../report")" = 404 ]
	[ "$(code "$url/runs/--help/report")" = 404 ]
}

@test "a program that gives no answer is ended with who asked it, and said where it cannot be run" {
	mkdir bin
	printf '#!/bin/sh\necho $$ >>"%s/ran"\nsleep 60\n' "$SCRATCH" >bin/loop-stat
	chmod +x bin/loop-stat
	PATH=$SCRATCH/bin:$PATH
	serve
	start curl --silent "$url/stat"
	wait_for 40 test -s ran
	kill "$started"
	ended() { while read -r pid; do gone "$pid" || return 1; done <ran; }
	wait_for 40 ended
	start curl --silent "$url/stat"
	again() { [ "$(wc -l <ran)" -eq 2 ]; }
	wait_for 40 again
	loop-stream stop
	ended
	wait_for 40 nothing_left
}

@test "a service manager's socket and readiness are understood" {
	start activate loop-stream serve >told
	wait_for 40 grep -q '^READY=1' told
	[ "$(get "http://127.0.0.1:$(sed -n 's/^PORT=//p' told)/healthz")" = ok ]
	loop-stream stop
	wait "$started"
	grep -q '^STOPPING=1' told
}

@test "the dashboard is served whole, from here alone, and is small" {
	serve
	get --include "$url/" >page
	grep -q "^Content-Security-Policy: default-src 'none'; script-src 'self'" page
	grep -q '^X-Frame-Options: DENY' page
	for file in $(grep -oE "(href|src)=\"[a-z]+\.(css|js)\"" page | cut -d '"' -f 2) \
		$(grep -ohE "from '\./[a-z]+\.js'" "$SOURCE_TREE"/share/dashboard/*.js | grep -oE '[a-z]+\.js' | sort -u); do
		get --fail "$url/$file" | cmp - "$SOURCE_TREE/share/dashboard/$file"
	done
	! grep -rE 'https?://' "$SOURCE_TREE/share/dashboard" | grep -v 'www.w3.org/2000/svg' || false
	[ "$(cat "$SOURCE_TREE"/share/dashboard/* | wc -c)" -lt 150000 ]
}

@test "beyond loopback the page keeps the token it was opened with, for reading only" {
	start loop-stream serve --listen 0.0.0.0:0 --port-file port
	wait_for 40 test -s port
	url=http://127.0.0.1:$(<port)
	get --cookie-jar jar --output /dev/null "$url/?token=$(<"$LOOP_DIR/token")"
	[ "$(get --cookie jar "$url/healthz")" = ok ]
	[ "$(get --cookie jar --output /dev/null --write-out '%{http_code}' --json '{}' "$url/events")" = 401 ]
	[ "$(get --cookie 'loop_token=wrong' --output /dev/null --write-out '%{http_code}' "$url/")" = 401 ]
}

@test "a gate is answered with the token, once" {
	start loop-gate ask --id deploy 'Deploy it?'
	asker=$started
	serve
	token="Authorization: Bearer $(<"$LOOP_DIR/token")"
	asked() { [ "$(get "$url/gates" | jq -r '.gates[].state')" = pending ]; }
	wait_for 40 asked
	post() { get --output answer --write-out '%{http_code}' --header "$token" --json "$2" "$url/gates/$1"; }
	[ "$(get --output /dev/null --write-out '%{http_code}' --json '{}' "$url/gates/deploy/approve")" = 401 ]
	[ "$(post nothing/approve '{}')" = 404 ]
	[ "$(post deploy/answer '{"text":"perhaps"}')" = 400 ]
	[ "$(post deploy/approve '{"who":"me","why":"tested","text":""}')" = 200 ]
	wait "$asker"
	[ "$(jq -c '[.state, .by, .why]' answer)" = '["approved","me","tested"]' ]
	[ "$(post deploy/reject '{}')" = 409 ]
}

@test "the metrics and the units are what their own checkers accept, where these are" {
	mkdir units
	for unit in service socket; do
		sed "s|/usr/local/bin|$BUILD_DIR/bin|" "$SOURCE_TREE/share/systemd/loop-stream.$unit" >"units/loop-stream.$unit"
	done
	if command -v systemd-analyze >/dev/null; then
		run systemd-analyze verify --man=no "$PWD"/units/*
		[ -z "$output" ]
		[ "$status" -eq 0 ]
	fi
	serve
	get "$url/metrics" >metrics
	if command -v promtool >/dev/null; then get "$url/metrics" | promtool check metrics; fi
	[ "$(grep -v '^#' metrics | cut -d ' ' -f 1 | sort | uniq -d | wc -l)" -eq 0 ]
}

@test "the shell client of the examples shows events, and comes back behind the last one it had" {
	burst 1 early
	serve
	start "$SOURCE_TREE/share/examples/stream/follow" "$url" 'types=story.*' >told 2>/dev/null
	one() { loop-emit story.started -s P/1 story=1 && sleep 0.1 && grep -q 'story.started P/1 {"story":"1"}$' told; }
	wait_for 40 one
	loop-stream stop
	loop-emit story.completed story=1
	start loop-stream serve --listen "${url#http://}"
	wait_for 40 grep -q 'story.completed  {"story":"1"}$' told
	loop-emit story.started story=2
	wait_for 40 grep -q 'story.started  {"story":"2"}$' told
	[ "$(grep -c story.completed told)" -eq 1 ]
	[ "$(grep -c early told)" -eq 0 ]
}
