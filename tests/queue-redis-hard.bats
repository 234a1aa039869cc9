# What Redis may be besides well: elsewhere, foreign, full, slow, gone. Whatever it is, what was
# acknowledged is there, once, and an error says what is the matter.
load helper
load redis

setup_more() { needs_redis; }

counts() {
	loop-queue stats --json q | jq -r '"\(.ready) \(.delayed) \(.claimed) \(.buried)"'
}

@test "a password from a file" {
	start_redis --requirepass 'p@ss word'
	status_is 77 loop-queue put q x
	has "$stderr" "$SOCKET: NOAUTH"
	export LOOP_STORE="redis+unix://$SOCKET?password-file=$SCRATCH/secret"
	status_is 66 loop-queue put q x
	has "$stderr" secret
	echo wrong >secret
	status_is 77 loop-queue put q x
	[[ $stderr != *wrong* ]]
	echo 'p@ss word' >secret
	status_is 0 loop-queue put q x
}

port_of() { # COMMAND-BEFORE-THE-PORT…: starts a server on a port of its own, which is in $port
	local try
	for ((try = 0; try < 5; try++)); do
		port=$((20000 + RANDOM % 20000))
		rm -f "${SOCKET:?}"
		start "$@" "$port"
		wait_for 40 eval 'test -S "$SOCKET" || gone "$started"'
		[ ! -S "$SOCKET" ] || return 0
	done
	return 1
}

# A bare machine may not know even this name.
needs_localhost() {
	getent hosts localhost >/dev/null || skip 'localhost has no address here'
}

@test "by TCP: user and password stand in the URL, and rights are missed" {
	needs_localhost
	port_of redis-server --bind 127.0.0.1 --unixsocket "$SOCKET" --dir "$SCRATCH" --save '' \
		--appendonly yes --logfile "$SCRATCH/redis.log" --port
	redis config set requirepass 'p@ss/word' >/dev/null
	redis --no-auth-warning -a 'p@ss/word' acl setuser worker on '>w:o' '~loop:*' '&loop:*' +@all >/dev/null
	redis --no-auth-warning -a 'p@ss/word' acl setuser reader on '>r' '~loop:*' +info +ping +function >/dev/null
	status_is 0 loop-queue put --store "redis://:p%40ss%2Fword@127.0.0.1:$port" q x
	status_is 0 loop-queue claim --store "redis://worker:w%3Ao@localhost:$port/0" q
	status_is 77 loop-queue claim --store "redis://worker:no@localhost:$port/0" q
	has "$stderr" "localhost:$port: WRONGPASS"
	status_is 77 loop-queue claim --store "redis://reader:r@localhost:$port/0" q
	has "$stderr" 'NOPERM'
	status_is 74 loop-queue put --store "redis://:p%40ss%2Fword@127.0.0.1:$port/77" q x
	has "$stderr" 'DB index is out of range'
}

make_certificates() {
	local name
	command -v openssl >/dev/null || skip 'no openssl here'
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=ca \
		-keyout ca.key -out ca.pem
	for name in server client; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$name" \
			-keyout "$name.key" -out "$name.csr"
		openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
			-extfile <(echo subjectAltName=DNS:localhost) -out "$name.pem"
	done
} >openssl.log 2>&1

@test "TLS: who it is, who we are, and what does not speak it" {
	needs_localhost
	make_certificates
	port_of redis-server --bind 127.0.0.1 --unixsocket "$SOCKET" --dir "$SCRATCH" --save '' \
		--appendonly yes --logfile "$SCRATCH/redis.log" --port 0 --tls-cert-file server.pem \
		--tls-key-file server.key --tls-ca-cert-file ca.pem --tls-auth-clients no --tls-port
	local ca=cacert=$SCRATCH/ca.pem here=rediss://localhost:$port there=rediss://127.0.0.1:$port
	head -c 3000000 /dev/urandom >big
	status_is 0 loop-queue put --store "$here/?$ca" q - <big
	status_is 0 loop-queue claim --store "$there/?$ca&servername=localhost" --body-to out q
	cmp big out
	status_is 0 loop-queue stats --store "$there/?insecure=1" q
	status_is 77 loop-queue stats --store "$there/?$ca" q
	has "$stderr" 'mismatch'
	status_is 77 loop-queue stats --store "$here" q
	has "$stderr" "localhost:$port: TLS: "
	status_is 66 loop-queue stats --store "$here?cacert=/not/there" q
	has "$stderr" '/not/there'
	status_is 69 loop-queue stats --patience 300ms --store "redis://localhost:$port" q
	redis config set tls-auth-clients yes >/dev/null
	status_is 0 loop-queue stats --store "$here/?$ca&cert=$SCRATCH/client.pem&key=$SCRATCH/client.key" q
	run --separate-stderr loop-queue stats --patience 300ms --store "$here/?$ca" q
	[ "$status" -eq 77 ] || [ "$status" -eq 69 ] # it may be reset before the reason is read
	has "$stderr" 'certificate'
}

