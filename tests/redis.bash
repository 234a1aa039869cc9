# redis: for tests that have a Redis of their own. To be loaded behind helper.
# shellcheck shell=bash disable=SC2034 # its pid is for those that load it

# needs_redis: sets SOCKET and LOOP_STORE to where start_redis will put it.
needs_redis() {
	command -v redis-server >/dev/null || skip 'no redis-server here'
	SOCKET=$SCRATCH/redis.sock
	export LOOP_STORE=redis+unix://$SOCKET
}

# start_redis [OPTION…]: durable, unless the options say otherwise; its pid is in $redis_pid.
start_redis() {
	start redis-server --port 0 --unixsocket "$SOCKET" --dir "$SCRATCH" --save '' --appendonly yes \
		--appendfsync always --maxmemory-policy noeviction --logfile "$SCRATCH/redis.log" "$@"
	# shellcheck disable=SC2034 # for those who load this
	redis_pid=${started:?}
	wait_for 40 redis_answers
}

redis() { redis-cli -s "$SOCKET" "$@"; }

redis_answers() { [[ $(redis PING 2>&1) =~ PONG|NOAUTH ]]; }

# bad KIND WHAT: LOOP_STORE is a socket with something bad between us and Redis.
bad() {
	local socket=$SCRATCH/bad.$((++bads)).sock
	start "$BUILD_DIR/tests/tools/badwire" "$socket" "$1" "$2" "$SOCKET"
	wait_for 20 test -S "$socket"
	LOOP_STORE=redis+unix://$socket
}
