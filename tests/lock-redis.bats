load helper
load redis

# Locks in Redis: each host has a state directory of its own, and they share nothing but the server.

setup_more() {
	needs_redis
	start_redis
}

on() { # HOST COMMAND…
	mkdir -p "$SCRATCH/$1"
	LOOP_DIR=$SCRATCH/$1/.loop "${@:2}"
}
holders() { # LOCK NUMBER
	[ "$(loop-lock list --json "$1" 2>/dev/null | jq '.holders | length')" = "$2" ]
}
waiters() {
	[ "$(loop-lock list --json "$1" 2>/dev/null | jq '.waiters | length')" = "$2" ]
}

@test "one at a time, whatever host it is on, with tokens that grow" {
	local n pid
	echo 0 >count
	for n in $(seq 12); do
		on "host$n" start timeout 60 loop-lock sum -- sh -c \
			'n=$(cat count); echo "$LOOP_LOCK_TOKEN" >>tokens; sleep 0.01; echo $((n + 1)) >count'
	done
	for pid in "${STARTED[@]:1}"; do wait "$pid"; done
	[ "$(<count)" = 12 ]
	[ "$(sort -nu tokens)" = "$(<tokens)" ]
	[ "$(wc -l <tokens)" = 12 ]
	[ "$(loop-lock stats --json sum | jq -c '[.requests, .holders, .waiters]')" = '[12,0,0]' ]
	[ ! -e .loop/locks ]
}

@test "shared, counted and several; what is not to be had" {
	on a start loop-lock data --shared -- sleep 60
	wait_for 40 holders data 1
	status_is 0 on b loop-lock data --shared --nonblock -- echo both
	[ "$output" = both ]
	status_is 75 on b loop-lock data --nonblock -- echo alone
	has "$stderr" "held by pid"
	status_is 124 on b loop-lock data --timeout 200ms -- echo alone
	status_is 0 loop-lock gpu:2/4 other -- sh -c 'echo "$LOOP_LOCK_SLOT"; loop-lock gpu:2 -- sh -c "echo \$LOOP_LOCK_SLOT"
		loop-lock gpu:3 --nonblock -- true || echo $?'
	[ "$output" = $'0,1 0\n2,3\n75' ]
	on a start loop-lock gpu/4 -- sleep 60
	wait_for 40 holders gpu 1
	status_is 125 loop-lock gpu/5 -- true
	has "$stderr" 'capacity of 4'
	status_is 125 loop-lock gpu:5 -- true
	has "$stderr" 'its capacity is 4'
	status_is 125 loop-lock gpu --shared -- true
	status_is 125 loop-lock twice twice -- true
	status_is 125 loop-lock 'bad name' -- true
	status_is 7 loop-lock free -- sh -c 'exit 7'
	status_is 143 loop-lock free -- sh -c 'kill $$'
	status_is 127 loop-lock free -- no-such-program
	# Of several, all or none.
	status_is 75 loop-lock data free --nonblock -- true
	holders free 0
}

@test "who waits goes by priority, then by coming; who gives up is stepped over" {
	on a start loop-lock turn -- sh -c 'until [ -e go ]; do sleep 0.02; done'
	wait_for 40 holders turn 1
	on b start loop-lock turn -- sh -c 'echo second >>order'
	wait_for 40 waiters turn 1
	on c start loop-lock turn --priority high -- sh -c 'echo first >>order'
	wait_for 40 waiters turn 2
	on d start loop-lock turn --priority critical -- sh -c 'echo never >>order'
	wait_for 40 waiters turn 3
	kill -TERM "$started"
	wait "$started" || [ $? = 143 ]
	wait_for 40 waiters turn 2
	: >go
	wait_for 40 in_order
	[ "$(tr '\n' ' ' <order)" = 'first second ' ]
}
in_order() { [ -e order ] && [ "$(wc -l <order)" = 2 ]; }

