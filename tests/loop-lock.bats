load helper

# held NAME[:UNITS][/CAPACITY] [OPTION…]: holds a lock in the background until "let_go NAME".
held() {
	local name=${1%%[:/]*}
	mkfifo "gate.$name" "ready.$name"
	start loop-lock "$@" -- sh -c "exec 3<>'gate.$name'; echo >'ready.$name'; read -r x <&3"
	read -t 10 -r _ <>"ready.$name"
}

let_go() {
	echo 1<>"gate.$1" >&1
}

# waiters NAME N: whether that many wait.
waiters() {
	[ "$(grep -c ^wait "$LOOP_DIR/locks/$1.lk")" -eq "$2" ]
}

@test "lock: the command's status is loop-lock's" {
	status_is 0 loop-lock x -- true
	status_is 7 loop-lock x -- sh -c 'exit 7'
	run -127 --separate-stderr loop-lock x -- ./no-such-command
	has "$stderr" 'no-such-command: No such file'
	status_is 126 loop-lock x -- /
	status_is 143 loop-lock x -- sh -c 'kill -TERM $$'
	status_is 143 loop-lock --close x -- sh -c 'kill -TERM $$'
	status_is 3 loop-lock --close x -- sh -c 'exit 3'
	run -127 --separate-stderr loop-lock --close x -- ./no-such-command
}

@test "lock: wrong use is status 125 and takes nothing" {
	for wrong in '../x' 'a/b' '.x' '' $'a\nb' $'a\e[2Jb' 'x/0' 'x/5000' 'x:0' "$(printf 'x%.0s' {1..129})"; do
		status_is 125 loop-lock "$wrong" -- touch ran
	done
	[[ $stderr != *$'\e'* ]]
	status_is 125 loop-lock x
	status_is 125 loop-lock -- touch ran
	status_is 125 loop-lock x x -- touch ran
	has "$stderr" 'named twice'
	status_is 125 loop-lock --nonblock --timeout 1s x -- touch ran
	[ ! -e ran ]
	[ -z "$(ls "$LOOP_DIR/locks" 2>/dev/null)" ]
}

@test "lock: one at a time, busy and timed out say who holds" {
	held db
	status_is 75 loop-lock --nonblock db -- touch ran
	has "$stderr" "locks/db: held by pid $started (sh) for "
	status_is 124 loop-lock --timeout 50ms db -- touch ran
	has "$stderr" "held by pid $started"
	[ ! -e ran ]
	let_go db
	status_is 0 loop-lock --timeout 10s db -- touch ran
	[ -e ran ]
}

@test "lock: shared beside shared, but not beside exclusive" {
	held db --shared
	status_is 0 loop-lock --nonblock --shared db -- true
	status_is 75 loop-lock --nonblock db -- true
}

@test "lock: nobody that shares passes one that waits to have it alone" {
	held db --shared
	start loop-lock db -- touch alone
	wait_for 40 waiters db 1
	status_is 75 loop-lock --nonblock --shared db -- true
	let_go db
	wait_for 40 test -e alone
}

@test "lock: a resource gives each its own units" {
	held gpu:2/4
	status_is 0 loop-lock gpu:2 -- sh -c 'echo $LOOP_LOCK_SLOT'
	[ "$output" = 2,3 ]
	status_is 75 loop-lock --nonblock gpu:3 -- true
	status_is 125 loop-lock gpu:5 -- true
	has "$stderr" 'more than its capacity of 4'
	status_is 125 loop-lock gpu/8 -- true
	has "$stderr" 'in use with a capacity of 4, not 8'
	status_is 125 loop-lock --shared gpu -- true
	let_go gpu
	wait "$started"
	status_is 0 loop-lock gpu:8/8 -- sh -c 'echo $LOOP_LOCK_SLOT'
	[ "$output" = 0,1,2,3,4,5,6,7 ]
}

@test "lock: tokens grow, with several names in their order" {
	status_is 0 loop-lock b a -- sh -c 'echo $LOOP_LOCK_TOKEN'
	read -r b a <<<"$output"
	status_is 0 loop-lock a -- sh -c 'echo $LOOP_LOCK_TOKEN'
	[ "$output" -gt "$a" ]
	rm "$LOOP_DIR/locks/b.lk"
	sleep 0.02 # a removed file goes on from the time of day, in hundredths of a second
	status_is 0 loop-lock b -- sh -c 'echo $LOOP_LOCK_TOKEN'
	[ "$output" -gt "$b" ]
}

