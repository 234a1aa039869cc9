load helper
load stream

# What a server on a machine with other things on it has to stand.

# half_open COUNT TEXT: connections that stay, until descriptor 7 is closed; how they end is in closed.
half_open() {
	mkfifo hold
	halfopen "$port" "$1" "$2" <hold >closed 3>&- &
	started=$!
	STARTED+=("$started")
	exec 7>hold
	wait_for 120 grep -q ready closed
}

@test "half-open connections delay nobody and are cut at their deadline" {
	serve --head-timeout 2s
	half_open "${HALF_OPEN:-2000}" 'GET /healthz HTTP/1.1\r\nHost:'
	[ "$(get "$url/healthz")" = ok ]
	wait "$started"
	exec 7>&-
	[ "$(tail -n 1 closed)" = "${HALF_OPEN:-2000}" ]
	[ "$(get "$url/healthz")" = ok ]
}

@test "slow heads and bodies are cut while idle connections stay" {
	serve --head-timeout 300ms --body-timeout 300ms --idle-timeout 60s
	half_open 300 "GET /healthz HTTP/1.1\\r\\nHost: 127.0.0.1:$port\\r\\n\\r\\n"
	exec 8<>"/dev/tcp/127.0.0.1/$port"
	printf 'POST /events HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nContent-Length: 9\r\n\r\nabc' "$port" >&8
	[[ "$(timeout 5 cat <&8)" = *'408 Request Timeout'* ]]
	exec 8>&-
	[ "$(get "$url/healthz")" = ok ]
	[ "$(get "$url/status" | jq .clients.open)" -gt 300 ]
	exec 7>&-
	wait "$started"
	[ "$(tail -n 1 closed)" = 0 ]
}

@test "without descriptors left it waits, and goes on when there are some" {
	(ulimit -n 48 && exec loop-stream serve --listen 127.0.0.1:0 --port-file port --idle-timeout 60s) 3>&- &
	started=$!
	server=$started
	STARTED+=("$server")
	wait_for 40 test -s port
	port=$(<port)
	url=http://127.0.0.1:$port
	half_open 80 "GET /healthz HTTP/1.1\\r\\nHost: 127.0.0.1:$port\\r\\n\\r\\n"
	kill -0 "$server"
	exec 7>&-
	wait "$started"
	[ "$(get "$url/healthz")" = ok ]
	[ "$(get "$url/runs")" = '{"runs":[]}' ]
}

@test "a token that others can read is refused, and one that is none" {
	mkdir -p "$LOOP_DIR"
	echo 0123456789abcdef0123 >"$LOOP_DIR/token"
	chmod 644 "$LOOP_DIR/token"
	status_is 77 loop-stream serve --listen 127.0.0.1:0
	has "$stderr" 'token: others may read it: chmod 600'
	chmod 600 "$LOOP_DIR/token"
	echo short >"$LOOP_DIR/token"
	status_is 65 loop-stream serve --listen 127.0.0.1:0
	has "$stderr" 'shorter than 16 characters'
}

@test "a journal that is truncated, emptied or gone under the server is told, and it goes on" {
	burst 20 metric
	serve
	follow out "$url/events"
	burst 1 before
	wait_for 40 grep -q '^event: before$' out
	# What is appended before the cut was seen may be taken for what was there.
	ends_at() { [ "$(get "$url/status" | jq -r .journal.end)" = "$1" ]; }
	truncate -s 500 "$LOOP_DIR/events.jsonl"
	wait_for 40 ends_at 500
	burst 1 after.cut
	wait_for 40 grep -q '^event: after.cut$' out
	: >"$LOOP_DIR/events.jsonl"
	wait_for 40 ends_at 0
	burst 1 after.emptied
	wait_for 40 grep -q '^event: after.emptied$' out
	rm "$LOOP_DIR/events.jsonl"
	[ "$(get "$url/healthz")" = ok ]
	[ "$(get "$url/history" | jq '.events | length')" -ge 0 ]
	burst 1 after.all
	wait_for 40 grep -q '^event: after.all$' out
	[ "$(grep -c '^event: stream.gap$' out)" -ge 1 ]
	[ "$(get "$url/history" | jq -r '.events[-1].type')" = after.all ]
}

