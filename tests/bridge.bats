load helper

# Two state directories as two hosts, with a Redis between them.

setup_more() {
	command -v redis-server >/dev/null || skip 'redis-server is not installed'
	export LOOP_STORE=redis+unix://$SCRATCH/redis.sock
	begin_redis
}

begin_redis() {
	start redis-server --port 0 --unixsocket "$SCRATCH/redis.sock" --dir "$SCRATCH" --appendonly yes \
		--appendfsync always --maxmemory-policy noeviction >/dev/null
	redis=$started
	wait_for 40 redis_is_up
}

redis_is_up() { [ "$(redis PING 2>/dev/null)" = PONG ]; }
redis() { redis-cli -s "$SCRATCH/redis.sock" "$@"; }
on() { # HOST COMMAND…
	LOOP_DIR=$SCRATCH/$1/.loop "${@:2}"
}
bridge() { # HOST [OPTION…]
	mkdir -p "$SCRATCH/$1"
	on "$1" start loop-bus bridge "${@:2}"
	wait_for 40 ready "$1" "$started"
}
ready() { [ "$(head -n 1 "$SCRATCH/$1/.loop/bridge.pid" 2>/dev/null | cut -d ' ' -f 1)" = "$2" ] && [ -e "$SCRATCH/$1/.loop/bridge/events" ]; }
seen() { # HOST TYPE: the data.n of its events, in order
	on "$1" loop-bus history --all --type "$2" | jq -r .data.n
}
is_seen() { # HOST TYPE COUNT
	[ "$(seen "$1" "$2" | wc -l)" -ge "$3" ]
}

@test "events go both ways, each once, and keep where they come from" {
	bridge a
	bridge b
	for n in 1 2 3; do
		on a loop-emit from.a n:="$n"
		on b loop-emit from.b n:="$n" --subject=x/y --priority=high
	done
	wait_for 40 is_seen b from.a 3
	wait_for 40 is_seen a from.b 3
	[ "$(seen b from.a | tr '\n' ' ')" = '1 2 3 ' ]
	[ "$(seen a from.b | tr '\n' ' ')" = '1 2 3 ' ]
	host=$(<b/.loop/bridge/.host)
	on a loop-bus history --type from.b -n 1 | jq -e --arg host "$host" \
		'.originhost == $host and .subject == "x/y" and .priority == "high" and .originid and .bridgeid'
	on a loop-bus verify
	# What came over it does not go back.
	[ "$(redis XLEN 'loop:bus:{events}')" = 6 ]
	[ "$(seen a from.a | wc -l)" = 3 ]
}

@test "a host that was away takes what it missed, and one that is new begins now or at the start" {
	bridge a
	bridge b
	kill -KILL "$started"
	wait "$started" || true
	for n in $(seq 20); do on a loop-emit from.a n:="$n"; done
	on b loop-emit from.b n:=1 # told while no bridge runs there
	wait_for 40 is_seen a from.a 20
	bridge b
	wait_for 40 is_seen b from.a 20
	wait_for 40 is_seen a from.b 1
	bridge c
	bridge d --start
	wait_for 40 is_seen d from.a 20
	on a loop-emit from.a n:=21
	wait_for 40 is_seen c from.a 1
	[ "$(seen c from.a)" = 21 ]
	wait_for 40 is_seen d from.a 21
}

@test "a Redis that is full is waited for, and one that refuses is said" {
	bridge a 2>errors
	bridge b
	redis CONFIG SET maxmemory 1mb >/dev/null
	on a loop-emit from.a n:=1
	refused() { grep -q 'OOM.*it is tried again' errors; }
	wait_for 40 refused
	on a loop-emit from.a n:=2
	redis CONFIG SET maxmemory 0 >/dev/null
	wait_for 40 is_seen b from.a 2
	[ "$(seen b from.a | tr '\n' ' ')" = '1 2 ' ]
	redis ACL SETUSER default -fcall >/dev/null
	bridge c 2>refusal
	on c loop-emit from.c n:=1
	status=0
	wait "$started" || status=$?
	[ "$status" = 77 ]
	has "$(<refusal)" 'NOPERM'
}

