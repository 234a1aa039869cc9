load helper

workers() {
	loop-pool status --json q 2>/dev/null | jq ".$1"
}

put_many() { # COUNT
	seq "$1" | jq -c '{body: .}' | loop-queue put --jsonl q >/dev/null
}

pool() {
	start loop-pool q --every 100ms --cooldown 300ms "$@"
	pool=$started
}

@test "pool: grows with the queue, shrinks when idle, and all is done once" {
	put_many 40
	pool --min 1 --max 4 --scale-up 5 --scale-down 1 -- sh -c 'echo "$(cat) $LOOP_POOL_SLOT" >>ran; sleep 0.15'
	wait_for 40 eval '[ "$(workers workers)" = 4 ]'
	wait_for 80 loop-queue wait --empty --timeout 50ms q
	wait_for 80 eval '[ "$(workers workers)" = 1 ]'
	[ "$(cut -d' ' -f1 ran | sort -n | uniq | wc -l)" -eq 40 ]
	[ "$(wc -l <ran)" -eq 40 ]
	[ "$(cut -d' ' -f2 ran | sort -u | tr '\n' ' ')" = '0 1 2 3 ' ]
	[ "$(loop-queue stats --json q | jq '.buried + .delayed')" = 0 ]
	kill "$pool"
	wait "$pool"
	jq -r 'select(.type == "pool.scaled") | .data | "\(.from)>\(.to)"' "$LOOP_DIR/events.jsonl" >scaled
	[ "$(tail -n 3 scaled | tr '\n' ' ')" = '4>3 3>2 2>1 ' ]
	[ "$(jq -r 'select(.type == "pool.scaled") | .data.why' "$LOOP_DIR/events.jsonl" | uniq | tr '\n' ' ')" = 'depth idle ' ]
	status_is 1 loop-pool status q
	nothing_left
	events_conform
}

@test "pool: told to end, it lets the workers finish" {
	put_many 2
	pool --min 2 -- sh -c 'touch "began.$LOOP_POOL_SLOT"; sleep 0.6; touch "ended.$LOOP_POOL_SLOT"'
	wait_for 40 test -e began.0 -a -e began.1
	kill "$pool"
	wait "$pool"
	[ -e ended.0 ]
	[ -e ended.1 ]
	[ "$(loop-queue stats --json q | jq -c '[.ready,.claimed,.delayed]')" = '[0,0,0]' ]
}

@test "pool: a worker that is killed is started again, later each time" {
	pool --min 1 --raw -- sh -c 'echo "$LOOP_POOL_SLOT" >>ran; exit 3'
	wait_for 60 eval '[ -e ran ] && [ "$(wc -l <ran)" -ge 2 ]'
	kill "$pool"
	wait "$pool"
	jq -c 'select(.type == "pool.worker_crashed") | .data.crashes' "$LOOP_DIR/events.jsonl" >crashes
	[ "$(head -n 2 crashes | tr '\n' ' ')" = '1 2 ' ]
	nothing_left
}

@test "pool: while its breaker is open nobody works, and it does not grow" {
	put_many 60
	loop-guard hold b
	pool --min 1 --max 5 --breaker b -- sh -c 'echo x >>ran'
	wait_for 40 eval '[ "$(workers paused)" = true ]'
	[ ! -e ran ]
	[ "$(workers workers)" -le 1 ]
	loop-guard reset b
	wait_for 80 loop-queue wait --empty --timeout 50ms q
	[ "$(wc -l <ran)" -eq 60 ]
}

@test "pool: killed, it takes its workers with it, and nothing is lost" {
	put_many 3
	pool --min 3 --lease 1s -- sh -c 'touch began; sleep 60'
	wait_for 40 test -e began
	kill -KILL "$pool"
	wait_for 40 nothing_left
	wait_for 40 eval '[ "$(loop-queue stats --json q | jq .ready)" = 3 ]'
}

@test "pool: wrong usage" {
	status_is 125 loop-pool q
	status_is 125 loop-pool a/b -- true
	status_is 125 loop-pool q --min 5 --max 2 -- true
	status_is 125 loop-pool q --scale-up 2 --scale-down 2 -- true
	status_is 66 loop-pool status
}
