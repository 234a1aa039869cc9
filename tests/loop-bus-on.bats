load helper

# In the background: handlers and routes, told to end like any other.
handle() {
	start loop-bus "$@" 2>handler-errors
	handler=$started
}

field() {
	jq -c "$1" "$2" | tr '\n' ' '
}

lines_in() {
	[ -f "$1" ] && [ "$(wc -l <"$1")" -eq "$2" ]
}

events() { # TYPE: how many of them there are
	loop-bus history --all "$1" 2>/dev/null | wc -l
}

@test "on runs a command an event: on its stdin, and in its environment" {
	loop-emit before
	cat >handler <<-'EOF2'
		#!/bin/sh
		cat >>stdin
		echo "$LOOP_EVENT_TYPE|$LOOP_EVENT_ID|$LOOP_EVENT_SUBJECT|$LOOP_EVENT_PRIORITY|$LOOP_EVENT_DATA|$LOOP_EVENT_ATTEMPT|$LOOP_DIR" >>environment
	EOF2
	chmod +x handler
	handle on 'story.*' --where data.n!=2 --from start -n 2 -- ./handler
	loop-emit story.started -s 'P/$(touch x)' n:=1 text='a "b" $(touch y)'
	loop-emit story.started n:=2
	loop-emit other n:=1
	loop-emit story.completed -p high n:=3
	wait "$handler"
	[ "$(field .data.n stdin)" = '1 3 ' ]
	cmp <(head -n 1 stdin) <(sed -n 2p "$LOOP_DIR/events.jsonl")
	[ "$(head -n 1 environment)" = "story.started|$(jq -r .id stdin | head -n 1)|P/\$(touch x)|normal|{\"n\":1,\"text\":\"a \\\"b\\\" \$(touch y)\"}|1|$LOOP_DIR" ]
	[ ! -e x ] && [ ! -e y ]
}

@test "a failing handler is tried again, then its event is a dead letter, and told of" {
	loop-emit -t work - <<<'{"n":1}'
	status_is 1 loop-bus on work --from start -n 1 --retries 2 --backoff 10ms --name worker -- sh -c 'echo "$LOOP_EVENT_ATTEMPT" >>attempts; exit 3'
	[ "$(tr '\n' ' ' <attempts)" = '1 2 3 ' ]
	[ "$(loop-bus history handler.failed | jq -c '[.source,.data.attempt,.data.status,.data.dead]' | tr '\n' ' ')" = \
		'["/loop-bus/worker",1,3,false] ["/loop-bus/worker",2,3,false] ["/loop-bus/worker",3,3,true] ' ]
	[ "$(jq -c '[.status,.attempts,.event.data.n]' "$LOOP_DIR/dead/worker.jsonl")" = '[3,3,1]' ]
	events_conform
}

@test "redrive sends dead letters to their handler alone" {
	seq 3 | loop-emit -t work -
	run loop-bus on work --from start -n 3 --retries 0 --name worker -- false
	[ "$(wc -l <"$LOOP_DIR/dead/worker.jsonl")" -eq 3 ]
	[ "$(loop-bus redrive --list worker | wc -l)" -eq 3 ]
	handle on work --name worker -- sh -c 'cat >>worker'
	start loop-bus on work --name other -- sh -c 'cat >>other'
	wait_for 20 eval 'grep -q . /proc/$handler/wchan; sleep 0.2'
	status_is 0 loop-bus redrive worker --where data=2
	[ "$output" = '1 sent again' ]
	loop-bus redrive worker
	loop-emit -t work - <<<4
	wait_for 20 lines_in worker 4
	wait_for 20 lines_in other 1
	[ "$(field .data worker)" = '2 1 3 4 ' ]
	[ "$(field '[.handler, .original != null]' worker)" = '["worker",true] ["worker",true] ["worker",true] [null,false] ' ]
	[ "$(field .data other)" = '4 ' ]
	[ ! -s "$LOOP_DIR/dead/worker.jsonl" ]
	status_is 1 loop-bus redrive nobody
}

@test "a handler that hangs is ended in time, with what it started" {
	loop-emit a
	status_is 1 loop-bus on a --from start -n 1 --timeout 200ms --retries 0 -- sh -c 'sleep 300 & echo $! >child; wait'
	wait_for 80 gone "$(cat child)"
	[ "$(loop-bus history handler.failed | jq -c '[.data.status,.data.timed_out]')" = '[124,true]' ]
}

