load helper

setup_more() {
	PATH=$BUILD_DIR/tests/tools:$PATH
	# fails N: a command that fails with status 75 until its N-th call, and counts its calls.
	cat >fails <<-'END'
		#!/bin/sh
		echo "$LOOP_TRY" >>calls
		[ "$(wc -l <calls)" -ge "$1" ] || exit "${2-75}"
	END
	chmod +x fails
}

calls() {
	[ -e calls ] && wc -l <calls || echo 0
}

state_of() {
	loop-guard list --json "$1" | jq -r .state
}

is_state() { # NAME STATE
	[ "$(state_of "$1")" = "$2" ]
}

open_breaker() { # NAME OPTION…
	local name=$1 i
	shift
	for i in 1 2 3 4 5; do
		status_is 75 loop-guard --breaker "$name" "$@" -- sh -c 'exit 75'
	done
	is_state "$name" open
}

# ends_with STATUS: what was started last.
ends_with() {
	local ended=0
	wait "$started" || ended=$?
	[ "$ended" -eq "$1" ] || { echo "status $ended, not $1" && false; }
}

events() {
	jq -r --arg type "$1" 'select(.type == $type) | .data.breaker' "$LOOP_DIR/events.jsonl"
}

@test "a command that succeeds says nothing, and its status and output are kept" {
	status_is 0 loop-guard -- true
	[ -z "$output$stderr" ]
	status_is 7 loop-guard -- sh -c 'echo out; exit 7'
	[ "$output" = out ]
	[ -z "$stderr" ]
	status_is 137 loop-guard -- sh -c 'kill -KILL $$'
	[ ! -e "$LOOP_DIR" ]
}

@test "it is run again until it succeeds, and not more often" {
	status_is 0 loop-guard --retry 5 --base 1ms -- ./fails 3
	[ -z "$stderr" ]
	[ "$(tr '\n' ' ' <calls)" = '1 2 3 ' ]
	rm calls
	status_is 75 loop-guard --retry 2 --base 1ms -- ./fails 9
	[ "$(calls)" -eq 3 ]
	has "$stderr" 'status 75 after 3 tries'
}

@test "what another try cannot mend is not tried again" {
	status_is 64 loop-guard --retry 3 --base 1ms -- ./fails 9 64
	[ "$(calls)" -eq 1 ]
	status_is 3 loop-guard --retry 3 --base 1ms --on 75,110-114 -- ./fails 9 3
	[ "$(calls)" -eq 2 ]
	status_is 75 loop-guard --retry 3 --base 1ms --never-on 75 -- ./fails 9
	[ "$(calls)" -eq 3 ]
	status_is 112 loop-guard --retry 1 --base 1ms --on 110-114 -- ./fails 9 112
	[ "$(calls)" -eq 5 ]
	run -127 --separate-stderr loop-guard --retry 3 -- ./no-such
	has "$stderr" 'not found'
	status_is 126 loop-guard --retry 3 -- /etc/passwd
}

@test "wrong options are refused before anything runs" {
	local option
	for option in --on=0 --on=300 --on=9-3 --on=x '--count=,' --factor=0.5 --factor=x --rate=0 --rate=2 \
		--breaker=../x --breaker= --window=0 --jitter=some; do
		status_is 125 loop-guard "$option" -- ./fails 1
	done
	status_is 125 loop-guard --cooldown 0.000001ms --breaker x -- ./fails 1
	status_is 125 loop-guard
	status_is 125 loop-guard ./fails 1
	status_is 64 loop-guard trip
	status_is 64 loop-guard trip ../x
	[ "$(calls)" -eq 0 ]
}

@test "a command named like a subcommand is a command" {
	printf '#!/bin/sh\necho "mine $*"\n' >list
	chmod +x list
	PATH=$PWD:$PATH status_is 0 loop-guard -- list --json
	[ "$output" = 'mine --json' ]
}

@test "a try that takes too long ends with everything it started" {
	status_is 124 loop-guard --timeout 300ms -- sh -c 'setsid sleep 60 & echo $! >pid; sleep 60'
	has "$stderr" 'timed out after 300ms'
	wait_for 80 gone "$(<pid)"
	status_is 124 loop-guard --timeout 100ms --kill-after 100ms -- \
		sh -c 'trap "" TERM; echo $$ >pid; while :; do sleep 1; done'
	wait_for 80 gone "$(<pid)"
	status_is 0 loop-guard --retry 1 --base 1ms --timeout 5s -- sh -c '[ "$LOOP_TRY" = 2 ] || sleep 60'
}

