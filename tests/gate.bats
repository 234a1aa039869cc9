load helper

state_of() {
	jq -r .state "$LOOP_DIR/gates/$1.json"
}

# ends_with STATUS: what was started last.
ends_with() {
	local ended=0
	wait "$started" || ended=$?
	[ "$ended" -eq "$1" ] || { echo "status $ended, not $1" && false; }
}

resolved() {
	jq -c 'select(.type == "gate.resolved") | .data' "$LOOP_DIR/events.jsonl"
}

# watching PID: inotify tells it of changes.
watching() {
	[ -n "$(find "/proc/$1/fd" -lname '*inotify*' 2>/dev/null)" ]
}

# asleep PID: in poll(2), without a time at which it would wake by itself.
asleep() {
	[[ $(<"/proc/$1/syscall") =~ ^[0-9]+\ 0x[0-9a-f]+\ 0x1\ 0x(f{8}|f{16})\  ]]
}

@test "approved, rejected, timed out: 0, 1, 124" {
	loop-gate ask --id deploy 'Deploy to production?'
	[ "$(state_of deploy)" = pending ]
	status_is 124 loop-gate wait deploy --timeout 50ms
	status_is 0 loop-gate approve deploy --why 'looks good' --by ann
	[ -z "$output$stderr" ]
	status_is 0 loop-gate wait deploy
	[ -z "$output$stderr" ]
	jq -e '.by == "ann" and .why == "looks good" and (.resolved | length) > 0' "$LOOP_DIR/gates/deploy.json"
	loop-gate ask --id drop 'Drop the table?'
	status_is 0 loop-gate reject drop
	status_is 1 loop-gate wait drop --print
	[ "$output" = rejected ]
	[ "$(jq -r 'select(.type == "gate.raised") | .data.question' "$LOOP_DIR/events.jsonl" | wc -l)" -eq 2 ]
	[ "$(resolved | jq -r .state | tr '\n' ' ')" = 'approved rejected ' ]
	events_conform
}

@test "a waiter is woken by the answer" {
	local id
	id=$(loop-gate ask 'Go on?')
	start loop-gate wait "$id"
	wait_for 20 watching "$started"
	loop-gate approve "$id"
	ends_with 0
	start loop-gate ask --wait --id colour --choices red,green --print 'Which?' >out
	wait_for 20 test -s "$LOOP_DIR/gates/colour.json"
	loop-gate answer colour green
	ends_with 0
	[ "$(<out)" = green ]
}

@test "a waiter without a deadline does not look at the clock" {
	[ "$(uname -m)" = x86_64 ] && [ -r /proc/self/syscall ] || skip 'the kernel does not tell'
	loop-gate ask --id a 'A?'
	start loop-gate wait a
	wait_for 20 asleep "$started"
	loop-gate ask --id other 'Other?'
	wait_for 20 asleep "$started"
	loop-gate approve a
	ends_with 0
}

@test "at the deadline the default holds, else it has timed out" {
	loop-gate ask --id none --deadline 100ms 'Now?'
	loop-gate ask --id yes --deadline 100ms --default approve 'Now?'
	loop-gate ask --id no --deadline 100ms --default reject 'Now?'
	loop-gate ask --id pick --deadline 100ms --default b --choices a,b 'Now?'
	status_is 124 loop-gate wait none
	status_is 0 loop-gate wait yes
	status_is 1 loop-gate wait no
	status_is 0 loop-gate wait pick --print
	[ "$output" = b ]
	jq -e '.by == "deadline"' "$LOOP_DIR/gates/pick.json"
	status_is 1 loop-gate approve none
	has "$stderr" 'none: already timed_out by deadline'
}

@test "past the deadline an answer is too late even when nobody waited" {
	loop-gate ask --id late --deadline 2020-01-01T00:00:00Z 'Now?'
	status_is 1 loop-gate approve late
	[ "$(state_of late)" = timed_out ]
}