@test "lock: all or none" {
	held b
	status_is 75 loop-lock --nonblock a b c -- touch ran
	[ ! -e ran ]
	status_is 0 loop-lock --nonblock a c -- true
}

@test "lock: the more important goes first, equals in their order" {
	held db
	for who in low:1 normal:2 normal:3 critical:4; do
		start loop-lock --priority "${who%:*}" db -- sh -c "echo ${who#*:} >>order"
		wait_for 40 waiters db "${who#*:}"
	done
	let_go db
	wait_for 40 loop-lock --priority background db -- grep -q 1 order
	[ "$(paste -sd' ' order)" = '4 2 3 1' ]
}

@test "lock: kill -9 of the command frees it at once" {
	held db
	kill -KILL "$started"
	status_is 0 loop-lock --timeout 5s db -- true
}

@test "lock: kill -9 of loop-lock --close ends the command, then frees" {
	mkfifo ready
	start loop-lock --close db -- sh -c 'echo $$ >ready; exec sleep 60'
	read -t 10 -r command <>ready
	status_is 75 loop-lock --nonblock db -- true
	kill -KILL "$started"
	status_is 0 loop-lock --timeout 5s db -- true
	wait_for 80 gone "$command"
}

@test "lock: kill -9 of the command of --close, and of both at once, frees it" {
	local victims
	mkfifo ready
	for victims in command both; do
		start loop-lock --close db -- sh -c 'echo $$ >ready; exec sleep 60'
		read -t 10 -r command <>ready
		case $victims in
		command) kill -KILL "$command" ;;
		both) kill -KILL "$started" "$command" ;;
		esac
		status_is 0 loop-lock --timeout 5s db -- true
		status=0
		wait "$started" || status=$?
		[ "$status" -eq 137 ]
	done
}

@test "lock: --close: what the command leaves behind does not hold" {
	loop-lock --close db -- sh -c 'sleep 60 >/dev/null 2>&1 3>&- & echo $! >pid'
	STARTED+=("$(<pid)")
	status_is 0 loop-lock --nonblock db -- true
	loop-lock other -- sh -c 'sleep 60 >/dev/null 2>&1 3>&- & echo $! >pid'
	STARTED+=("$(<pid)")
	status_is 75 loop-lock --nonblock other -- true
	kill -KILL "$(<pid)"
	status_is 0 loop-lock --timeout 5s other -- true
}

@test "lock: --close hands signals on" {
	mkfifo ready
	start loop-lock --close db -- sh -c 'trap "exit 9" USR1; echo >ready; while :; do sleep 0.05; done'
	read -t 10 -r _ <>ready
	kill -USR1 "$started"
	status=0
	wait "$started" || status=$?
	[ "$status" -eq 9 ]
}

@test "lock: a waiter that is stopped is stepped over, and has its turn when it goes on" {
	held db
	start loop-lock db -- touch first
	local stopped=$started
	wait_for 40 waiters db 1
	kill -STOP "$stopped"
	let_go db
	status_is 0 loop-lock --timeout 20s db -- true
	[ ! -e first ]
	kill -CONT "$stopped"
	wait_for 40 test -e first
}

@test "lock: a table cut or spoilt under a holder gives nothing away, and waiters come back" {
	held db
	start loop-lock db -- sh -c 'echo 1 >>order'
	wait_for 40 waiters db 1
	: >"$LOOP_DIR/locks/db.lk"
	status_is 75 loop-lock --nonblock db -- touch ran
	head -c 1000 /dev/urandom >"$LOOP_DIR/locks/db.lk"
	status_is 75 loop-lock --nonblock db -- touch ran
	status_is 125 loop-lock --nonblock db/4 -- touch ran
	[ ! -e ran ]
	wait_for 40 waiters db 1
	let_go db
	wait_for 40 test -e order
}

@test "lock: a table of another version is refused, as are folders, FIFOs and links" {
	loop-lock a -- true
	cd "$LOOP_DIR/locks"
	sed -i '1s/loop-lock 1/loop-lock 2/' a.lk
	cp a.lk before
	status_is 125 loop-lock a -- true
	has "$stderr" 'another version'
	cmp a.lk before
	mkdir b.lk
	status_is 125 loop-lock b -- true
	mkfifo c.lk
	status_is 125 loop-lock c -- true
	has "$stderr" 'not a regular file'
	ln -s a.lk d.lk
	status_is 125 loop-lock d -- true
}

# as_nobody COMMAND...: without the rights of root, in a folder that is nobody's.
as_nobody() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
	else
		"$@"
	fi
}