@test "so many at once, and no more" {
	seq 12 | loop-emit -t n -
	cat >handler <<-'EOF2'
		#!/bin/sh
		mkdir "run.$LOOP_EVENT_ID"
		ls -d run.* | wc -l >>running
		sleep 0.05
		rmdir "run.$LOOP_EVENT_ID"
	EOF2
	chmod +x handler
	loop-bus on n --from start -n 12 --jobs 3 -- ./handler
	[ "$(wc -l <running)" -eq 12 ]
	[ "$(sort -n running | tail -n 1)" -le 3 ]
	[ "$(sort -n running | tail -n 1)" -ge 2 ]
}

@test "a handler that fails or hangs delays no other and no publisher" {
	handle on a --timeout 1h --name hangs -- sleep 1000
	start loop-bus on a --retries 1000 --name fails -- false
	start loop-bus on a --name works -- sh -c 'cat >>works'
	wait_for 20 eval 'sleep 0.3'
	seq 20 | loop-emit -t a -
	wait_for 20 lines_in works 20
	kill -TERM "$handler"
	wait "$handler"
}

@test "durable: after kill -9 each event is handled at least once, and none before the first" {
	seq 30 | loop-emit -t n -
	handle on n --durable d --from start -- sh -c 'cat >>seen; sleep 0.01'
	wait_for 20 eval '[ -s seen ] && [ "$(wc -l <seen)" -ge 5 ]'
	kill -KILL "$handler"
	wait "$handler" || true
	handle on n --durable d -- sh -c 'cat >>seen'
	wait_for 40 eval '[ "$(jq .data seen | sort -un | wc -l)" -eq 30 ]'
	[ "$(wc -l <seen)" -le 32 ]
	status_is 125 loop-bus on n --durable d -- true
	has "$stderr" 'another subscriber'
}

@test "on tells its own failures apart from the command's" {
	status_is 125 loop-bus on a
	status_is 125 loop-bus on 'a*' -- true
	loop-emit a
	status_is 1 loop-bus on a --from start -n 1 --retries 0 --name x -- ./not-there
	[ "$(loop-bus history handler.failed | jq .data.status)" -eq 127 ]
}

@test "route: commands, types and dead letters, by condition and order" {
	cat >routes.json <<-'EOF2'
		{"routes": [
			{"name": "second", "types": ["story.*"], "order": 2, "emit": "order.second"},
			{"name": "first", "types": "story.*", "order": 1, "emit": "order.first"},
			{"name": "run", "types": "story.*", "command": "cat >>seen"},
			{"name": "raise", "types": "story.completed", "where": {"data.success": false}, "emit": "alert.raised"},
			{"name": "keep", "types": "story.completed", "where": "data.ms>100", "dead": "slow"}
		]}
	EOF2
	status_is 0 loop-bus route --check routes.json
	handle route --from start routes.json
	loop-emit story.started
	wait_for 20 eval '[ "$(events "order.*")" -eq 2 ]'
	[ "$(loop-bus history 'order.*' | jq -r .type | tr '\n' ' ')" = 'order.first order.second ' ]
	loop-emit story.completed -s S success:=false ms:=50
	loop-emit story.completed success:=true ms:=500
	wait_for 20 lines_in seen 3
	wait_for 20 eval '[ "$(events alert.raised)" -eq 1 ]'
	wait_for 20 lines_in "$LOOP_DIR/dead/slow.jsonl" 1
	[ "$(loop-bus history alert.raised | jq -c '[.subject,.data.success]')" = '["S",false]' ]
}

# handlers_say COUNT: so many lines of living handlers, all of which have looked at the whole journal.
handlers_say() {
	local end
	end=$(cat "$LOOP_DIR"/events*.jsonl | wc -c)
	[ "$(awk -v end="$end" '$2 + 0 >= end && $3 == "+"' "$LOOP_DIR/handlers" | wc -l)" -eq "$1" ]
}

