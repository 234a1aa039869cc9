load helper

setup_more() {
	PATH=$BUILD_DIR/tests/tools:$PATH
}

# serve OPTION…: a server on a free port; sets $port and $url.
serve() {
	rm -f port
	start loop-stream serve --listen 127.0.0.1:0 --port-file port "$@"
	wait_for 10 test -s port
	port=$(<port)
	url=http://127.0.0.1:$port
}

get() {
	curl --silent --show-error --max-time 10 "$@"
}

# follow FILE PATH…: curl in the background, its stream in a file.
follow() {
	local file=$1
	shift
	start curl --silent --no-buffer --max-time 30 --output "$file" "$@"
	wait_for 10 grep -qs '^retry' "$file"
}

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
	wait_for 10 has_ids out 3
	[ "$(ids out)" = "$(journal_ids)" ]
	[ "$(sed -n 's/^data: //p' out)" = "$(<"$LOOP_DIR/events.jsonl")" ]
	[ "$(grep -c '^event: story.started$' out)" -eq 3 ]
}

@test "a client resumes behind its last event, over a restart of the server" {
	burst 10 metric
	serve
	mapfile -t all < <(journal_ids)
	follow first --header "Last-Event-ID: ${all[3]}" "$url/events"
	wait_for 10 has_ids first 6
	[ "$(ids first)" = "$(printf '%s\n' "${all[@]:4}")" ]
	kill "$started"
	loop-stream stop
	serve
	burst 2 metric
	mapfile -t all < <(journal_ids)
	follow second "$url/stream/progress?after=${all[7]}"
	wait_for 10 has_ids second 4
	[ "$(ids second)" = "$(printf '%s\n' "${all[@]:8}")" ]
	follow third "$url/events?from=${all[7]}"
	wait_for 10 has_ids third 5
	[ "$(ids third | head -1)" = "${all[7]}" ]
}

@test "a client reads across rotations, from the start and live, none twice" {
	export LOOP_JOURNAL_SEGMENT=20000
	burst 400 metric
	serve
	follow out "$url/events?from=start"
	for _ in {1..30}; do burst 30 metric; done
	wait_for 10 has_ids out 1300
	[ "$(ids out)" = "$(journal_ids | sort -n)" ]
	[ "$(find "$LOOP_DIR" -name 'events.*.jsonl' | wc -l)" -gt 5 ]
}

@test "a place that was rotated away, or is of an older journal, is told as a gap" {
	export LOOP_JOURNAL_SEGMENT=5000
	for _ in {1..10}; do burst 20 metric; done
	rm "$LOOP_DIR/events.0.jsonl"
	serve
	follow out "$url/events?after=0"
	wait_for 10 grep -q '^event: stream.gap$' out
	wait_for 10 has_ids out 100
	[ "$(ids out)" = "$(journal_ids | sort -n)" ]
	follow later "$url/events?after=99999999"
	wait_for 10 has_ids later 100
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
	wait_for 10 has_ids by_run 2
	wait_for 10 has_ids stories 3
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
	wait_for 20 has_ids quick 12000
	[ "$(get "$url/healthz")" = ok ]
	kill -CONT "$slow_client"
	timeout 20 sed -n '/"n":2999,/{x;s/^/./;/^.\{4\}$/q;x};s/^id: //p' <&7 >got
	exec 7<&-
	[ "$(sed '/[^0-9]/d' got | head -12000)" = "$(journal_ids)" ]
}

@test "a silent stream is kept alive by comments" {
	serve --keep-alive 100ms
	follow out "$url/events"
	wait_for 10 grep -q '^:$' out
}

@test "HTTP/1.0 gets the stream without chunks, HEAD only its head" {
	burst 1 metric
	serve
	follow out --http1.0 "$url/events?from=start"
	wait_for 10 has_ids out 1
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
	wait_for 10 gone "$server"
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
}

@test "a Unix socket serves its owner, and a dead one is replaced" {
	for _ in 1 2; do
		start loop-stream serve --listen "unix:$SCRATCH/s"
		wait_for 10 loop-stream status
		[ "$(stat -c %a s)" = 600 ]
		[ "$(get --unix-socket s http://localhost/healthz)" = ok ]
		kill -KILL "$started"
		wait "$started" || true
	done
}

@test "beyond loopback every request needs the token" {
	start loop-stream serve --listen 0.0.0.0:0 --port-file port
	wait_for 10 test -s port
	url=http://127.0.0.1:$(<port)
	[ "$(get --output /dev/null --write-out '%{http_code}' "$url/healthz")" = 401 ]
	[ "$(stat -c %a "$LOOP_DIR/token")" = 600 ]
	[ "$(get --header "Authorization: Bearer $(<"$LOOP_DIR/token")" "$url/healthz")" = ok ]
	[ "$(get "$url/healthz?token=$(<"$LOOP_DIR/token")")" = ok ]
	[ "$(get --output /dev/null --write-out '%{http_code}' "$url/healthz?token=x")" = 401 ]
}

@test "deadlines are absolute: a head that drips and a body that stalls are cut" {
	serve --head-timeout 300ms --body-timeout 300ms --idle-timeout 300ms
	exec 7<>"/dev/tcp/127.0.0.1/$port"
	printf 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%s\r\n' "$port" >&7
	for _ in 1 2 3 4 5 6 7 8 9; do
		printf 'X-Drip: 1\r\n' >&7 || break
		sleep 0.1
	done 2>/dev/null
	has "$(timeout 5 cat <&7)" '408 Request Timeout'
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
	wait_for 10 has_ids out 2
	grep -q '^event: stream.gap$' out
	[ "$(ids out)" = "$(journal_ids)" ]
}