@test "only what was asked for goes out, and streams of other names are apart" {
	bridge a --type 'story.*' --priority high
	bridge b
	mkdir c
	on c start loop-bus bridge --name other
	on a loop-emit story.started n:=1
	on a loop-emit story.completed n:=2 --priority high
	on a loop-emit other.event n:=3 --priority high
	on a loop-emit story.completed n:=4 --priority critical
	wait_for 40 is_seen b '**' 2
	[ "$(seen b '**' | tr '\n' ' ')" = '2 4 ' ]
	[ ! -e c/.loop/events.jsonl ] || [ -z "$(seen c 'story.*')" ]
}

# Of each host 200 events, in small batches; what is killed is killed amid them.
emit_some() { # ROUND
	local n
	for n in $(seq $(($1 * 200 - 199)) 20 $(($1 * 200))); do
		printf '{"n":%s}\n' $(seq "$n" $((n + 19))) >lines
		on a loop-emit --type from.a - <lines
		on b loop-emit --type from.b - <lines
	done
}
emitted() { (($(grep -c '"type":"from.b"' b/.loop/events.jsonl) >= $1)); }

@test "bridges and Redis that are killed lose nothing and double nothing" {
	bridge a
	local a=$started b emitter
	bridge b
	b=$started
	for round in 1 2 3 4 5 6; do
		emit_some "$round" 3>&- &
		emitter=$!
		wait_for 40 emitted $((round * 200 - 160))
		case $((round % 3)) in
		0)
			kill -KILL "$redis"
			wait "$redis" || true
			begin_redis
			;;
		1)
			kill -KILL "$a"
			wait "$a" || true
			bridge a
			a=$started
			;;
		2)
			kill -KILL "$b"
			wait "$b" || true
			bridge b
			b=$started
			;;
		esac
		wait "$emitter"
	done
	wait_for 120 is_seen a from.b 1200
	wait_for 120 is_seen b from.a 1200
	[ "$(seen a from.b)" = "$(seq 1200)" ]
	[ "$(seen b from.a)" = "$(seq 1200)" ]
	on a loop-bus verify
	on b loop-bus verify
}

@test "events that were thrown away before they were read are told" {
	bridge a --keep 100
	bridge b
	kill -TERM "$started"
	wait "$started"
	for n in $(seq 1000); do echo "{\"n\":$n}"; done | on a loop-emit --type from.a -
	sent() { (($(redis HGET 'loop:bus:{events}:hosts' '#') >= 1000)); } # what was lost is told, too
	wait_for 40 sent
	bridge b
	last() { seen b from.a | grep -qx 1000; }
	wait_for 40 last
	(($(seen b from.a | wc -l) < 1000))
	on b loop-bus history --type error.occurred | jq -se 'any(.[]; (has("originhost") | not)
		and (.data.message | test("^bridge events: [1-9][0-9]* events were thrown away")))'
}

@test "rubbish in the stream is stepped over, and a wrong address is said" {
	bridge a
	bridge b
	redis XADD 'loop:bus:{events}' '*' n 1 origin evil id 1 event 'no json at all' >/dev/null
	redis XADD 'loop:bus:{events}' '*' n 2 origin evil id 2 event '{"type":"BAD type"}' >/dev/null
	redis XADD 'loop:bus:{events}' '*' nothing here >/dev/null
	on a loop-emit from.a n:=1
	wait_for 40 is_seen b from.a 1
	on b loop-bus verify
	mkdir c
	on c status_is 65 loop-bus bridge 'no://address'
	on c status_is 69 timeout 60 loop-bus bridge "redis+unix://$SCRATCH/nobody.sock"
	on a status_is 75 loop-bus bridge
	has "$stderr" 'already running'
}