# A place of nobody's, with a program that it may run.
nobodys_place() {
	command -v setpriv >/dev/null || skip 'setpriv is not here'
	place=$(mktemp -d)
	cp "$(command -v loop-lock)" "$place"
	export LOOP_DIR=$place/.loop
	chmod 755 "$place"
	if [ "$(id -u)" -eq 0 ]; then chown 65534:65534 "$place"; fi
	as_nobody "$place/loop-lock" --version >/dev/null || skip 'others cannot run the program from here'
	as_nobody "$place/loop-lock" db -- true
}

teardown_more() {
	[ -z "${place-}" ] || { chmod -R u+rwX "$place" && rm -rf "$place"; }
}

@test "lock: a table or folder that may not be used is a clear error, and the command is not run" {
	nobodys_place
	cd "$place"
	chmod 000 .loop/locks/db.lk
	status_is 125 as_nobody ./loop-lock db -- touch ran
	has "$stderr" '.loop/locks/db.lk: Permission denied'
	status_is 77 as_nobody ./loop-lock list db
	has "$stderr" 'locks/db: Permission denied'
	status_is 77 as_nobody ./loop-lock path db
	chmod 400 .loop/locks/db.lk
	status_is 125 as_nobody ./loop-lock db -- touch ran
	status_is 0 as_nobody ./loop-lock list db
	chmod 600 .loop/locks/db.lk
	chmod 500 .loop/locks
	status_is 0 as_nobody ./loop-lock db -- true
	status_is 125 as_nobody ./loop-lock new -- touch ran
	has "$stderr" '.loop/locks/new.lk: Permission denied'
	chmod 000 .loop/locks
	status_is 125 as_nobody ./loop-lock db -- touch ran
	status_is 77 as_nobody ./loop-lock list
	[ ! -e ran ]
}

@test "lock: a read-only file system is a clear error, and a lock on it can be looked at" {
	loop-lock db -- true
	cat >script <<'SCRIPT'
mount --bind "$LOOP_DIR" "$LOOP_DIR" && mount -o remount,bind,ro "$LOOP_DIR" || exit 99
loop-lock db -- touch ran
echo $?
loop-lock list db
echo $?
SCRIPT
	run --separate-stderr unshare -m sh script
	[ "$status" -ne 99 ] && [[ $stderr != unshare:* ]] || skip 'nothing may be mounted here'
	[ "$output" = $'125\n0' ]
	has "$stderr" '.loop/locks/db.lk: Read-only file system'
	[ ! -e ran ]
}

@test "lock: hand-edited tables never give a second holder" {
	held db
	local table=$LOOP_DIR/locks/db.lk kept edit
	cp "$table" kept
	for edit in '3s/^hold/free/' '3s/^hold/wait/' '3s/^hold/look/' '3d' '1d' '1,2d' '1s/cap 1/cap 9/' \
		'1s/ticket [0-9]*/ticket 1/' '1s/token [0-9]*/token 999999999999/' '1s/cap 1/cap -1/' \
		's/$/\r/' 's/ /\t/g' '3s/ [0-9]* / 99999999999999999999 /' '3p;3p' '$!d' \
		'1s/at .\{24\}/at yesterday/'; do
		sed "$edit" kept >"$table"
		run --separate-stderr loop-lock --nonblock db -- touch ran
		[ "$status" -eq 75 ] || { echo "$edit: $status $stderr" >&2 && false; }
		[ ! -e ran ]
		run --separate-stderr loop-lock --nonblock --shared db -- touch ran
		[ ! -e ran ]
	done
	let_go db
	wait "$started"
	status_is 0 loop-lock --timeout 5s db -- true
}

@test "lock: a table full of the dead is used again" {
	loop-lock a -- true
	{
		sed -n 1,2p "$LOOP_DIR/locks/a.lk"
		seq 9 4104 | awk '{ printf "%-127s\n", sprintf("wait %12d %12d %13d  50 4096       1           1    0 %s x",
			$1, 0, 0, "2026-11-21T08:00:00.000Z") }'
	} >full
	cat full >"$LOOP_DIR/locks/a.lk"
	status_is 0 loop-lock a -- true
	[ "$(wc -l <"$LOOP_DIR/locks/a.lk")" -eq 4098 ]
}

# A script as users write it, for both shells.
lock_script() {
	cat >script <<'SCRIPT'
exec 9<>"$(loop-lock path db)"
loop-lock acquire db --fd 9 --print >token
echo >ready
read -r x <go
loop-lock release db --fd 9
echo >ready
read -r x <go
SCRIPT
	mkfifo ready go
}