@test "list, why, cancel and break, from another host" {
	on a start loop-lock db --label migration -- sh -c 'echo $$ >pid; exec sleep 60'
	local holder=$started
	wait_for 40 test -s pid
	on b start loop-lock db -- true
	local waiter=$started
	wait_for 40 waiters db 1
	has "$(on c loop-lock list)" "$(uname -n):$holder"
	[ "$(loop-lock list --json | jq -c '[.lock, .capacity, .holders[0].label, .holders[0].mode, .holders[0].lease_ms > 20000]')" = \
		'["db",1,"migration","alone",true]' ]
	has "$(on c loop-lock why db)" 'held (alone)'
	status_is 0 on c loop-lock cancel db
	status=0
	wait "$waiter" || status=$?
	[ "$status" = 75 ]
	status_is 1 on c loop-lock cancel db
	status_is 64 on c loop-lock break db
	status_is 0 on c loop-lock break db --yes
	# It is free only when the command has ended.
	gone "$(<pid)"
	status=0
	wait "$holder" || status=$?
	[ "$status" = 125 ]
	status_is 1 on c loop-lock break db --yes
	status_is 1 loop-lock why db
	status_is 66 loop-lock why never
	[ "$(on a loop-bus history --all --type lock.lost | jq -r .data.why)" = 'locks/db: the hold was broken' ]
	LOOP_DIR=$SCRATCH/a/.loop events_conform
}

@test "a holder that is killed takes its command along, and the lock is free when its lease is over" {
	on a start loop-lock db --lease 2s -- sh -c 'echo $$ >pid; exec sleep 60'
	wait_for 40 test -s pid
	kill -KILL "$started"
	wait_for 40 gone "$(<pid)"
	status_is 75 on b loop-lock db --nonblock -- true
	status_is 0 on b loop-lock db --timeout 20s -- echo mine
	[ "$output" = mine ]
}

@test "a command is ended before its lease is over when Redis goes away, or goes on where that was asked for" {
	on a start loop-lock db --lease 1500ms -- sh -c 'echo $$ >pid; exec sleep 60' 2>ended
	local ending=$started
	on b start loop-lock other --lease 1500ms --on-loss warn -- sh -c 'until [ -e go ]; do sleep 0.02; done; exit 5' 2>kept
	local keeping=$started status=0
	wait_for 40 test -s pid
	wait_for 40 holders other 1
	kill -STOP "$redis_pid"
	wait "$ending" || status=$?
	[ "$status" = 125 ]
	gone "$(<pid)"
	has "$(<ended)" 'what holds it is ended'
	kill -CONT "$redis_pid"
	: >go
	status=0
	wait "$keeping" || status=$?
	[ "$status" = 5 ]
	has "$(<kept)" 'not renewed'
	status_is 0 on c loop-lock db other --timeout 10s -- true
}

@test "who comes late has a token that is smaller" {
	on a start loop-lock db --lease 1s -- sh -c 'echo $LOOP_LOCK_TOKEN >first; echo $$ >pid; exec sleep 60'
	local late=$started keeper
	wait_for 40 test -s pid
	keeper=$(ps -o ppid= -p "$(<pid)")
	kill -STOP "$keeper"
	on b timeout 30 loop-lock db -- sh -c 'echo $LOOP_LOCK_TOKEN >second'
	run ! gone "$(<pid)"
	kill -CONT "$keeper" "$late"
	wait_for 40 gone "$(<pid)"
	[ "$(<first)" -lt "$(<second)" ]
}

@test "Redis that ends and comes back keeps locks, waiters and tokens" {
	local token
	token=$(loop-lock db -- sh -c 'echo $LOOP_LOCK_TOKEN')
	on a start loop-lock db -- sh -c 'until [ -e go ]; do sleep 0.02; done'
	wait_for 40 holders db 1
	on b start loop-lock db -- sh -c 'echo $LOOP_LOCK_TOKEN >after'
	local waiter=$started
	wait_for 40 waiters db 1
	kill -KILL "$redis_pid"
	wait "$redis_pid" || true
	start_redis
	: >go
	wait "$waiter"
	[ "$(<after)" -gt "$token" ]
}