@test "what is left running ends, and goes on where that is wanted" {
	status_is 0 loop-guard -- sh -c 'setsid sleep 60 >&- 2>&- & echo $! >pid'
	wait_for 80 gone "$(<pid)"
	status_is 0 loop-guard --keep-background -- sh -c 'setsid sleep 60 >&- 2>&- 3>&- & echo $! >pid'
	kill -0 "$(<pid)"
	kill -KILL "$(<pid)"
}

@test "killed itself, it takes its command with it" {
	start loop-guard -- sh -c 'echo $$ >pid; exec sleep 60'
	wait_for 20 test -s pid
	kill -KILL "$started"
	wait_for 80 gone "$(<pid)"
}

@test "a signal is handed on and ends the run" {
	start loop-guard --retry 9 --base 1ms -- sh -c 'trap "echo got >got; exit 9" TERM; echo $$ >pid; while :; do sleep 0.05; done'
	wait_for 20 test -s pid
	kill -TERM "$started"
	ends_with 9
	[ -s got ]
}

@test "at a terminal the command is in the foreground, and ^C reaches it" {
	needs_terminal
	# One that is not in the foreground is stopped when it reads.
	run pty 80x24 'name?' $'me\r' 'again?' $'\x03' -- loop-guard -- bash -c '
		trap "echo caught; exit 7" INT; read -rp "name? " name; echo "hello $name"; echo "again?"; while :; do sleep 0.02; done'
	has "$output" "hello me"
	has "$output" "caught"
	has "$output" "status 7"
}

@test "a signal ends a wait" {
	start loop-guard --retry 9 --base 1h --jitter none --verbose -- ./fails 9 2>said
	wait_for 20 test -s calls
	wait_for 20 grep -q 'try 2 of 10' said
	kill -TERM "$started"
	ends_with 143
	loop-guard hold x
	start loop-guard --breaker x --verbose -- touch ran 2>said
	wait_for 20 grep -q 'x is held: waiting' said
	kill -INT "$started"
	ends_with 130
	[ ! -e ran ]
}

@test "no try begins after --max-elapsed" {
	status_is 75 loop-guard --retry 9 --base 1h --jitter none --max-elapsed 1s -- ./fails 9
	[ "$(calls)" -eq 1 ]
	loop-guard hold x
	status_is 75 loop-guard --breaker x --max-elapsed 100ms -- ./fails 1
	[ "$(calls)" -eq 1 ]
	has "$stderr" 'breaker x is held: not run'
}

@test "the command says when to come back" {
	status_is 0 loop-guard --retry 1 --base 1h -- sh -c 'echo 0.05 >"$LOOP_RETRY_AFTER"; [ "$LOOP_TRY" = 2 ]'
	status_is 0 loop-guard --retry 1 --base 1h -- \
		sh -c 'date -uR | sed s/+0000/GMT/ >"$LOOP_RETRY_AFTER"; [ "$LOOP_TRY" = 2 ]'
	status_is 0 loop-guard --retry 1 --base 1ms -- sh -c 'echo nonsense >"$LOOP_RETRY_AFTER"; [ "$LOOP_TRY" = 2 ]'
	has "$stderr" 'is no time'
	status_is 113 loop-guard --retry 1 --base 1ms --max-elapsed 10s -- \
		sh -c 'echo "{\"resets_at\":\"$(date -ud "+1 hour" +%FT%TZ)\"}" >"$LOOP_RETRY_AFTER"; exit 113'
	status_is 113 loop-guard --breaker q --consecutive 1 --wait 0 -- \
		sh -c 'echo 30m >"$LOOP_RETRY_AFTER"; exit 113'
	has "$(loop-guard list q)" 'open for 29m'
}

@test "failures open a breaker for everybody, and probes close it" {
	open_breaker far --cooldown 1h
	[ "$(events breaker.opened)" = far ]
	status_is 75 loop-guard --breaker far --wait 0 -- touch ran
	has "$stderr" 'breaker far is open: not run'
	[ ! -e ran ]
	open_breaker api --cooldown 100ms
	status_is 0 loop-guard --breaker api -- touch ran
	[ -e ran ]
	is_state api half_open
	status_is 0 loop-guard --breaker api -- true
	is_state api closed
	[ "$(events breaker.half_open)" = api ]
	[ "$(events breaker.closed)" = api ]
}

@test "an open breaker uses up no try" {
	open_breaker api --cooldown 300ms
	status_is 75 loop-guard --breaker api --retry 1 --base 1ms --cooldown 100ms -- ./fails 9
	[ "$(calls)" -eq 2 ]
}