@test "lock: a script holds on its own descriptor, in bash and in dash" {
	lock_script
	for shell in bash dash; do
		start "$shell" script
		read -t 10 -r _ <>ready
		status_is 75 loop-lock --nonblock db -- true
		has "$stderr" "held by pid $started ($shell)"
		[[ $(<token) =~ ^[0-9]+\ 0$ ]]
		echo >go
		read -t 10 -r _ <>ready
		status_is 0 loop-lock --nonblock db -- true
		echo >go
		wait "$started"
	done
}

@test "lock: kill -9 of the script that holds frees it at once" {
	lock_script
	start bash script
	read -t 10 -r _ <>ready
	kill -KILL "$started"
	status_is 0 loop-lock --timeout 5s db -- true
}

@test "lock: acquire and release refuse what is not the lock's descriptor" {
	status_is 64 loop-lock acquire db
	status_is 64 loop-lock acquire db --fd 2
	status_is 64 loop-lock acquire db --fd 77
	exec 9<>other
	status_is 65 loop-lock acquire db --fd 9
	has "$stderr" 'descriptor 9 is not open for reading and writing on'
	exec 9<"$LOOP_DIR/locks/db.lk"
	status_is 65 loop-lock acquire db --fd 9
	exec 9<>"$LOOP_DIR/locks/db.lk"
	status_is 1 loop-lock release db --fd 9
	status_is 0 loop-lock acquire db --fd 9
	status_is 64 loop-lock acquire db --fd 9
	has "$stderr" 'holds a lock already'
	held other
	exec 9<>"$LOOP_DIR/locks/other.lk"
	status_is 75 loop-lock acquire other --fd 9 --nonblock
	status_is 75 loop-lock acquire other --fd 9 --timeout 20ms
	exec 9>&-
}

@test "lock: list, why and stats show holders, waiters and the chain" {
	status_is 66 loop-lock list
	held inner
	local holder=$started
	start loop-lock outer -- loop-lock inner -- true
	local middle=$started
	wait_for 40 waiters inner 1
	start loop-lock --priority high --label "the third" outer -- true
	wait_for 40 waiters outer 1
	status_is 0 loop-lock list
	[ "${#lines[@]}" -eq 4 ]
	has "$output" 'the third'
	status_is 0 loop-lock list --json outer
	[ "$(jq -r '.holders[0].pid, .waiters[0].pid, .waiters[0].priority, .waiters[0].label' <<<"$output" |
		paste -sd' ')" = "$middle $started 75 the third" ]
	status_is 0 loop-lock why outer
	has "$output" "by pid $middle"
	has "$output" "by pid $holder"
	status_is 66 loop-lock why nosuch
	let_go inner
	wait "$started"
	status_is 1 loop-lock why outer
	status_is 0 loop-lock stats --json outer
	[ "$(jq '.requests, .waits, .holders' <<<"$output" | paste -sd' ')" = '2 1 0' ]
	status_is 0 loop-lock stats
	has "$output" outer
}

@test "lock: cancel ends a wait" {
	held db
	start loop-lock db -- touch ran
	local first=$started
	start loop-lock db -- touch second
	wait_for 40 waiters db 2
	status_is 1 loop-lock cancel db --pid 1
	status_is 0 loop-lock cancel db --pid "$first"
	status=0
	wait "$first" || status=$?
	[ "$status" -eq 75 ]
	let_go db
	wait_for 40 test -e second
	[ ! -e ran ]
	status_is 1 loop-lock cancel db
}

@test "lock: break ends a hold, whoever has it open, and writes an event" {
	loop-lock db -- sh -c 'trap "" TERM; while :; do sleep 60; done >/dev/null 2>&1 3>&- & echo $! >pid'
	STARTED+=("$(<pid)")
	status_is 64 loop-lock break db
	status_is 75 loop-lock --nonblock db -- true
	status_is 0 loop-lock break db --yes
	status_is 0 loop-lock --nonblock db -- true
	status_is 1 loop-lock break db --yes
	wait_for 80 gone "$(<pid)"
	[ "$(jq -r 'select(.type == "lock.broken") | .data.lock' "$LOOP_DIR/events.jsonl")" = db ]
	events_conform
}

@test "lock: break finds a holder whose line was lost" {
	held db
	: >"$LOOP_DIR/locks/db.lk"
	status_is 0 loop-lock list
	has "$output" 'line in the table was lost'
	status_is 0 loop-lock break db --yes
	status_is 0 loop-lock --nonblock db -- true
}

