# Commands that workers of a queue run, the same for every store: jobs-redis.bats is this file by
# another name, and by that name the workers have a state directory of their own, as on another host.
load helper
load redis

setup_more() {
	WORKER_DIR=$LOOP_DIR
	case $BATS_TEST_FILENAME in
	*redis*)
		needs_redis
		start_redis
		WORKER_DIR=$SCRATCH/there/.loop
		;;
	esac
	mkdir -p there
}

# worker [OPTION…]: one more, in the folder "there"; its pid in $started.
worker() {
	LOOP_DIR=$WORKER_DIR start env -u HIDDEN -C there loop-queue work q "$@" -- loop-job run
}

call() { timeout 60 loop-job call "$@"; }

is_claimed() { [ "$(loop-queue stats --json q | jq .claimed)" = "$1" ]; }
is_empty() { [ "$(loop-queue stats --json q | jq -c '[.ready,.delayed,.claimed,.buried]')" = '[0,0,0,0]' ]; }
has_lines() { [ -e "$1" ] && [ "$(wc -l <"$1")" -ge "$2" ]; }

@test "a command that a worker runs does as if it ran here" {
	worker
	echo '{"in":1}' >in.json
	export IN=$SCRATCH/in.json OUT=$SCRATCH/out.json WORD='two words' HIDDEN=x LOOP_PROGRESS=$SCRATCH/progress
	status_is 3 call q --env WORD --input-var IN --output-var OUT -- sh -c \
		'pwd; echo "$WORD|$HIDDEN|$0"; echo bad >&2; echo 5/9 >"$LOOP_PROGRESS"; cat "$1" "$IN" >"$OUT"; exit 3' \
		'*' "$IN"
	[ "$output" = "$SCRATCH/there
two words||*" ]
	[ "$stderr" = bad ]
	[ "$(tr -d '\n' <out.json)" = '{"in":1}{"in":1}' ]
	status_is 143 call q -- sh -c 'kill $$'
	status_is 127 call q -- no-such-program
	has "$stderr" 'no-such-program'
	[ "$(call q -- printf 'a\0b\377' | od -An -c | tr -d ' ')" = 'a\0b377' ]
	mkdir there/below
	[ "$(call q --dir below -- pwd)" = "$SCRATCH/there/below" ]
	status_is 125 call q --dir not-there -- pwd
	has "$stderr" not-there
	wait_for 40 is_empty
	[ -z "$(ls "$WORKER_DIR/jobs")" ]
}

@test "a job that takes too long, is silent, or cannot be one" {
	worker -j 3
	status_is 124 call q --timeout 300ms --report report -- sleep 30
	[ "$(jq -c '[.status,.reason]' report)" = '[124,"timeout"]' ]
	status_is 124 call q --stall 400ms --report silent -- sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done; sleep 30'
	[ "$output" = $'1\n2\n3' ]
	[ "$(jq -r .reason silent)" = stall ]
	loop-queue put q 'no job' >/dev/null
	wait_for 40 buried 1
	[ "$(loop-queue list q --state buried --json | jq -r .why)" = 'status 65' ]
	status_is 64 loop-job run </dev/null
	status_is 125 loop-job call q/r -- true
	status_is 125 loop-job call q
}
buried() { [ "$(loop-queue stats --json q | jq .buried)" = "$1" ]; }

@test "output that is too large for the way back stays, and is told of" {
	worker
	export OUT=$SCRATCH/out
	call q --output-var OUT -- sh -c 'seq 300000; head -c 20000000 /dev/zero >"$OUT"' >lines
	[ "$(head -n 1 lines) $(tail -n 1 lines)" = '1 300000' ]
	has "$(grep -a 'bytes are left out' lines)" "$WORKER_DIR/jobs/"
	[ "$(stat -c %s lines)" -lt 1200000 ]
	[ "$(stat -c %s "$(jq -r .path out)")" = 20000000 ]
}

@test "a worker that is killed loses its job to another one, once its lease is over" {
	worker
	local first=$started
	start loop-job call q --lease 1s -- sh -c 'echo "$LOOP_JOB_TRY" >>../ran; [ "$LOOP_JOB_TRY" -gt 1 ] || sleep 30'
	local caller=$started
	wait_for 40 has_lines ran 1
	kill -KILL "$first"
	worker
	wait "$caller"
	[ "$(tr '\n' ' ' <ran)" = '1 2 ' ]
	wait_for 40 is_empty
}

@test "who lost the lease is refused, however late the answer comes" {
	worker
	local first=$started pids
	start loop-job call q --lease 1s --report report -- sh -c 'echo "$LOOP_JOB_TRY"; echo x >>../ran
		[ "$LOOP_JOB_TRY" -gt 1 ] || { until [ -e ../second ]; do sleep 0.05; done; }; : >../second' >out
	local caller=$started
	wait_for 40 has_lines ran 1
	# As a host that sleeps for a while: nothing of the worker runs but the command, which ends.
	mapfile -t pids < <(descend "$first" | xargs -r ps -o pid=,args= -p | awk '/loop-(queue|job)/ {print $1}')
	kill -STOP "$first" "${pids[@]}"
	worker
	wait "$caller"
	kill -CONT "$first" "${pids[@]}"
	[ "$(cat out)" = 2 ]
	wait_for 40 is_empty
	[ "$(cat out)" = 2 ]
}
# All processes below a pid.
descend() {
	local child
	for child in $(ps -o pid= --ppid "$1"); do
		echo "$child"
		descend "$child"
	done
}

@test "a call that is told to end takes its job back" {
	worker
	start loop-job call q -- sh -c 'echo $$ >../pid; exec sleep 60'
	wait_for 40 test -s pid
	kill -TERM "$started"
	wait "$started" || [ $? = 143 ]
	wait_for 40 gone "$(<pid)"
	wait_for 40 is_empty
	# One that no worker has yet is simply gone.
	start loop-job call other -- true
	wait_for 40 has_item other
	kill -INT "$started"
	wait "$started" || [ $? = 130 ]
	[ "$(loop-queue stats --json other | jq .ready)" = 0 ]
}
has_item() { [ "$(loop-queue stats --json "$1" 2>/dev/null | jq .ready)" = 1 ]; }

@test "a call that is killed and made again puts no second job" {
	start loop-job call q --name once -- sh -c 'echo x >>../ran; echo over'
	wait_for 40 has_item q
	kill -KILL "$started"
	wait "$started" || true
	worker
	wait_for 40 has_lines ran 1
	wait_for 40 is_empty
	[ "$(call q --name once --report report -- sh -c 'echo x >>../ran; echo over')" = over ]
	# What was delivered is not asked for again.
	[ -z "$(call q --name once --report report -- false)" ]
	has_lines ran 1
	[ "$(wc -l <ran)" = 1 ]
}

@test "a job that every worker is lost over is given up" {
	start loop-job call q --lease 1s --tries 2 --report report -- sh -c 'echo x >>../ran; sleep 30'
	local caller=$started
	worker
	for try in 1 2; do
		wait_for 40 has_lines ran "$try"
		kill -KILL "$started"
		wait "$started" || true
		worker
	done
	status=0
	wait "$caller" || status=$?
	[ "$status" = 125 ]
	[ "$(jq -r .reason report)" = 'lost: its lease ran out' ]
	wait_for 40 is_empty
}

plan() {
	cat >plan.json <<-'END'
		{"name": "p", "tasks": [
		{"id": "a", "run": "echo at; echo '{\"x\": 1}' >$LOOP_OUTPUT; echo a >>../ran", "undo": "echo undo-a >>../ran"},
		{"id": "b", "needs": ["a"], "env": {"WORD": "two words"}, "retry": {"attempts": 2, "base": "10ms"},
		 "run": "jq -r .a.x $LOOP_INPUTS; jq -r .id $LOOP_TASK_FILE; echo $WORD; echo b$LOOP_ATTEMPT >>../ran; [ $LOOP_ATTEMPT = 2 ]"},
		{"id": "no", "when": "false", "run": "echo no >>../ran"},
		{"id": "long", "run": "sleep 30", "timeout": "300ms"}]}
	END
}

@test "a plan whose tasks run where the workers are" {
	plan
	worker -j 4
	status_is 1 loop-sched run plan.json -j 4 --on queue:q --id r
	[ "$(sort ran | tr '\n' ' ')" = 'a b1 b2 ' ]
	[ "$(tr '\n' ' ' <.loop/runs/r/tasks/b/2.out)" = '1 b two words ' ]
	[ "$(loop-sched show --json r | jq -r '"\(.task) \(.state)"' | sort | tr '\n' ' ')" = \
		'a succeeded b succeeded long timed_out no skipped ' ]
	[ "$(jq -r .status .loop/runs/r/tasks/b/1/job.json)" = 1 ]
	loop-sched undo r
	[ "$(tail -n 1 ran)" = undo-a ]
	wait_for 40 is_empty
	status_is 64 loop-sched run plan.json --on host
	status_is 64 loop-sched run plan.json --on queue:q --launcher 'ssh x'
}

@test "a scheduler that is killed asks for the same jobs when it goes on" {
	local n
	for n in 1 2 3 4 5 6; do
		echo "{\"id\":\"t$n\",\"run\":\"echo t$n >>../ran; sleep 0.4\"}"
	done >plan.jsonl
	start loop-sched run plan.jsonl -j 4 --on queue:q --id r
	wait_for 40 has_jobs 4
	worker -j 2 --lease 1s
	wait_for 40 has_lines ran 1
	kill -KILL "$started" 2>/dev/null || true # the worker: its jobs are taken up again
	kill -KILL "${STARTED[-2]}"
	wait_for 40 no_calls
	worker -j 2
	wait_for 80 has_lines ran 4
	wait_for 80 is_empty
	status_is 0 loop-sched resume r
	[ "$(sort -u ran | wc -l)" = 6 ]
	# Of the four that were put, nothing was put again: only what the dead worker had began anew.
	[ "$(sort ran | uniq -c | awk '$1 > 2' | wc -l)" = 0 ]
	[ "$(sort ran | uniq -c | awk '$1 > 1' | wc -l)" -le 2 ]
	[ "$(jq -s 'map(select(.state == "succeeded" and .task)) | map(.attempt) | unique' -c .loop/runs/r/run.jsonl)" = '[1]' ]
}
has_jobs() { [ "$(loop-queue stats --json q 2>/dev/null | jq .ready)" = "$1" ]; }
no_calls() { ! grep -qzs '^LOOP_TRACE=r/' /proc/[0-9]*/environ; }

@test "a task that is cancelled ends where it runs" {
	echo '{"id":"long","run":"echo $$ >../pid; exec sleep 60"}' >plan.jsonl
	worker
	start loop-sched run plan.jsonl --on queue:q --id r
	wait_for 40 test -s pid
	loop-sched cancel r
	wait "$started" || [ $? = 1 ]
	wait_for 40 gone "$(<pid)"
	wait_for 40 is_empty
	[ "$(loop-sched show --json r | jq -r .state)" = cancelled ]
}
