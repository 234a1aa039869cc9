# What Redis may be besides well, for locks, breakers and jobs: foreign, old, a replica, full, slow. A
# clear error each, and what is held is kept.
load helper
load redis

setup_more() { needs_redis; }

# all_say TEXT: each program fails before a command is run, with this in its message.
all_say() {
	status_is 125 loop-lock x --patience 300ms -- touch ran
	has "$stderr" "$1"
	status_is 125 loop-guard --breaker x --patience 300ms -- touch ran
	has "$stderr" "$1"
	status_is 125 loop-job call q --patience 300ms -- touch ran
	has "$stderr" "$1"
	[ ! -e ran ]
}

# beginners_say STATUS TEXT: what goes on and on, or has much to do, does not even begin.
beginners_say() {
	status_is 125 loop-pool q --patience 300ms -- touch ran
	has "$stderr" "$2"
	exec 9<>"$(loop-lock path script)"
	status_is "$1" loop-lock acquire script --fd 9 --patience 300ms
	has "$stderr" "$2"
	status_is "$1" loop-bus bridge
	has "$stderr" "$2"
	echo '{"tasks":[{"id":"a","run":"touch ran"}]}' >plan.json
	status_is "$1" loop-sched run plan.json --on queue:q
	has "$stderr" "$2"
	[ ! -e ran ]
	[ ! -e .loop/runs ]
	[ "$(wc -l <<<"$stderr")" = 1 ]
}

@test "an older one, a web server, nonsense, nobody: no command is run" {
	bad say '$32\r\nredis_version:5.0.7\r\nrole:master\r\n'
	all_say 'Redis 5.0.7; 7 or later is needed'
	beginners_say 69 'Redis 5.0.7; 7 or later is needed'
	status_is 69 loop-lock list
	status_is 69 loop-guard list
	bad say 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'
	all_say 'what answers is no Redis'
	beginners_say 76 'what answers is no Redis'
	status_is 76 loop-lock list
	status_is 76 loop-guard list
	LOOP_STORE=redis+unix://$SCRATCH/nobody.sock
	all_say nobody.sock
	LOOP_STORE=http://localhost
	all_say http
	status_is 64 loop-lock list || status_is 65 loop-lock list
}

@test "a replica, and one that becomes one while a lock is held" {
	start_redis
	start loop-lock held --lease 2s -- sh -c 'echo $$ >pid; exec sleep 60' 2>errors
	wait_for 40 test -s pid
	redis replicaof 127.0.0.1 1 >/dev/null
	all_say 'a replica: name its master'
	beginners_say 69 'a replica: name its master'
	status=0
	wait "$started" || status=$?
	[ "$status" = 125 ]
	has "$(<errors)" 'not renewed'
	gone "$(<pid)"
}

@test "a password that is missing, and a right" {
	start_redis
	status_is 0 loop-queue put q --delay 1h x
	redis ACL SETUSER default -fcall >/dev/null
	status_is 125 loop-pool q -- touch ran
	has "$stderr" NOPERM
	redis CONFIG SET requirepass secret >/dev/null
	all_say NOAUTH
	beginners_say 77 NOAUTH
}

@test "full: nothing new is held or put, what is held is kept and given back, what is done is answered" {
	start_redis
	start loop-queue work q -- loop-job run
	start loop-lock held --lease 2s -- sh -c 'until [ -e go ]; do sleep 0.05; done'
	local holder=$started
	start loop-job call q -- sh -c 'echo $$ >pid; until [ -e go ]; do sleep 0.02; done; echo done'
	local caller=$started
	wait_for 40 test -s pid
	wait_for 40 eval 'loop-lock list --json held | jq -e ".holders[0]" >/dev/null'
	redis CONFIG SET maxmemory 1mb >/dev/null
	all_say OOM
	sleep 2.2 # a lease
	[ "$(loop-lock list --json held | jq '.holders | length')" = 1 ]
	: >go
	wait "$holder"
	wait "$caller"
	redis CONFIG SET maxmemory 0 >/dev/null
	status_is 0 loop-lock held --nonblock -- true
}

@test "slow: nothing is done twice, and nothing is lost" {
	start_redis
	bad delay 60
	status_is 0 loop-lock x --lease 5s -- sh -c 'echo "$LOOP_LOCK_TOKEN"'
	[ -n "$output" ]
	status_is 3 loop-guard --breaker x -- sh -c 'exit 3'
	[ "$(loop-guard list --json x | jq .failures)" = 1 ]
	[ "$(loop-lock stats --json x | jq -c '[.requests,.holders,.waiters]')" = '[1,0,0]' ]
}

@test "an answer that is lost on its way: the question is asked again, and answered as before" {
	start_redis
	local n
	for n in 4 5 6 7; do
		bad cut "$n"
		status_is 0 loop-lock "cut$n" --lease 5s -- sh -c 'echo "$LOOP_LOCK_TOKEN"'
		[ "$(loop-lock stats --json "cut$n" | jq -c '[.requests,.holders,.waiters]')" = '[1,0,0]' ]
	done
}
