load helper
load stream

setup_more() {
	PATH=$BUILD_DIR/tests/tools:$PATH
	export TERM=xterm
	folder=$LOOP_DIR/runs/run-1
}

# plan: a run's folder, as the scheduler makes it.
plan() {
	mkdir -p "$folder/tasks"
	jq -c . >"$folder/plan.json" <<-'END'
		{"name": "toolbox", "tasks": [
			{"id": "US-001", "title": "Make slugs", "criteria": ["a", "b"]},
			{"id": "US-002", "title": "Zählt 日本語", "criteria": ["c"]},
			{"id": "US-003", "title": "Hostile \u001b[31m\u0007 title"}]}
	END
	log "\"run\":\"started\",\"id\":\"run-1\",\"plan\":\"toolbox\",\"tasks\":3,\"jobs\":2,$(owner $$)"
}

owner() { # PID
	printf '"pid":%s,"start":%s,"boot":"%s"' "$1" "$(cut -d ' ' -f 22 "/proc/$1/stat")" \
		"$(</proc/sys/kernel/random/boot_id)"
}

log() { # MEMBERS
	printf '{"time":"2026-11-21T09:00:00.000000Z",%s}\n' "$1" >>"$folder/run.jsonl"
}

task() { # ID STATE ATTEMPT [MEMBERS]
	log "\"task\":\"$1\",\"state\":\"$2\",\"attempt\":$3${4:+,$4}"
}

end() { # STATE
	log "\"run\":\"ended\",\"state\":\"$1\",\"counts\":{},\"ms\":5"
}