@test "on: of handlers in several processes the one of higher priority begins first" {
	loop-emit before
	handle on go --priority high -- sh -c 'echo high >>order'
	first=$handler
	handle on go -- sh -c 'echo normal >>order'
	handle on go -p background -- sh -c 'echo background >>order'
	wait_for 40 handlers_say 3
	kill -STOP "$first"
	loop-emit go
	sleep 0.2
	[ ! -e order ]
	kill -CONT "$first"
	wait_for 80 lines_in order 3
}

@test "on: a handler of higher priority that is stopped or busy is not waited for twice" {
	loop-emit before
	handle on go --priority high -- sh -c 'echo high >>order'
	stopped=$handler
	handle on go --priority critical -- sh -c 'sleep 1000'
	busy=$handler
	handle on go -- sh -c 'echo normal >>order'
	wait_for 40 handlers_say 3
	kill -STOP "$stopped"
	for _ in {1..40}; do loop-emit go; done
	wait_for 72 lines_in order 40
	[ "$(uniq order)" = normal ]
	kill -CONT "$stopped"
	wait_for 80 lines_in order 80
	kill "$busy"
	wait "$busy" || true
}

@test "route: a queue gets the event by loop-queue put" {
	mkdir bin
	printf '#!/bin/sh\necho "$@" >queued; cat >>queued\n' >bin/loop-queue
	chmod +x bin/loop-queue
	echo '{"routes": [{"name": "q", "types": "job.*", "queue": "jobs"}]}' >routes.json
	PATH=$PWD/bin:$PATH handle route --from start routes.json
	loop-emit job.new n:=1
	wait_for 20 lines_in queued 2
	[ "$(head -n 1 queued)" = 'put jobs' ]
	[ "$(tail -n 1 queued)" = "$(cat "$LOOP_DIR/events.jsonl")" ]
}

@test "route: routes that feed each other end" {
	cat >routes.json <<-'EOF2'
		{"routes": [
			{"name": "all", "types": "**", "emit": "b"},
			{"name": "back", "types": "b", "emit": "a"},
			{"name": "end", "types": "end", "command": "echo >>ended"}
		]}
	EOF2
	handle route --from start routes.json
	loop-emit a
	wait_for 20 eval '[ "$(events b)" -eq 1 ]'
	loop-emit b
	wait_for 20 eval '[ "$(events a)" -eq 2 ]'
	loop-emit end
	wait_for 20 lines_in ended 1
	wait_for 20 eval '[ "$(events "**")" -eq 7 ]'
	[ "$(loop-bus history --all | jq -r .type | sort | tr '\n' ' ')" = 'a a b b b b end ' ]
}

@test "route: after so many failures of one subject; a success starts anew" {
	cat >routes.json <<-'EOF2'
		{"routes": [{"name": "page", "types": "test.run", "where": {"data.success": false},
			"after_failures": 3, "command": "cat >>paged"}]}
	EOF2
	handle route --from start routes.json
	local s
	for s in false false true false false; do loop-emit test.run -s A success:="$s"; done
	for s in false false; do loop-emit test.run -s B success:="$s"; done
	loop-emit test.run -s B success:=false last:=true
	wait_for 20 lines_in paged 1
	[ "$(jq -c '[.subject,.data.last]' paged)" = '["B",true]' ]
}

@test "route: a wrong file is refused whole, every error with its place" {
	cat >routes.json <<-'EOF2'
		{"routes": [
			{"name": "a", "types": ["Story*"], "comand": "x"},
			{"types": "b", "command": "x", "emit": "y"},
			{"name": "a", "jobs": 0, "emit": "NO"}
		]}
	EOF2
	status_is 65 loop-bus route routes.json
	has "$stderr" "routes.json:2:25: error: type pattern 'Story*'"
	has "$stderr" "routes.json:2:36: error: unknown key 'comand'; did you mean 'command'?"
	has "$stderr" 'routes.json:2:1: error: a route needs one of'
	has "$stderr" 'routes.json:3:1: error: a route without a name'
	has "$stderr" "routes.json:4:1: error: another route is named 'a'"
	has "$stderr" 'routes.json:4:23: error: jobs: must be'
	has "$stderr" 'routes.json:4:34: error: emit: must be a type'
	echo '{"routes": [}' >routes.json
	status_is 65 loop-bus route --check routes.json
	has "$stderr" 'routes.json:1:13: error: something that is no JSON value'
	status_is 66 loop-bus route missing.json
	[ ! -e "$LOOP_DIR" ]
}