@test "TLS asked of what does not speak it" {
	port_of redis-server --bind 127.0.0.1 --unixsocket "$SOCKET" --save '' --logfile "$SCRATCH/redis.log" --port
	status_is 69 loop-queue stats --patience 300ms --store "rediss://127.0.0.1:$port/?insecure=1" q
	has "$stderr" 'TLS: no answer in time'
}

@test "a replica, and one that becomes a replica" {
	start_redis
	loop-queue put q before >/dev/null
	mkfifo lines
	start eval 'loop-queue put --jsonl q <lines >ids 2>errors || echo $? >status'
	exec 5>lines
	echo '{"body":1}' >&5
	wait_for 40 test -s ids
	redis replicaof 127.0.0.1 1 >/dev/null
	echo '{"body":2}' >&5
	exec 5>&-
	wait_for 40 test -s status
	[ "$(<status)" -eq 69 ]
	has "$(<errors)" READONLY
	status_is 69 loop-queue claim q
	has "$stderr" 'a replica: name its master'
	redis replicaof no one >/dev/null
	[ "$(counts)" = '2 0 0 0' ]
}

@test "an older one, one of no version, a web server, nonsense" {
	bad say '$32\r\nredis_version:5.0.7\r\nrole:master\r\n'
	status_is 69 loop-queue put q x
	has "$stderr" 'Redis 5.0.7; 7 or later is needed'
	bad say '+OK\r\n'
	status_is 76 loop-queue put q x
	has "$stderr" 'what answers is no Redis'
	bad say 'HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'
	status_is 76 loop-queue put q x
	has "$stderr" 'what answers is no Redis'
	bad say '-ERR unknown command INFO\r\n'
	status_is 69 loop-queue put q x
	has "$stderr" 'unknown command'
}

@test "one that evicts, one that keeps nothing: a warning, once" {
	start_redis --appendonly no --maxmemory 200mb --maxmemory-policy allkeys-lru
	status_is 0 loop-queue put q x
	has "$stderr" 'maxmemory-policy is not noeviction'
	has "$stderr" 'appendonly is no'
	status_is 0 loop-queue put q x
	[ -z "$stderr" ]
}

@test "full: nothing more is put, and what is there is worked off" {
	start_redis --maxmemory 6mb
	head -c 200000 /dev/zero | tr '\0' x >body
	local put=0
	while loop-queue put q - <body >/dev/null 2>errors; do put=$((put + 1)); done
	has "$(<errors)" OOM
	[ "$put" -gt 3 ]
	status_is 74 loop-queue put q - <body
	[ "$(counts)" = "$put 0 0 0" ]
	status_is 0 loop-queue work q --idle-exit 0 -- sh -c 'wc -c >>worked'
	[ "$(sort worked | uniq -c | tr -s ' ')" = " $put 200000" ]
	status_is 0 loop-queue put q - <body
}

@test "it cannot write to its disk" {
	mkdir gone
	start_redis --dir "$SCRATCH/gone" --appendonly no --save '3600 1'
	loop-queue put q x >/dev/null
	rm -rf gone
	redis bgsave >/dev/null
	wait_for 40 eval 'redis info persistence | grep -q rdb_last_bgsave_status:err'
	status_is 74 loop-queue put q y
	has "$stderr" MISCONF
	status_is 74 loop-queue claim q
	redis config set stop-writes-on-bgsave-error no >/dev/null
	[ "$(counts)" = '1 0 0 0' ]
}

@test "slow: waited for as long as the patience is" {
	start_redis --enable-debug-command yes
	loop-queue put q before >/dev/null
	redis debug sleep 2 >/dev/null &
	STARTED+=("$!")
	sleep 0.1
	status_is 0 loop-queue put q slow
	redis debug sleep 3 >/dev/null &
	STARTED+=("$!")
	sleep 0.1
	status_is 69 loop-queue put --patience 500ms --key K q late
	has "$stderr" "$SOCKET: no answer in time"
	wait "${STARTED[-1]}"
	loop-queue put --key K q late >/dev/null
	[ "$(loop-queue list --json q | jq -r .body | sort | tr '\n' ' ')" = 'before late slow ' ]
}

@test "a connection that is lost at any request: each verb once" {
	local kind n id token good=$LOOP_STORE
	start_redis
	for kind in lose cut; do
		for n in 1 2 3 4 5 6 7; do
			bad "$kind" "$n"
			id=$(loop-queue put q "$kind $n")
			LOOP_STORE=$good
			[ "$(counts)" = '1 0 0 0' ]
			bad "$kind" "$n"
			loop-queue claim q >item
			LOOP_STORE=$good
			[ "$(jq -r '.id + " " + .body + " " + (.try | tostring)' item)" = "$id $kind $n 1" ]
			token=$(jq -r .token item)
			bad "$kind" "$n"
			loop-queue nack q "$id" "$token" --delay 0
			LOOP_STORE=$good
			[ "$(counts)" = '1 0 0 0' ]
			token=$(loop-queue claim q | jq -r .token)
			bad "$kind" "$n"
			loop-queue ack q "$id" "$token"
			LOOP_STORE=$good
			[ "$(counts)" = '0 0 0 0' ]
		done
	done
}