@test "without a terminal each change is a line, and the status is the run's" {
	plan
	task US-001 ready 0
	task US-001 running 1
	task US-001 retrying 1 '"delay_ms":2000,"reason":"stalled","status":110'
	task US-001 running 2
	task US-001 succeeded 2 '"status":0,"ms":61000'
	task US-003 failed 1 '"status":3,"ms":50'
	end failed
	status_is 1 loop-stream show run-1
	diff - <(printf '%s\n' "$output") <<-'END'
		09:00:00 [0/3] US-001 running  Make slugs
		09:00:00 [0/3] US-001 retrying: stalled  again in 2s  Make slugs
		09:00:00 [0/3] US-001 running  attempt 2  Make slugs
		09:00:00 [1/3] US-001 succeeded  1m1s  attempt 2  Make slugs
		09:00:00 [2/3] US-003 failed: status 3  50ms  Hostile \x1b[31m\x07 title
		run-1 failed: 1 of 3 succeeded  1 failed  0ms  1 retry
	END
	end succeeded
	status_is 0 loop-stream show
}

@test "where nothing changes, and no terminal is drawn to, it sleeps" {
	plan
	task US-001 running 1
	start loop-stream show run-1 >got
	show=$started
	wait_for 10 grep -q running got
	asleep() {
		for _ in 1 2 3 4 5; do grep -q '^State:.S' "/proc/$show/status" || return; done
	}
	sleep 1.1 # it looks at the clocks once a second
	wait_for 10 asleep
	end succeeded
	wait "$show"
}

@test "the latest run is shown where none is named, and one that is about to begin is waited for" {
	start loop-stream show
	plan
	task US-001 succeeded 1
	end succeeded
	wait "$started"
	status_is 66 loop-stream show --wait 10ms run-2
	has "$stderr" run-2
	status_is 65 loop-stream show ../run-1
}

@test "on a terminal ended tasks stay as lines, ours are drawn in place" {
	needs_terminal
	plan
	task US-001 running 1
	{
		sleep 0.3
		task US-001 succeeded 1 '"status":0,"ms":1500'
		task US-002 running 1
		sleep 0.3
		task US-002 failed 1 '"status":118,"reason":"verify_failed","ms":2000'
		end failed
	} 3>&- &
	run pty 60x12 -- loop-stream show run-1
	diff - <(printf '%s\n' "$output") <<-'END'
		✓ US-001 Make slugs  1s
		✗ US-002 Zählt 日本語  2s  failed: verify_failed
		run-1 failed: 1 of 3 succeeded  1 failed  0ms

		status 1, keys restored, cursor shown
	END
}

@test "the display fits its terminal, wide characters and all, and can be left" {
	needs_terminal
	plan
	task US-002 running 1
	task US-003 running 1
	run pty 40x12 ' detach' =30x12 US-003 '!9' -- loop-stream show run-1
	has "$output" '  ▶ US-002 Z'
	has "$output" 'status 137, keys restored, cursor shown'
	while IFS= read -r line; do ((${#line} <= 40)) || false; done <<<"$output"
	run pty 70x12 ' detach' d -- loop-stream show --style box run-1
	has "$output" 'the run goes on; come back with: loop-stream show run-1'
	has "$output" 'status 75, keys restored, cursor shown'
	run pty 70x12 'US-003' '!15' -- loop-stream show --style box run-1
	has "$output" '│   ▶ US-003 Hostile \x1b[31m\x07 title  '
	has "$output" 'status 143, keys restored, cursor shown'
}

@test "where the locale is not UTF-8 the display is ASCII" {
	needs_terminal
	plan
	task US-002 running 1
	LC_ALL=C run pty 60x12 ' detach' d -- loop-stream show run-1
	LC_ALL=C run pty 60x12 'US-002' '!15' -- loop-stream show --style box run-1
	has "$output" '+------'
	has "$output" '|   > US-002 Z?hlt ???'
	[[ $output != *[^[:ascii:]]* ]]
}

@test "keys ask the scheduler: pause, cancel after a question, a log" {
	needs_terminal
	plan
	mkdir -p "$folder/tasks/US-002"
	printf 'first\nlast \033[2Jline\n' >"$folder/tasks/US-002/1.out"
	task US-002 running 1
	mkfifo "$folder/control"
	exec 7<>"$folder/control"
	run pty 60x12 ' detach' p 'pause: asked' c 'y/n' n ' detach' c 'y/n' y 'cancel: asked' l \
		'2Jline' d -- loop-stream show run-1
	has "$output" 'status 75'
	read -r -t 5 line <&7
	[ "$line" = pause ]
	read -r -t 5 line <&7
	[ "$line" = cancel ]
	exec 7>&-
}

@test "costs, tools and checks come from the journal" {
	needs_terminal
	plan
	task US-001 running 1
	{
		printf '{"specversion":"1.0","id":"0"'
		printf ',"source":"/x","type":"session.usage","subject":"toolbox/US-001","runid":"run-1"'
		printf ',"sessionid":"s1","data":{"cost_usd":1.25}}\n'
	} >"$LOOP_DIR/events.jsonl"
	run pty 80x12 '$1.25' d -- loop-stream show run-1
	has "$output" 'status 75'
}

@test "a scheduler that is gone is said, with what to type" {
	sleep 60 3>&- &
	gone_pid=$!
	mkdir -p "$folder"
	echo '{"name":"p","tasks":[]}' >"$folder/plan.json"
	log "\"run\":\"started\",\"id\":\"run-1\",$(owner "$gone_pid")"
	kill -KILL "$gone_pid"
	wait "$gone_pid" || true
	status_is 1 loop-stream show run-1
	has "$output" 'the scheduler is gone; go on with: loop-sched resume run-1'
}

@test "a plan that is none is said" {
	mkdir -p "$folder"
	echo '{"tasks":3}' >"$folder/plan.json"
	: >"$folder/run.jsonl"
	status_is 65 loop-stream show run-1
	has "$stderr" tasks
}

@test "a run is shown by its server as from its folder, and on from there when it comes back" {
	plan
	task US-001 running 1
	serve
	LOOP_DIR=/nonexistent start loop-stream show --url "$url" >got 2>said
	show=$started
	wait_for 10 grep -q 'US-001 running' got
	diff "$folder/run.jsonl" <(get "$url/runs/run-1/log?from=0")
	loop-stream stop
	wait_for 10 grep -q refused said
	task US-001 succeeded 1 '"status":0,"ms":61000'
	task US-002 running 1
	serve --listen "127.0.0.1:$port"
	wait_for 10 grep -q 'US-002 running' got
	task US-002 failed 1 '"status":118,"reason":"verify_failed","ms":2000'
	end failed
	local code=0
	wait "$show" || code=$?
	[ "$code" -eq 1 ]
	status_is 1 loop-stream show run-1
	diff got <(printf '%s\n' "$output")
	[ "$(wc -l <said)" -eq 1 ]
}

@test "a run that a server shows: no server, no such run, an odd server, one whose scheduler is gone" {
	sleep 60 3>&- &
	gone_pid=$!
	mkdir -p "$folder"
	echo '{"name":"p","tasks":[]}' >"$folder/plan.json"
	log "\"run\":\"started\",\"id\":\"run-1\",$(owner "$gone_pid")"
	kill -KILL "$gone_pid"
	wait "$gone_pid" || true
	serve
	status_is 1 loop-stream show --url "$url"
	has "$output" 'the scheduler is gone; go on with: loop-sched resume run-1'
	status_is 66 loop-stream show --wait 10ms --url "$url" run-2
	has "$stderr" 'it answers 404'
	status_is 65 loop-stream show --url "$url" ../run-1
	status_is 65 loop-stream show --url https://example.com run-1
	status_is 64 loop-stream show --token-file x run-1
	status_is 66 loop-stream show --url "$url" --token-file x run-1
	loop-stream stop
	status_is 69 loop-stream show --url "$url" run-1
}

@test "a run that a server shows is drawn, with its costs, and controlled with the token" {
	needs_terminal
	plan
	task US-001 running 1
	mkfifo "$folder/control"
	exec 7<>"$folder/control"
	{
		printf '{"specversion":"1.0","id":"0"'
		printf ',"source":"/x","type":"session.usage","subject":"toolbox/US-001","runid":"run-1"'
		printf ',"sessionid":"s1","data":{"cost_usd":1.25}}\n'
	} >"$LOOP_DIR/events.jsonl"
	serve
	run pty 100x12 '$1.25' pd -- loop-stream show --url "$url" run-1
	has "$output" "come back with: loop-stream show --url $url run-1"
	run pty 60x12 'p pause  c cancel  d detach' p 'pause: asked' c 'y/n' y 'cancel: asked' d -- \
		loop-stream show --url "$url" --token-file "$LOOP_DIR/token"
	has "$output" 'status 75'
	read -r -t 5 line <&7
	[ "$line" = pause ]
	read -r -t 5 line <&7
	[ "$line" = cancel ]
	exec 7>&-
}