# A script as users write it, which needs no word more than on one machine.
lock_script() {
	cat >script <<'SCRIPT'
exec 9<>"$(loop-lock path db)"
loop-lock acquire db --fd 9 --print >token || exit
echo >ready
read -r x <go
loop-lock release db --fd 9
echo $? >released
echo >ready
read -r x <go
SCRIPT
	mkfifo ready go
}
leasers() { # the processes that look after scripts' leases here
	local pid
	for pid in $(left_over); do
		if grep -qsx loop-lock-redis "/proc/$pid/comm"; then echo "$pid"; fi
	done
}
keeper() { # the one that has another below it
	local pid all
	all=$(leasers)
	for pid in $all; do cut -d ' ' -f 4 "/proc/$pid/stat"; done 2>/dev/null | grep -x "$all"
}
is_kept() { [ "$(keeper)" ]; }
none_keeps() { [ -z "$(leasers)" ]; }

@test "a script holds for all hosts while it has its descriptor open, and lets go" {
	lock_script
	start dash script
	read -t 10 -r _ <>ready
	status_is 75 on b loop-lock --nonblock db -- true
	has "$stderr" "held by pid $started on $(uname -n) (dash)"
	status_is 0 loop-lock --store file --nonblock db -- true
	[[ $(<token) =~ ^[0-9]+\ 0$ ]]
	echo >go
	read -t 10 -r _ <>ready
	[ "$(<released)" = 0 ]
	status_is 0 on b loop-lock --nonblock db -- true
	echo >go
	wait "$started"
	wait_for 40 none_keeps
}

is_renewed() { # the lease lasts longer than it did at the last look
	local before=$left_ms
	left_ms=$(loop-lock list --json db | jq '.holders[0].lease_ms')
	((before && left_ms > before))
}

@test "a script that is killed, or whose descriptor is closed, holds nothing" {
	lock_script
	start bash script
	read -t 10 -r _ <>ready
	kill -KILL "$started"
	status_is 0 on b loop-lock --timeout 20s db -- true
	# What it left behind has the descriptor open, and holds on.
	bash -c 'exec 9<>"$(loop-lock path db)"; loop-lock acquire db:1/2 --fd 9 --lease 4s
		sleep 60 & echo $! >behind' 3>&-
	left_ms=0
	wait_for 40 is_renewed
	holders db 1
	kill "$(<behind)"
	wait_for 40 holders db 0
	wait_for 40 none_keeps
}

@test "a script learns that its lock is lost: it is ended, or is only told" {
	lock_script
	sed -i 's/--print/--print --lease 4s/' script
	start bash script
	read -t 10 -r _ <>ready
	status_is 0 on b loop-lock break db --yes
	status=0
	wait "$started" || status=$?
	[[ $status = 143 || $status = 137 ]]
	status_is 0 on b loop-lock --nonblock db -- true
	exec 9<>"$(loop-lock path db)"
	status_is 0 loop-lock acquire db --fd 9 --on-loss warn --lease 4s
	status_is 0 on b loop-lock break db --yes
	wait_for 40 none_keeps
	status_is 1 loop-lock release db --fd 9
	has "$stderr" 'it was lost before'
	[ "$(loop-bus history --all --type lock.lost | jq -r .data.why | uniq)" = 'locks/db: the hold was broken' ]
}