@test "the one who asked may die, and ask again" {
	start loop-gate ask --wait --id deploy 'Deploy?'
	wait_for 20 test -s "$LOOP_DIR/gates/deploy.json"
	kill -KILL "$started"
	loop-gate approve deploy
	status_is 0 loop-gate ask --wait --id deploy 'Deploy?'
	status_is 73 loop-gate ask --id deploy 'Something else?'
	has "$stderr" 'another question'
	[ "$(jq -r 'select(.type == "gate.raised") | .data.gate' "$LOOP_DIR/events.jsonl" | sort -u)" = deploy ]
}

@test "of many answers at once exactly one holds" {
	local i round winners
	for round in 1 2 3; do
		loop-gate ask --id "g$round" --choices 0,1,2,3,4,5,6,7 'Which?'
		for i in 0 1 2 3 4 5 6 7; do
			(loop-gate answer "g$round" "$i" --by "user$i" 2>/dev/null 3>&- && echo "$i" >>"won$round" || true) &
		done
		wait
		winners=$(wc -l <"won$round")
		[ "$winners" -eq 1 ]
		[ "$(jq -r .answer "$LOOP_DIR/gates/g$round.json")" = "$(<"won$round")" ]
		[ "$(jq -r .by "$LOOP_DIR/gates/g$round.json")" = "user$(<"won$round")" ]
	done
	[ "$(resolved | wc -l)" -eq 3 ]
}

@test "answers that are none are refused, and the gate stays" {
	loop-gate ask --id a 'Yes?'
	loop-gate ask --id c --choices x,y 'Which?'
	loop-gate ask --id t --text 'Why?'
	status_is 65 loop-gate answer a maybe
	has "$stderr" 'approve or reject'
	status_is 65 loop-gate approve c
	has "$stderr" 'one of x, y'
	status_is 65 loop-gate answer c z
	status_is 65 loop-gate answer t ''
	status_is 65 loop-gate approve t
	status_is 66 loop-gate approve no-such
	status_is 66 loop-gate wait no-such
	status_is 65 loop-gate approve ../x
	status_is 64 loop-gate ask
	status_is 64 loop-gate ask --default approve 'No deadline?'
	status_is 64 loop-gate ask --id .x 'Name?'
	status_is 64 loop-gate ask --choices a,,b 'Which?'
	status_is 64 loop-gate ask --deadline soon 'When?'
	status_is 65 loop-gate ask --deadline 1h --default z --choices x,y 'Which?'
	status_is 65 loop-gate ask ''
	status_is 65 loop-gate ask $'\xff'
	[ "$(state_of a) $(state_of c) $(state_of t)" = 'pending pending pending' ]
	loop-gate answer a approve
	loop-gate reject c
	loop-gate answer t 'because
it has two lines'
	[ "$(state_of a) $(state_of c) $(state_of t)" = 'approved rejected answered' ]
	status_is 0 loop-gate wait t --print
	[ "$output" = $'because\nit has two lines' ]
}

@test "a session that answers is recorded as one" {
	loop-gate ask --id a 'Yes?'
	LOOP_SESSION=ses_1 loop-gate approve a --by ann
	[ "$(jq -r .by "$LOOP_DIR/gates/a.json")" = 'ann (ses_1)' ]
}

@test "list shows what waits, one line each, nothing that moves the cursor" {
	status_is 66 loop-gate list
	loop-gate ask --id a $'\e[2Jone\ntwo'
	loop-gate ask --id b --choices $'x,\ry' --deadline 1h 'Which?'
	loop-gate ask --id c 'Old?'
	loop-gate approve c --why $'\e]0;title\a'
	run loop-gate list
	[ "${#lines[@]}" -eq 3 ]
	has "${lines[0]}" '\x1b[2Jone\ntwo'
	[[ $output != *$'\e'* && $output != *$'\r'* && $output != *$'\a'* ]]
	has "${lines[1]}" 'pending for 59m'
	run loop-gate list --pending
	[ "${#lines[@]}" -eq 2 ]
	[ "$(loop-gate list --json | jq -r .gate | tr '\n' ' ')" = 'a b c ' ]
	[ "$(loop-gate list --json c | jq -r .state)" = approved ]
}

