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
	wait_for 10 holders data 1
	status_is 0 on b loop-lock data --shared --nonblock -- echo both
	[ "$output" = both ]
	status_is 75 on b loop-lock data --nonblock -- echo alone
	has "$stderr" "held by pid"
	status_is 124 on b loop-lock data --timeout 200ms -- echo alone
	status_is 0 loop-lock gpu:2/4 other -- sh -c 'echo "$LOOP_LOCK_SLOT"; loop-lock gpu:2 -- sh -c "echo \$LOOP_LOCK_SLOT"
		loop-lock gpu:3 --nonblock -- true || echo $?'
	[ "$output" = $'0,1 0\n2,3\n75' ]
	on a start loop-lock gpu/4 -- sleep 60
	wait_for 10 holders gpu 1
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
	wait_for 10 holders turn 1
	on b start loop-lock turn -- sh -c 'echo second >>order'
	wait_for 10 waiters turn 1
	on c start loop-lock turn --priority high -- sh -c 'echo first >>order'
	wait_for 10 waiters turn 2
	on d start loop-lock turn --priority critical -- sh -c 'echo never >>order'
	wait_for 10 waiters turn 3
	kill -TERM "$started"
	wait "$started" || [ $? = 143 ]
	wait_for 10 waiters turn 2
	: >go
	wait_for 10 in_order
	[ "$(tr '\n' ' ' <order)" = 'first second ' ]
}
in_order() { [ -e order ] && [ "$(wc -l <order)" = 2 ]; }

@test "list, why, cancel and break, from another host" {
	on a start loop-lock db --label migration -- sh -c 'echo $$ >pid; exec sleep 60'
	local holder=$started
	wait_for 10 test -s pid
	on b start loop-lock db -- true
	local waiter=$started
	wait_for 10 waiters db 1
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
	wait_for 10 test -s pid
	kill -KILL "$started"
	wait_for 10 gone "$(<pid)"
	status_is 75 on b loop-lock db --nonblock -- true
	status_is 0 on b loop-lock db --timeout 20s -- echo mine
	[ "$output" = mine ]
}

@test "a command is ended before its lease is over when Redis goes away, or goes on where that was asked for" {
	on a start loop-lock db --lease 1500ms -- sh -c 'echo $$ >pid; exec sleep 60' 2>ended
	local ending=$started
	on b start loop-lock other --lease 1500ms --on-loss warn -- sh -c 'until [ -e go ]; do sleep 0.02; done; exit 5' 2>kept
	local keeping=$started status=0
	wait_for 10 test -s pid
	wait_for 10 holders other 1
	kill -STOP "$redis_pid"
	wait "$ending" || status=$?
	[ "$status" = 125 ]
	gone "$(<pid)"
	has "$(<ended)" 'the command is ended'
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
	wait_for 10 test -s pid
	keeper=$(ps -o ppid= -p "$(<pid)")
	kill -STOP "$keeper"
	on b timeout 30 loop-lock db -- sh -c 'echo $LOOP_LOCK_TOKEN >second'
	run ! gone "$(<pid)"
	kill -CONT "$keeper" "$late"
	wait_for 10 gone "$(<pid)"
	[ "$(<first)" -lt "$(<second)" ]
}

@test "Redis that ends and comes back keeps locks, waiters and tokens" {
	local token
	token=$(loop-lock db -- sh -c 'echo $LOOP_LOCK_TOKEN')
	on a start loop-lock db -- sh -c 'until [ -e go ]; do sleep 0.02; done'
	wait_for 10 holders db 1
	on b start loop-lock db -- sh -c 'echo $LOOP_LOCK_TOKEN >after'
	local waiter=$started
	wait_for 10 waiters db 1
	kill -KILL "$redis_pid"
	wait "$redis_pid" || true
	start_redis
	: >go
	wait "$waiter"
	[ "$(<after)" -gt "$token" ]
}

@test "the locks of this machine stay what they are" {
	status_is 0 loop-lock db --store file -- true
	[ -e .loop/locks/db.lk ]
	exec 9<>"$(loop-lock path script)"
	loop-lock acquire script --fd 9
	loop-lock release script --fd 9
	unset LOOP_STORE
	status_is 0 loop-lock db -- true
	status_is 125 loop-lock db --lease 1s -- true
	status_is 125 loop-lock db --sto=redis://localhost -- true
}

@test "both programs have the same options" {
	local command
	for command in run list why stats cancel break; do
		for program in loop-lock loop-lock-redis; do
			"$program" --describe | jq -c --arg command "$command" \
				'if $command == "run" then .options else (.commands[] | select(.name == $command) | .options) end
				 | map({name, letter, arg, choices}) | sort_by(.name)[]' >"$program.$command"
		done
		diff "loop-lock.$command" "loop-lock-redis.$command"
	done
}