@test "route: SIGHUP takes in a right file and leaves a wrong one" {
	echo '{"routes": [{"name": "r", "types": "a", "command": "echo one >>out"}]}' >routes.json
	handle route --from start routes.json
	loop-emit a
	wait_for 20 lines_in out 1
	echo '{"routes": [{"name": "r", "types": "a", "command": "echo two >>out"}]}' >routes.json
	kill -HUP "$handler"
	wait_for 20 grep -q '1 routes' handler-errors
	loop-emit a
	wait_for 20 lines_in out 2
	echo '{"routes": 7}' >routes.json
	kill -HUP "$handler"
	wait_for 20 grep -q 'not taken in' handler-errors
	loop-emit a
	wait_for 20 lines_in out 3
	[ "$(tr '\n' ' ' <out)" = 'one two two ' ]
	kill -TERM "$handler"
	wait "$handler"
}

@test "killed at random moments: nothing acknowledged is lost or doubled, and a durable subscriber sees all" {
	"$SOURCE_TREE/tests/fault/kill-journal" "${KILL_ROUNDS:-10}"
}

routes_durable() {
	cat >routes.json <<-'EOF'
		{"routes": [
		  {"name": "page", "types": "test.run", "where": {"data.success": false}, "after_failures": 3, "command": "cat >>paged"},
		  {"name": "copy", "types": "a.*", "command": "cat >>copied"}
		]}
	EOF
}

fails() { # SUBJECT
	loop-emit test.run -s "$1" success:=false n:="$2"
}

end_hard() {
	kill -KILL "$1"
	wait "$1" 2>/dev/null || true
}

at_cursor() { # NAME: it has finished with all there is
	[ "$(tr -d ' ' <"$LOOP_DIR/cursors/$1")" = "$(loop-bus history -n 1 | jq -r .id)" ]
}

@test "route: what comes while nobody runs the routes is routed later, and counts go on over kill -9" {
	routes_durable
	loop-emit a.before
	handle route routes.json
	wait_for 20 test -e "$LOOP_DIR/cursors/route.copy"
	fails A 1
	fails B 1
	fails A 2
	loop-emit a.one
	wait_for 20 lines_in copied 1
	wait_for 20 at_cursor route.page
	wait_for 20 at_cursor route.copy
	end_hard "$handler"
	loop-emit a.two
	fails A 3
	fails B 2
	handle route routes.json
	wait_for 20 lines_in copied 2
	wait_for 20 lines_in paged 1
	wait_for 20 at_cursor route.page
	wait_for 20 at_cursor route.copy
	end_hard "$handler"
	fails C 1
	handle route routes.json
	fails B 3
	wait_for 20 lines_in paged 2
	[ "$(field '[.subject,.data.n]' paged)" = '["A",3] ["B",3] ' ]
	[ "$(field .type copied)" = '"a.one" "a.two" ' ]
}

@test "route: a route runs once at a time, and one whose place is gone says what to do" {
	routes_durable
	loop-emit a.one
	handle route routes.json
	wait_for 20 test -e "$LOOP_DIR/cursors/route.copy"
	status_is 75 loop-bus route routes.json
	has "$stderr" 'cursors/route.page: another'
	end_hard "$handler"
	printf '%-20s\n' 77777 >"$LOOP_DIR/cursors/route.copy"
	status_is 66 loop-bus route routes.json
	has "$stderr" 'cursors/route.copy: '
	has "$stderr" "77777 lies behind the journal's end; remove the file to begin anew"
}

@test "route: a reload keeps places and counts" {
	routes_durable
	handle route routes.json
	wait_for 20 test -e "$LOOP_DIR/cursors/route.copy"
	fails A 1
	fails A 2
	wait_for 20 at_cursor route.page
	sed -i 's/"a\.\*"/"b.*"/; s/cat >>paged/cat >>paged-anew/' routes.json
	kill -HUP "$handler"
	wait_for 20 grep -q '2 routes' handler-errors
	loop-emit a.one
	loop-emit b.one
	fails A 3
	wait_for 20 lines_in paged-anew 1
	wait_for 20 lines_in copied 1
	[ "$(field .type copied)" = '"b.one" ' ]
}
