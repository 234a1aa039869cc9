load helper
load redis

# Breakers in Redis: two state directories as two hosts, which share nothing but the server.

setup_more() {
	needs_redis
	start_redis
}

on() { # HOST COMMAND…
	mkdir -p "$SCRATCH/$1"
	LOOP_DIR=$SCRATCH/$1/.loop "${@:2}"
}
view() { loop-guard list --json api | jq -r ".$1"; }
is_view() { [ "$(view "$1")" = "$2" ]; }

@test "failures on all hosts open it for all, and probes of any close it" {
	local n
	for n in 1 2 3 4; do
		status_is 1 on "h$n" loop-guard --breaker api --cooldown 2s --consecutive 4 -- false
	done
	is_view state open
	status_is 75 on h9 loop-guard --breaker api --wait 0 -- true
	has "$stderr" 'breaker api is open'
	status_is 0 on h9 loop-guard --breaker api --wait 10s -- true
	is_view state half_open
	status_is 0 on h1 loop-guard --breaker api --wait 10s -- true
	is_view state closed
	[ "$(on h4 loop-bus history --all --type breaker.opened | jq -r .data.failures)" = 4 ]
	has "$(on h9 loop-guard list)" 'api '
	[ ! -e h4/.loop/breakers/api.json ]
}

@test "a probe whose host is gone is lost when it is not renewed" {
	on a loop-guard trip api --for 2s
	on a start loop-guard --breaker api --wait 20s --lease 1s -- sh -c 'echo $$ >pid; exec sleep 60'
	wait_for 40 test -s pid
	is_view state half_open
	# As a host that is cut off: nothing of it is heard.
	kill -STOP "$started" "$(ps -o ppid= -p "$(<pid)")"
	wait_for 80 is_lost
	is_view state open
	kill -CONT "$(ps -o ppid= -p "$(<pid)")" "$started"
}

is_lost() { # whoever looks moves the state on
	on b loop-guard --breaker api --wait 0 -- true 2>/dev/null || true
	is_view why 'a probe was lost'
}

@test "outcomes that many hosts tell at once are all counted" {
	local n pid
	for n in $(seq 16); do
		on "h$n" start timeout 60 loop-guard --breaker api --consecutive 1000 --rate 1 --window 100 -- \
			sh -c "exit $((n % 2))"
	done
	for pid in "${STARTED[@]:1}"; do wait "$pid" || true; done
	is_view calls 16
	is_view failures 8
}

@test "trip, hold, observe and reset are for all hosts; a Redis that goes away is told of" {
	on a loop-guard hold api --why 'deploying'
	status_is 75 on b loop-guard --breaker api --wait 0 -- true
	has "$(on b loop-guard list api)" deploying
	on b loop-guard observe api
	status_is 0 on a loop-guard --breaker api -- true
	on b loop-guard reset api
	is_view state closed
	status_is 1 on b loop-guard reset never
	status_is 1 on b loop-guard list never
	status_is 1 on b loop-guard list --store file api
	# A worker's breaker is there, too.
	on a loop-queue put q x >/dev/null
	on a loop-queue work q --breaker api --idle-exit 0 -- true
	is_view calls 1
	kill -KILL "$redis_pid"
	wait "$redis_pid" || true
	status_is 125 on a loop-guard --breaker api --patience 200ms -- true
	has "$stderr" "$SCRATCH/redis.sock"
	status_is 69 on a loop-guard list --patience 200ms
}