@test "a page of another origin, or under another name, gets nothing" {
	serve
	for path in / /events /ws /socket.io/ /poll /history /runs /status /metrics; do
		[ "$(get --output /dev/null --write-out '%{http_code}' --header 'Host: rebound.example' "$url$path")" = 421 ]
		[ "$(get --output /dev/null --write-out '%{http_code}' --header 'Origin: http://evil.example' "$url$path")" = 403 ]
		[ "$(get --output /dev/null --write-out '%{http_code}' --header 'Sec-Fetch-Site: cross-site' "$url$path")" = 403 ]
	done
	for path in /../token /%2e%2e/token /sessions/../token /sessions/..%2f..%2ftoken/log /runs/..; do
		[ "$(get --path-as-is --output /dev/null --write-out '%{http_code}' "$url$path")" = 404 ]
	done
}

@test "many low events become the newest; no other is left out" {
	serve
	follow folded "$url/events"
	follow room "$url/events?types=step"
	for n in {1..400}; do
		printf '{"type":"step","subject":"P/1","priority":"low","data":{"n":%d}}\n' "$n"
		((n % 40)) || printf '{"type":"done","subject":"P/1","data":{"n":%d}}\n' "$n"
	done | loop-emit -
	wait_for 40 grep -q '"n":400}' folded
	wait_for 40 grep -q '"n":400}' room
	[ "$(grep -c '^event: done$' folded)" -eq 10 ]
	[ "$(grep -c '^event: step$' folded)" -lt 200 ]
	[ "$(grep -c '^event: step$' room)" -lt 200 ]
	loop-stream stop
	serve --frame-rate 0
	follow whole "$url/events?from=start"
	wait_for 40 grep -q '"n":400}' whole
	[ "$(grep -c '^event: step$' whole)" -eq 400 ]
}

@test "a run that failed is retried by a scheduler that outlives the server" {
	cat >plan.json <<-END
		{"name":"p","tasks":[{"id":"a","run":"test -e $SCRATCH/mended"}]}
	END
	status_is 1 loop-sched run plan.json --id run-1
	serve
	token="Authorization: Bearer $(<"$LOOP_DIR/token")"
	post() { get --request POST --output answer --write-out '%{http_code}' --header "$token" "$url/runs/$1/retry"; }
	[ "$(get --request POST --output answer --write-out '%{http_code}' "$url/runs/run-1/retry")" = 401 ]
	[ "$(post none)" = 404 ]
	touch mended
	[ "$(post run-1)" = 202 ]
	loop-stream stop
	succeeded() { [ "$(tail -n 1 "$LOOP_DIR/runs/run-1/run.jsonl" | jq -r .state)" = succeeded ]; }
	wait_for 80 succeeded
	wait_for 40 nothing_left
}

@test "while the runs are read, events go on" {
	mkdir -p "$LOOP_DIR/runs/big"
	echo '{"name":"p","tasks":[{"id":"a"}]}' >"$LOOP_DIR/runs/big/plan.json"
	yes '{"time":"2026-11-21T09:00:00Z","task":"a","state":"running","attempt":1}' |
		head -n 100000 >"$LOOP_DIR/runs/big/run.jsonl"
	serve
	follow out "$url/events"
	start curl --silent --show-error --output runs "$url/runs"
	reader=$started
	burst 1 metric
	wait_for 40 grep -q '^event: metric$' out
	wait "$reader"
	[ "$(jq -r '.runs[].id' runs)" = big ]
}

# talk NAME PATH: a WebSocket whose messages are what is written to descriptor 7; what it gets is in the file NAME.
talk() {
	rm -f messages
	mkfifo messages
	exec 7<>messages
	rm messages
	: >"$1"
	wstalk "$port" "$2" <&7 >"$1" 3>&- &
	STARTED+=("$!")
}