@test "gone while a worker works, and back: the item is done once" {
	start_redis
	loop-queue put q x >/dev/null
	loop-queue put q y >/dev/null
	start loop-queue work q -n 2 --patience 300ms -- sh -c 'touch began; until [ -e go ]; do sleep 0.02; done; cat >>worked; echo >>worked'
	local worker=$started
	wait_for 40 test -e began
	kill -KILL "$redis_pid"
	rm -f "${SOCKET:?}"
	touch go
	wait_for 40 test -e worked
	start_redis
	wait "$worker"
	[ "$(sort worked | tr '\n' ' ')" = 'x y ' ]
	[ "$(counts)" = '0 0 0 0' ]
}

@test "it becomes a replica while a worker works: the command finishes, and the worker says why it ends" {
	start_redis
	printf '{"body":"%s","lease":"1500ms"}\n' x y | loop-queue put --jsonl q >/dev/null
	start eval 'loop-queue work q -j 2 --patience 300ms -- sh -c '\''touch began; until [ -e go ]; do sleep 0.02; done; cat >>worked'\'' 2>errors || echo $? >status'
	wait_for 40 eval '[ -e began ] && [ "$(loop-queue stats --json q | jq .claimed)" = 2 ]'
	loop-queue put q z >/dev/null
	redis replicaof 127.0.0.1 1 >/dev/null
	touch go
	wait_for 80 test -s status
	[ "$(<status)" -eq 125 ]
	[ "$(fold -w1 worked | sort | tr '\n' ' ')" = 'x y ' ]
	has "$(<errors)" READONLY
	redis replicaof no one >/dev/null
	wait_for 40 eval '[ "$(counts)" = "3 0 0 0" ]'
}

@test "its functions are lost: it gets them again" {
	start_redis
	loop-queue put q x >/dev/null
	redis function flush >/dev/null
	[ "$(counts)" = '1 0 0 0' ]
}

@test "the server's clock jumps an hour: nothing is lost, and no stale ack is taken" {
	cc -shared -fPIC -o jump.so "$SOURCE_TREE/tests/tools/preload/clockjump.c"
	echo 0 >jump
	export CLOCK_JUMP=$SCRATCH/jump
	LD_PRELOAD=$SCRATCH/jump.so start_redis
	local id token was
	id=$(loop-queue put q x --lease 10m --tries 5)
	was=$(loop-queue claim q | jq -r .token)
	echo 3600 >jump
	status_is 77 loop-queue ack q "$id" "$was"
	token=$(loop-queue claim q | jq -r .token)
	[ "$token" != "$was" ]
	echo -3600 >jump
	status_is 77 loop-queue ack q "$id" "$was"
	status_is 0 loop-queue touch q "$id" "$token"
	status_is 1 loop-queue claim q
	status_is 0 loop-queue ack q "$id" "$token"
	loop-queue put q y --delay 10m >/dev/null
	echo 0 >jump
	[ "$(counts)" = '1 0 0 0' ]
}

@test "migrate: there and back, once and in order; what is claimed stays" {
	local away=$LOOP_STORE id token
	start_redis
	unset LOOP_STORE
	seq 700 | jq -c '{body: "n\(.)", priority: (. % 2)}' | loop-queue put --jsonl q >/dev/null
	read -r id token < <(loop-queue claim q | jq -r '"\(.id) \(.token)"')
	loop-queue put q late --delay 1h --tries 7 --lease 9s >/dev/null
	printf '\0\377' | loop-queue put q --key K -p low >/dev/null
	status_is 75 loop-queue migrate q --to "$away"
	has "$stderr" '1 items are claimed'
	[ "$(counts)" = '0 0 1 0' ]
	loop-queue nack q "$id" "$token" --delay 0 --why 'not I'
	status_is 0 loop-queue migrate q --to "$away"
	[ "$(counts)" = '0 0 0 0' ]
	export LOOP_STORE=$away
	[ "$(counts)" = '701 1 0 0' ]
	loop-queue claim -n 700 q | tee claimed | jq -r .body >bodies
	{ seq 4 2 700 && echo 2 && seq 1 2 699; } | sed 's/^/n/' | cmp - bodies
	loop-queue ack --jsonl q <claimed >/dev/null
	[ "$(loop-queue peek q | jq -r '"\(.key) \(.body64)"')" = 'K AP8=' ]
	status_is 0 loop-queue migrate q --to file
	[ "$(counts)" = '0 0 0 0' ]
	unset LOOP_STORE
	[ "$(counts)" = '1 1 0 0' ]
	[ "$(loop-queue peek q | jq -r '"\(.key) \(.body64) \(.priority)"')" = 'K AP8= 2000' ]
	[ "$(loop-queue list q --state delayed --json | jq -r '"\(.body) \(.tries) \(.lease)"')" = 'late 7 9' ]
}