@test "a damaged gate is named and does not hide the others" {
	loop-gate ask --id a 'A?'
	loop-gate ask --id b 'B?'
	printf '{"gate":"a"' >"$LOOP_DIR/gates/a.json"
	status_is 65 loop-gate list
	has "$stderr" 'gates/a.json'
	has "$output" 'B?'
	status_is 65 loop-gate approve a
	status_is 65 loop-gate wait a
	rm "$LOOP_DIR/gates/a.json"
	mkfifo "$LOOP_DIR/gates/a.json"
	status_is 65 loop-gate approve a
	rm "$LOOP_DIR/gates/a.json"
	ln -s b.json "$LOOP_DIR/gates/a.json"
	run loop-gate approve a
	[ "$status" -ge 64 ]
	[ "$(state_of b)" = pending ]
}

@test "killed while answering, a gate is answered or not, never torn" {
	local i
	for i in {1..20}; do
		loop-gate ask --id "g$i" 'Yes?'
		start loop-gate approve "g$i"
		kill -KILL "$started" 2>/dev/null || true # it may be over
		wait "$started" || true
		[[ $(state_of "g$i") == pending || $(state_of "g$i") == approved ]]
		[ "$(state_of "g$i")" = approved ] || loop-gate approve "g$i"
	done
}

# plan JSON: a plan is run in the background as R, up to the question of its task ok.
asks() {
	printf '%s\n' "$1" >plan.json
	start loop-sched run --id R -j 1 plan.json
	wait_for 20 grep -qs '"task":"ok","state":"running"' "$LOOP_DIR/runs/R/run.jsonl"
}

@test "a task of a plan is a question: its answer is its end, and it takes no place" {
	asks '{"name":"p","tasks":[{"id":"ok","gate":{"question":"Which?","choices":["red","green"]}},{"id":"other","run":"touch other"},
		{"id":"use","needs":["ok"],"run":"jq -r .ok.answer \"$LOOP_INPUTS\" >used"},
		{"id":"no","needs":[{"task":"ok","when":"failed"}],"run":"touch no"}]}'
	wait_for 20 test -e other # though there is one place only
	has "$(loop-sched why ok)" 'asks: Which?'
	has "$(loop-sched why ok)" 'answer it by: loop-gate answer R.ok'
	has "$(loop-sched status)" 'waits at gate R.ok'
	[ "$(loop-sched show --json | jq -r 'select(.task == "ok").gate')" = R.ok ]
	jq -e '.subject == "p/ok" and .run == "R"' "$LOOP_DIR/gates/R.ok.json"
	loop-gate answer R.ok green --by ann
	ends_with 0
	[ "$(<used)" = green ]
	[ ! -e no ]
	[ "$(jq -r 'select(.task == "ok" and .state == "succeeded") | "\(.status) \(.reason)"' "$LOOP_DIR/runs/R/run.jsonl")" = \
		'0 answered by ann: green' ]
	events_conform
}

@test "a task that is a question fails when it is rejected, and is not asked twice for its retries; retry asks anew" {
	asks '{"defaults":{"run":"true","retry":{"attempts":3,"base":"1ms"}},"tasks":[{"id":"ok","gate":"Go?"},{"id":"go","needs":["ok"]},
		{"id":"no","needs":[{"task":"ok","when":"failed"}],"run":"touch no"}]}'
	loop-gate reject R.ok --why 'not today'
	ends_with 1
	[ -e no ]
	[ "$(jq -r 'select(.task == "go" and .state == "upstream_failed") | .task' "$LOOP_DIR/runs/R/run.jsonl")" = go ]
	rm no
	start loop-sched retry R
	wait_for 20 test -e "$LOOP_DIR/gates/R.ok@2.json"
	loop-gate approve R.ok@2
	ends_with 0
	[ ! -e no ]
	[ "$(loop-sched show --json R | jq -r 'select(.task == "go").state')" = succeeded ]
}