# answered NAME PATTERN COUNT: so many lines of what it got are answers.
answered() {
	[ "$(grep -c "$2" "$1")" -ge "$3" ]
}

# others_meanwhile CONDITION…: how many pings another client has answered until it holds.
others_meanwhile() {
	local line other
	pongs=0
	coproc OTHER { exec wstalk "$port" /ws 3>&-; }
	other=$OTHER_PID
	STARTED+=("$other")
	until "$@"; do
		echo '{"op":"ping"}' >&"${OTHER[1]}"
		read -r line <&"${OTHER[0]}"
		[ "$line" = '{"op":"pong"}' ]
		pongs=$((pongs + 1))
	done
	kill "$other"
	wait "$other" || true
}

@test "a long search for history, by WebSocket or Socket.IO, delays nobody else" {
	burst 60000 metric
	serve
	talk got /ws
	for n in {1..12}; do echo '{"op":"history","types":"nothing.like.it"}'; done >&7
	echo '{"op":"ping"}' >&7
	others_meanwhile answered got pong 1
	[ "$pongs" -ge 12 ]
	[ "$(grep '"op"' got | head -n 12 | grep -c '"op":"history","events":\[\]')" -eq 12 ]
	exec 7>&-
	talk got '/socket.io/?EIO=4&transport=websocket'
	echo 40 >&7
	wait_for 40 grep -q '^40{' got
	printf '42%d["history",{"types":"nothing.like.it"}]\n' {10..49} >&7
	others_meanwhile answered got '^43' 40
	[ "$pongs" -ge 12 ]
	grep -o '^43[0-9]*\[{"ok":true,"events":\[\]' got >found
	[ "$(wc -l <found)" -ge 16 ]
	sort -c found
	grep -q '{"ok":false,"error":"16 such requests wait already"}' got
	exec 7>&-
}

@test "a client that leaves in the middle of its search, and a server that does, leave nothing behind" {
	burst 60000 metric
	serve
	for _ in 1 2 3; do
		talk got /ws
		echo '{"op":"history","types":"nothing.like.it"}' >&7
		echo '{"op":"sub","from":"start"}' >&7
		wait_for 40 grep -q '"op":"history"' got
		echo '{"op":"history","types":"nothing.like.it"}' >&7
		exec 7>&-
		kill "${STARTED[-1]}"
	done
	nobody() { [ "$(get "$url/status" | jq .clients.open)" -eq 1 ]; }
	wait_for 40 nobody
	talk got /ws
	for n in {1..12}; do echo '{"op":"history","types":"nothing.like.it"}'; done >&7
	wait_for 40 grep -q '"op":"history"' got
	loop-stream stop
	grep -qx end got
}

@test "a poll of Socket.IO finds the one event behind many that it does not want" {
	burst 1 early
	burst 40000 metric
	burst 1 late
	serve --eio-ping-interval 60s --eio-ping-timeout 60s
	sio="$url/socket.io/?EIO=4&transport=polling"
	sio="$sio&sid=$(get "$sio" | cut -c 2- | jq -r .sid)"
	get --data '40{"from":"start","types":"early,late"}' "$sio" >/dev/null
	until grep -q '42\["late"' polled; do get "$sio" >>polled; done
	grep -q '42\["early"' polled
}

@test "hundreds of clients at once have every event, those with a filter too" {
	serve
	start fanload "$port" /events 300 400 >all
	all=$started
	start fanload "$port" '/events?types=metric' 300 400 >some
	some=$started
	wait_for 120 grep -q ready all
	wait_for 120 grep -q ready some
	for _ in 1 2 3 4; do burst 100 metric P/1 2000; done
	wait "$all"
	wait "$some"
	[ "$(get "$url/metrics" | sed -n 's/^loop_stream_events_sent_total //p')" -eq 240000 ]
}