@test "a failed probe opens it again for twice as long" {
	open_breaker api --cooldown 100ms
	status_is 75 loop-guard --breaker api -- sh -c 'exit 75'
	is_state api open
	jq -e '.reopened == 1' "$LOOP_DIR/breakers/api.json"
}

@test "what a breaker tells the journal is as the schemas have it" {
	open_breaker x --cooldown 1ms --probes 1
	wait_for 20 loop-guard --breaker x -- true
	loop-guard hold x --why 'a "reason"'
	loop-guard reset x
	[ "$(jq -r .type "$LOOP_DIR/events.jsonl" | sort -u | tr '\n' ' ')" = "breaker.closed breaker.half_open breaker.opened " ]
	events_conform
}

@test "reasons of sessions stand for their statuses" {
	status_is 114 loop-guard --retry 3 --base 1ms --on transient,quota -- ./fails 9 114
	[ "$(calls)" -eq 4 ]
	rm calls
	status_is 115 loop-guard --retry 3 --base 1ms --on transient -- ./fails 9 115
	[ "$(calls)" -eq 1 ]
}

@test "a killed probe counts as a failure and blocks nobody" {
	open_breaker api --cooldown 100ms
	start loop-guard --breaker api -- sh -c 'echo $$ >pid; exec sleep 60'
	wait_for 20 test -s pid
	is_state api half_open
	kill -KILL "$started"
	status_is 0 loop-guard --breaker api --wait 20s -- true
	jq -e '.totals.lost == 1 and .reopened == 1' "$LOOP_DIR/breakers/api.json"
}

@test "a probe that takes long keeps its lease" {
	open_breaker api --cooldown 100ms --lease 4s
	status_is 0 loop-guard --breaker api -- sleep 6
	jq -e '.totals.lost == 0 and .passed == 1' "$LOOP_DIR/breakers/api.json"
}

@test "what says nothing about the service is not counted" {
	local status_of
	for status_of in 64 65 112 126 64 65 118; do
		status_is "$status_of" loop-guard --breaker api -- sh -c "exit $status_of"
	done
	is_state api closed
	jq -e '.totals.ignored == 7 and .totals.failed == 0' "$LOOP_DIR/breakers/api.json"
	status_is 3 loop-guard --breaker api --count 75 -- sh -c 'exit 3'
	status_is 75 loop-guard --breaker api --ignore 75 -- sh -c 'exit 75'
	status_is 64 loop-guard --breaker api --count 64 -- sh -c 'exit 64'
	jq -e '.totals.failed == 0' "$LOOP_DIR/breakers/api.json"
}

@test "trip, hold, reset and observe by hand" {
	loop-guard trip a --for 1h --why 'too dear'
	has "$(loop-guard list a)" 'open for 59m'
	has "$(loop-guard list a)" 'too dear'
	loop-guard hold a
	is_state a held
	start loop-guard --breaker a -- touch ran
	loop-guard reset a
	wait_for 20 test -e ran
	loop-guard observe a
	local i
	for i in 1 2 3 4 5 6; do
		status_is 75 loop-guard --breaker a -- sh -c 'exit 75'
	done
	is_state a observed
	status_is 1 loop-guard reset no-such
	status_is 1 loop-guard list no-such
	run loop-guard list
	[ "${#lines[@]}" -eq 1 ]
}

@test "a damaged breaker is put aside, and named by list" {
	loop-guard hold x
	printf '{"state":"he' >"$LOOP_DIR/breakers/x.json"
	status_is 65 loop-guard list
	has "$stderr" 'breakers/x.json'
	status_is 0 loop-guard --breaker x -- true
	has "$stderr" 'was damaged'
	is_state x closed
	[ -s "$LOOP_DIR/breakers/x.json.damaged" ]
	rm "$LOOP_DIR/breakers/x.json"
	mkfifo "$LOOP_DIR/breakers/x.json"
	status_is 0 loop-guard --breaker x -- true
	rm "$LOOP_DIR/breakers/x.json"
	ln -s /etc/passwd "$LOOP_DIR/breakers/x.json"
	status_is 125 loop-guard --breaker x -- touch ran
	has "$stderr" 'symbolic links'
	[ ! -e ran ]
}

@test "hostile text in a breaker's file does not reach the terminal" {
	loop-guard hold x --why $'\e[2Jgone\nand more'
	run loop-guard list
	[ "${#lines[@]}" -eq 1 ]
	has "$output" '\x1b[2J'
}

@test "processes that are killed at random leave a breaker right" {
	run breakerstorm "${STORM_SECONDS:-3}" 6
	echo "$output"
	[ "$status" -eq 0 ]
	has "$output" ' 0 violations'
}