@test "a script is ended when who renews its lease is killed, or Redis is gone for too long" {
	lock_script
	sed -i 's/--print/--print --lease 6s/' script
	start bash script
	read -t 10 -r _ <>ready
	wait_for 40 is_kept
	kill -KILL "$(keeper)"
	status=0
	wait "$started" || status=$?
	[[ $status = 143 || $status = 137 ]] # the second, if it was too slow for the first
	sed -i 's/6s/2s/; s/db/other/' script
	start bash script
	read -t 10 -r _ <>ready
	kill -STOP "$redis_pid"
	status=0
	wait "$started" || status=$?
	[[ $status = 143 || $status = 137 ]]
	kill -CONT "$redis_pid"
	wait_for 40 holders other 0
}

@test "what a script cannot have in Redis" {
	status_is 64 loop-lock acquire db
	status_is 64 loop-lock acquire db --fd 77
	exec 9<>other
	status_is 65 loop-lock acquire db --fd 9
	has "$stderr" 'descriptor 9 is not open for reading and writing on'
	exec 9<>"$(loop-lock path db)"
	status_is 1 loop-lock release db --fd 9
	on a start loop-lock db -- sleep 60
	wait_for 40 holders db 1
	status_is 75 loop-lock acquire db --fd 9 --nonblock
	status_is 75 loop-lock acquire db --fd 9 --timeout 100ms
	status_is 69 loop-lock acquire db --fd 9 --store redis+unix:///nowhere --patience 100ms
	status_is 64 loop-lock acquire db --fd 9 --lease 1ms
	status_is 0 loop-lock acquire db --fd 9 --store file
	status_is 64 loop-lock acquire db --fd 9
	has "$stderr" 'holds a lock already'
	waiters db 0
}

@test "the locks of this machine stay what they are" {
	status_is 0 loop-lock db --store file -- true
	[ -e .loop/locks/db.lk ]
	exec 9<>"$(loop-lock path script)"
	loop-lock acquire script --fd 9 --store file
	loop-lock release script --fd 9
	unset LOOP_STORE
	status_is 0 loop-lock db -- true
	status_is 125 loop-lock db --lease 1s -- true
	status_is 125 loop-lock db --sto=redis://localhost -- true
}

@test "both programs have the same options" {
	local command
	for command in run acquire list why stats cancel break; do
		for program in loop-lock loop-lock-redis; do
			"$program" --describe | jq -c --arg command "$command" \
				'if $command == "run" then .options else (.commands[] | select(.name == $command) | .options) end
				 | map({name, letter, arg, choices}) | sort_by(.name)[]' >"$program.$command"
		done
		diff "loop-lock.$command" "loop-lock-redis.$command"
	done
}

@test "plans of two hosts by one queue's workers: what a task holds, and its breaker, are for both" {
	local host pid
	mkdir there
	on there start loop-queue work q -j 4 -- loop-job run
	for host in a b; do
		mkdir "$host"
		jq -nc '{resources: {bench: 1}, breakers: {service: {consecutive: 4, cooldown: "1h"}},
			tasks: ([range(3) | {id: "t\(.)", resources: {bench: 1},
				run: "mkdir ../bench && sleep 0.1 && rmdir ../bench"}]
				+ [range(2) | {id: "f\(.)", breaker: "service", run: "sh -c \"exit 1\""}])}' >"$host/plan.json"
		on "$host" start env -C there loop-sched run "../$host/plan.json" --on queue:q -j 6
	done
	for pid in "${STARTED[@]: -2}"; do
		status=0
		wait "$pid" || status=$?
		[ "$status" = 1 ] # what fails does
	done
	for host in a b; do
		[ "$(jq -r 'select(.state == "succeeded") | .task' "$host"/.loop/runs/*/run.jsonl | sort | tr '\n' ' ')" = 't0 t1 t2 ' ]
	done
	[ "$(loop-lock stats --json bench | jq -c '[.requests,.holders,.waiters]')" = '[6,0,0]' ]
	[ "$(loop-guard list --json service | jq -c '[.state,.failures]')" = '["open",4]' ]
	on a start loop-sched run a/plan.json --on queue:q --id again
	wait_for 40 eval 'on a loop-sched why f0 again 2>/dev/null | grep -q "its breaker service is open"'
}