@test "a question of a plan has a deadline and a default" {
	printf '%s\n' '{"tasks":[{"id":"late","gate":{"question":"Now?","deadline":"50ms"}},
		{"id":"easy","gate":{"question":"Now?","deadline":0.05,"default":"approve"}}]}' >plan.json
	status_is 1 loop-sched run --id R -j 1 plan.json
	[ "$(loop-sched show --json R | jq -r '"\(.task) \(.state) \(.status)"')" = $'late timed_out 124\neasy succeeded 0' ]
	has "$stderr" 'late: timed_out by deadline'
}

@test "the question of a run that was killed is found again, answered meanwhile; nobody else's answer counts" {
	mkdir -p "$LOOP_DIR/gates"
	loop-gate ask --id R.ok 'Go?'
	loop-gate approve R.ok # not ours
	asks '{"tasks":[{"id":"ok","gate":"Go?"},{"id":"go","needs":["ok"],"run":"echo went >>went"}]}'
	[ ! -e went ]
	kill -KILL "$started"
	wait "$started" || true
	[ "$(state_of R.ok@2)" = pending ]
	loop-gate approve R.ok@2 --by ann
	status_is 0 loop-sched resume R
	[ "$(<went)" = went ]
	[ ! -e "$LOOP_DIR/gates/R.ok@3.json" ]
}

@test "a question of a run that ends is withdrawn; resumed, it is asked anew" {
	asks '{"tasks":[{"id":"ok","gate":"Go?"},{"id":"go","needs":["ok"],"run":"true"},{"id":"end","run":"touch end","final":true}]}'
	loop-sched cancel R
	ends_with 1
	[ -e end ]
	[ "$(state_of R.ok) $(jq -r .by "$LOOP_DIR/gates/R.ok.json")" = 'rejected loop-sched' ]
	[ "$(loop-sched show --json R | jq -r .state | tr '\n' ' ')" = 'cancelled cancelled succeeded ' ]
	start loop-sched resume R
	wait_for 20 test -e "$LOOP_DIR/gates/R.ok@2.json"
	loop-gate approve R.ok@2
	ends_with 0
}

@test "what is wrong with a question is told at its place, and a value of foreach stands in it" {
	printf '%s\n' '{"tasks":[
		{"id":"a","gate":{"question":"Which?","choices":["x"],"default":"y","deadline":"1h"}},
		{"id":"b","gate":{"choices":["x"]}},
		{"id":"c","gate":{"question":"?","default":"approve"}},
		{"id":"d","gate":"?","run":"true"},
		{"id":"e","gate":7},
		{"id":"f","gate":{"question":"?","chioces":[]}}]}' >plan.json
	status_is 65 loop-sched check plan.json
	[ "$(grep -c ': error: ' <<<"$stderr")" = 6 ]
	has "$stderr" "plan.json:2:20: error: gate: the default 'y' is no answer: it has to be one of x"
	has "$stderr" "plan.json:7:36: error: unknown key 'chioces'; did you mean 'choices'?"
	printf '%s\n' '{"tasks":[{"id":"ok","gate":"Deploy to {}?","foreach":["eu","us"]},{"id":"go","needs":["ok"],"run":"touch went"}]}' >plan.json
	start loop-sched run --id R plan.json
	wait_for 20 test -e "$LOOP_DIR/gates/R.ok.2.json"
	[ "$(loop-gate list --json --pending | jq -r .question)" = $'Deploy to eu?\nDeploy to us?' ]
	loop-gate approve R.ok.1 R.ok.2
	ends_with 0
	[ -e went ]
}