@test "lock: a deadlock has one victim, which tells the cycle; the other goes on" {
	local meet='until [ -e a ] && [ -e b ]; do sleep 0.02; done'
	start loop-lock a -- sh -c "touch a; $meet; exec loop-lock b -- touch ab"
	local first=$started
	start loop-lock b -- sh -c "touch b; $meet; exec loop-lock --priority low a -- touch ba" 2>said
	status=0
	wait "$started" || status=$?
	[ "$status" -eq 75 ]
	wait "$first"
	[ -e ab ] && [ ! -e ba ]
	has "$(<said)" "deadlock: pid $started (touch) waits for a, which pid $first (sh) holds"
	has "$(<said)" "pid $first (touch) waits for b, which pid $started (sh) holds"
	[ "$(jq -r 'select(.type == "lock.deadlock") | .data.lock' "$LOOP_DIR/events.jsonl")" = a ]
	events_conform
}

@test "lock: one who waits for what it holds itself is told" {
	status_is 75 loop-lock a -- loop-lock a -- true
	has "$stderr" 'deadlock'
}

# types: the events so far, by type.
types() {
	jq -r .type "$LOOP_DIR/events.jsonl" 2>/dev/null | paste -sd' '
}

types_are() {
	[ "$(types)" = "$*" ]
}

# seen: of each lock.released, who saw it.
seen() {
	jq -r 'select(.type == "lock.released") | .data.seen' "$LOOP_DIR/events.jsonl" | paste -sd' '
}

# held_after_wait NAME OPTION...: as held, but of a wait that was told of.
held_after_wait() {
	held "$1"
	rm "gate.$1" "ready.$1"
	mkfifo "gate.$1" "ready.$1"
	start loop-lock "$@" -- sh -c "exec 3<>'gate.$1'; echo >'ready.$1'; read -r x <&3"
	wait_for 40 grep -q lock.waiting "$LOOP_DIR/events.jsonl"
	kill -KILL "${STARTED[-2]}"
	read -t 10 -r _ <>"ready.$1"
}

@test "lock: events only of waits worth telling" {
	status_is 0 loop-lock db -- true
	held db
	start loop-lock db -- true
	wait_for 40 waiters db 1
	[ ! -e "$LOOP_DIR/events.jsonl" ]
	wait_for 40 grep -q lock.waiting "$LOOP_DIR/events.jsonl"
	let_go db
	wait "$started"
	types_are lock.waiting lock.acquired
	events_conform
}

@test "lock: the end of a hold that was told of is told once, by the next to come" {
	held_after_wait db
	local holder=$started
	status_is 75 loop-lock --nonblock db -- true
	types_are lock.waiting lock.acquired
	kill -KILL "$holder"
	status_is 0 loop-lock --timeout 5s db -- true
	status_is 0 loop-lock db -- true
	types_are lock.waiting lock.acquired lock.released
	[ "$(jq -s '[.[-2:][].data | [.pid, .token]] | unique | length' "$LOOP_DIR/events.jsonl")" -eq 1 ]
	[ "$(jq -s '.[-1].data.pid' "$LOOP_DIR/events.jsonl")" -eq "$holder" ]
	events_conform
}

@test "lock: the end of a hold that was told of is told by one who waits for it, at once" {
	held_after_wait db
	start loop-lock db -- touch next
	wait_for 40 waiters db 1
	let_go db
	wait "$started"
	types_are lock.waiting lock.acquired lock.released
	[ "$(seen)" = waiter ]
	events_conform
}

@test "lock: --close and release tell the end of what they let go" {
	held_after_wait db --close
	let_go db
	wait "$started"
	types_are lock.waiting lock.acquired lock.released
	held script
	cat >script <<'SCRIPT'
exec 9<>"$(loop-lock path script)"
loop-lock acquire script --fd 9
loop-lock release script --fd 9
SCRIPT
	start dash script
	local script=$started
	wait_for 40 types_are lock.waiting lock.acquired lock.released lock.waiting
	let_go script
	wait "$script"
	types_are lock.waiting lock.acquired lock.released lock.waiting lock.acquired lock.released
	[ "$(seen)" = 'holder holder' ]
	[ "$(jq -s '.[3:] | map(.data.pid) | unique[]' "$LOOP_DIR/events.jsonl")" -eq "$script" ]
	events_conform
}

@test "lock: stress, a moment of every kind" {
	local mode
	for mode in mutex shared counted several; do
		"$BUILD_DIR/tests/tools/lock-stress" "$mode" processes 30 seconds 1 dies 10 halts 500 kills 20 stops 200
	done
	"$BUILD_DIR/tests/tools/lock-stress" deadlock processes 12 seconds 3 kills 300 hold 20000
}
