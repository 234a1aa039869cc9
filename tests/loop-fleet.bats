load helper

# What all stories share: budgets, questions, counted resources, the way onto the branch.

setup_more() {
	mkdir mock
	export LOOP_MOCK_SCRIPT=$SCRATCH/mock
	printf 'mock/\nhome/\ngitconfig\nprogress.txt\n' >.gitignore
	git init -q . && git add -A && git commit -qm start
}

# plan ID…: stories that need nothing of each other; a story's check is what check_ID says.
plan() {
	local id
	for id; do
		jq -n --arg id "$id" --arg check "$(if [ -e "check_$id" ]; then cat "check_$id"; else echo "test -s $id"; fi)" \
			'{id: $id, title: "Do \($id)", passes: false, verificationCommands: [$check]}'
	done | jq -s '{project: "p", branchName: "work", userStories: .}' >plan.json
}

mock() { # ID STEP…
	local id=$1
	shift
	printf '%s\n' "$@" >"mock/$id.json"
}

does() { # ID: writes the file of its name
	mock "$1" "{\"write\":\"$1\",\"content\":\"$1\\n\"}" '{"usage":{"input":1000,"output":100,"cost":0.40}}' "{\"result\":\"Did $1.\"}"
}

merged() {
	git log --format=%s work | sed -n 's/^feat: \([^ ]*\) .*/\1/p' | sort | paste -sd ' '
}

@test "the budget of all sessions ends the night, and more of it lets it go on" {
	plan A B C
	does A && does B && does C
	status_is 1 loop run --quiet --agent mock --jobs 1 --attempts 3 --total-budget 0.50 --budget 0.45 --id r plan.json
	[ "$(merged)" = A ]
	has "$output" "budget"
	has "$output" "loop retry r --total-budget USD"
	[ "$(grep -c '"task":"B","state":"running"' "$LOOP_DIR/runs/r/run.jsonl")" = 1 ] # no attempt is burnt on it
	status_is 0 loop retry --quiet r --total-budget 5
	[ "$(merged)" = 'A B C' ]
	status_is 0 loop status
	has "$output" 'spent so far: $1.2'
}

@test "a limit that lasts longer than it may be waited for ends what meets it; what is at work goes on" {
	plan A B C D
	jq '(.userStories[] | select(.id == "D")).dependencies = ["A"]' plan.json >plan.new && mv plan.new plan.json
	mock A "{\"run\":\"until [ -e '$SCRATCH/at-B' ]; do sleep 0.02; done\"}" '{"limit":{"resets_in":"1h"}}' '{"result":"limited","reason":"rate_limit"}'
	mock B "{\"run\":\"touch '$SCRATCH/at-B'; until [ -s '$LOOP_DIR/limits/mock.json' ]; do sleep 0.02; done\"}" \
		'{"write":"B","content":"x"}' '{"result":"Did B."}'
	does C && does D
	status_is 1 loop run --quiet --agent mock --jobs 2 --attempts 3 --quota-wait 2s --id r plan.json
	[ "$(merged)" = B ]
	[[ $output =~ A' '+Do\ A' '+failed' '.*quota ]] && [[ $output =~ C' '+Do\ C' '+failed' '.*quota ]]
	[[ $output =~ D' '+Do\ D' '+upstream_failed ]]
	has "$output" "loop retry r"
	has "$(loop status)" "its account is limited until"
	has "$(loop why C r)" "is limited until 20"
	# No attempt is burnt on it, and the scheduler knows why.
	[ "$(jq -c 'select(.task and .state == "failed") | [.task, .attempt, .status]' "$LOOP_DIR/runs/r/run.jsonl" | sort | paste -sd ' ')" = '["A",1,113] ["C",1,113]' ]
	rm "$LOOP_DIR/limits/mock.json"
	does A
	status_is 0 loop retry --quiet r
	[ "$(merged)" = 'A B C D' ]
	nothing_left
}

@test "failures in a row hold new work until a human has answered" {
	plan A B C
	mock default '{"result":"no idea","reason":"failed"}'
	start loop run --quiet --agent mock --jobs 1 --attempts 1 --max-failures 2 --id r plan.json
	wait_for 240 eval '[ "$(loop gate list --pending | grep -c "2 attempts in a row have failed")" = 1 ]'
	status_is 0 loop why C r
	has "$output" "waits for you"
	does C
	loop gate approve "$(loop gate list --pending --json | jq -r .gate)"
	wait_for 240 gone "$started"
	[ "$(merged)" = C ]
	start loop retry --quiet r # which is a human's answer, too: it asks after two more
	wait_for 240 gone "$started"
	[ "$(grep -c '"task":"[AB]","state":"failed"' "$LOOP_DIR/runs/r/run.jsonl")" = 4 ]
	status_is 1 loop retry --quiet r
	rm -f "$LOOP_DIR"/gates/*
}

@test "a human who says no ends the run" {
	plan A B
	mock A '{"result":"no idea","reason":"failed"}'
	does B
	start loop run --quiet --agent mock --jobs 1 --attempts 1 --max-failures 1 --id r plan.json
	wait_for 240 eval '[ -n "$(loop gate list --pending)" ]'
	loop gate reject "$(loop gate list --pending --json | jq -r .gate)"
	wait_for 240 gone "$started"
	grep -q '"run":"ended","state":"cancelled"' "$LOOP_DIR/runs/r/run.jsonl"
	[ -z "$(merged)" ]
}

@test "a story that fails in the same way again and again is given up" {
	plan A
	mock A '{"run":"date +%N >A.$ATTEMPT"}' '{"result":"Done."}'
	status_is 1 loop run --quiet --agent mock --attempts 9 --stuck 2 --id r plan.json
	has "$output" "stuck: verify_failed"
	[ "$(grep -c '"state":"running"' "$LOOP_DIR/runs/r/run.jsonl")" = 2 ]
}

@test "stories have ports and counted resources of their own" {
	for s in A B; do
		echo "test -s $s && sort -u '$SCRATCH/seen' | test \$(wc -l) = 2" >check_$s
		mock $s "{\"run\":\"echo \$PORT \$LOOP_SLOT_database >>'$SCRATCH/seen'; echo x >$s; for i in \$(seq 3000); do [ \$(wc -l <'$SCRATCH/seen') = 2 ] && break; sleep 0.02; done\"}"
	done
	: >seen
	plan A B
	status_is 0 loop run --quiet --agent mock --jobs 2 --ports 4000-4001 --resource database/2 plan.json
	[ "$(cut -d' ' -f1 seen | sort | paste -sd ' ')" = '4000 4001' ]
	[ "$(cut -d' ' -f2 seen | sort | paste -sd ' ')" = '0 1' ]
	has "$(loop lock list --json database)" database
	wait_for 240 nothing_left
}

@test "too little room is waited for, not failed on" {
	plan A
	does A
	start loop run --quiet --agent mock --attempts 1 --min-disk 999999G --id r plan.json
	wait_for 240 eval 'loop status 2>/dev/null | grep -q "held: .* free, and new work starts with 977T"'
	has "$(loop why A r)" "starts nothing new"
	has "$(loop report r)" "waits for you: nothing new is started: $LOOP_DIR"
	has "$(loop report --html r)" "<li>nothing new is started"
	loop cancel r
	wait_for 240 gone "$started"
	has "$(loop report r)" "nothing new was started for"
	run ! grep -q '"state":"running"' "$LOOP_DIR/runs/r/run.jsonl"
	[ "$(grep -c run.needs_human "$LOOP_DIR/events.jsonl")" = 1 ]
	status_is 64 loop run --agent mock --min-disk much --id s plan.json
}

@test "an item of a queue waits for room by itself" {
	loop queue put jobs 'Do something' >/dev/null
	start loop work --quiet --agent mock --until-empty --delay 0s --min-disk 999999G --branch work jobs
	wait_for 240 grep -qs '"why":".* free, and new work starts with 977T"' "$LOOP_DIR/events.jsonl"
	status_is 0 loop stop jobs # once: nothing has been claimed that could be finished
	wait_for 240 gone "$started"
	wait_for 240 nothing_left
	[ "$(loop queue list jobs --json | jq -c "[.state, .try]")" = '["ready",0]' ]
	status_is 1 loop stop jobs
	events_conform
}

@test "an item that waits for a human, or for a resource, lets its worker end" {
	loop queue put jobs 'Do something' >/dev/null
	mkdir -p "$LOOP_DIR/work/jobs"
	printf '{"task":"x","attempt":1,"state":"failed","status":1}\n' >"$LOOP_DIR/work/jobs/log.jsonl"
	start loop work --quiet --agent mock --delay 0s --max-failures 1 --branch work jobs
	wait_for 240 eval 'loop gate list --pending | grep -q "in a row have failed"'
	kill -TERM "$started"
	wait_for 240 gone "$started"
	start loop lock db -- sleep 600
	wait_for 240 eval 'loop lock list db | grep -q sleep'
	start loop work --quiet --agent mock --delay 0s --max-failures 0 --resource db/1 --branch work jobs
	wait_for 240 eval 'loop lock list --json db | jq -e ".waiters | length > 0" >/dev/null'
	kill -TERM "$started"
	wait_for 240 gone "$started"
	[ "$(loop queue list jobs --json | jq -c "[.state, .try]")" = '["delayed",0]' ]
	[ "$(left_over | wc -l)" -le 2 ] # who holds the resource
}

@test "a disk that fills up while stories are at work holds the run, and costs no attempt" {
	mkdir disk
	mount -t tmpfs -o size=24m none disk 2>/dev/null || skip 'may not mount'
	export LOOP_DIR=$SCRATCH/disk/.loop
	echo disk/ >>.gitignore && git add .gitignore && git commit -qm ignore
	plan A B C D
	does C && does D
	for s in A B; do # when they write, and when they are committed, the disk is full
		mock $s "{\"run\":\"touch '$SCRATCH/at-$s'; until [ -e '$SCRATCH/go' ]; do sleep 0.02; done\"}" \
			"{\"run\":\"seq 30000 >$s\"}" '{"result":"Done."}'
	done
	start sh -c 'exec loop run --quiet --agent mock --jobs 2 --attempts 1 --min-disk 2M --id r plan.json >said 2>&1'
	wait_for 240 test -e at-B
	dd if=/dev/zero of=disk/filler bs=4K 2>/dev/null || true
	touch go
	wait_for 240 eval 'loop status | grep -q "r .* held"'
	wait_for 240 eval '[ "$(loop why C r | grep -c "starts nothing new: $LOOP_DIR/runs/r: .* free")" = 1 ]'
	rm disk/filler
	wait_for 480 gone "$started"
	[ "$(merged)" = 'A B C D' ] || { cat said && false; }
	run ! grep -E '"state":"(errored|failed)"' "$LOOP_DIR/runs/r/run.jsonl"
	[ "$(grep -c '"type":"run.needs_human"' "$LOOP_DIR/events.jsonl")" -ge 1 ]
	wait_for 240 nothing_left
	loop gc >/dev/null
	[ "$(git worktree list | wc -l)" = 1 ]
	loop bus verify
}

teardown_more() {
	if mountpoint -q "$SCRATCH/disk" 2>/dev/null; then umount -l "$SCRATCH/disk"; fi
}

@test "what waits is merged and verified at once, and the culprit is found by bisection" {
	local s
	for s in A B C D; do does $s; done
	# C passes alone and not with B: and D is not to suffer for it.
	echo 'test ! -e B || test ! -e C' >check_C
	plan A B C D
	git branch work
	# All four wait for the lock of the branch, so that the first to get it merges for all.
	loop lock merge@work -- sh -c 'touch held; while [ ! -e go ]; do sleep 0.02; done' 3>&- &
	holder=$!
	wait_for 240 test -e held
	start loop run --quiet --agent mock --jobs 4 --attempts 1 --id r plan.json
	wait_for 240 eval '[ "$(ls "$LOOP_DIR"/merges/work 2>/dev/null | wc -l)" = 4 ]' || { cat "$LOOP_DIR"/runs/r/tasks/*/1.err; false; }
	touch go && wait "$holder"
	wait_for 240 gone "$started"
	[[ $(merged) == 'A B D' || $(merged) == 'A C D' ]]
	grep -q 'On top of what other stories merged' "$LOOP_DIR"/runs/r/tasks/[BC]/1/failure.txt
	[ -z "$(ls "$LOOP_DIR/merges/work")" ]
	nothing_left
}

@test "red on top of others: the next attempt starts from both" {
	does A
	mock B '{"write":"B","content":"1\n"}' "{\"attempt\":1,\"run\":\"for i in \$(seq 3000); do git -C '$SCRATCH' cat-file -e work:A 2>/dev/null && break; sleep 0.02; done\"}" \
		'{"attempt":2,"run":"test -e A && test -e B && rm A"}' '{"result":"Done."}'
	echo 'test -s B && test ! -e A' >check_B
	plan A B
	status_is 0 loop run --quiet --agent mock --jobs 2 --attempts 2 --id r plan.json
	[ "$(merged)" = 'A B' ]
	run ! git cat-file -e work:A
	[ -z "$(git for-each-ref refs/heads/loop)" ]
}

conflict() { # what the second attempt does
	for s in A B; do
		mock $s "{\"attempt\":1,\"run\":\"grep -q '<<<' shared 2>/dev/null || { echo $s >shared; touch '$SCRATCH/at-$s'; for i in \$(seq 3000); do [ -e '$SCRATCH/at-A' ] && [ -e '$SCRATCH/at-B' ] && break; sleep 0.02; done; }\"}" \
			"{\"run\":\"if grep -q '<<<' shared; then printf 'A\\\\nB\\\\n' >shared; touch '$SCRATCH/resolved'; fi\"}" '{"result":"Done."}'
		echo "grep -q $s shared" >check_$s
	done
	plan A B
}

@test "a conflict is resolved by the agent, if asked to" {
	conflict
	status_is 0 loop run --quiet --agent mock --jobs 2 --attempts 1 --on-conflict resolve --id r plan.json
	[ -e resolved ]
	[ "$(git show work:shared | paste -sd ' ')" = 'A B' ]
	[ "$(merged)" = 'A B' ]
	[ -z "$(git for-each-ref refs/heads/loop)" ]
}

@test "a conflict is a human's to decide, if asked for; the work stays on its branch" {
	conflict
	start loop run --quiet --agent mock --jobs 2 --attempts 2 --on-conflict ask --id r plan.json
	wait_for 240 eval '[ -n "$(loop gate list --pending)" ]'
	has "$(loop gate list --pending)" "conflicts with work in shared"
	loop gate answer "$(loop gate list --pending --json | jq -r .gate)" leave
	wait_for 240 gone "$started"
	[ "$(merged | wc -w)" = 1 ]
	[ "$(git for-each-ref refs/heads/loop | wc -l)" = 1 ]
	status_is 0 loop report r
	has "$output" conflict
}

@test "progress is told where the plan's users look for it" {
	plan A
	does A
	printf '# Progress\n\n## Codebase Patterns\n- tabs\n' >progress.txt
	status_is 0 loop run --quiet --agent mock --id r plan.json
	has "$(cat progress.txt)" "## Codebase Patterns"
	has "$(cat progress.txt)" "A: Do A"
	has "$(cat progress.txt)" "Did A."
	has "$(cat "$LOOP_DIR"/sessions/*/prompt.md)" "- tabs"
}

@test "a branch that somebody checks out meanwhile is not moved under his feet" {
	mock A "{\"run\":\"git -C '$SCRATCH' worktree add -q '$SCRATCH/mine' work\"}" '{"write":"A","content":"x"}' '{"result":"Done."}'
	plan A
	start loop run --quiet --agent mock --id r plan.json
	# It was verified on this very tip, so it is merged without another look: only the branch is in use.
	wait_for 240 eval 'loop gate list --pending | grep -q "checked out in"'
	[ -z "$(git -C mine status --porcelain)" ]
	[ -z "$(merged)" ]
	git worktree remove mine
	loop gate approve "$(loop gate list --pending --json | jq -r .gate)"
	wait_for 240 gone "$started"
	[ "$(merged)" = A ]
}

@test "work does the items of a queue as stories: done, set aside, and the queue paused" {
	id=$(loop queue put jobs '{"title":"Do A","verify":["test -s A"]}')
	mock "$id" '{"write":"A","content":"1"}' '{"result":"Did it."}'
	id=$(loop queue put jobs 'Do something by words')
	mock "$id" '{"write":"B","content":"1"}' '{"result":"Did it."}'
	id=$(loop queue put jobs '{"title":"Never","verify":["false"]}')
	mock "$id" '{"result":"Done, I promise."}'
	status_is 0 loop work --agent mock --until-empty --delay 0s --stuck 1 --branch work jobs
	[[ $stderr != *'.bash: line '* ]]
	[ "$(git log --format=%s work | grep -c '^feat: ')" = 2 ]
	git cat-file -e work:A && git cat-file -e work:B
	[ "$(loop queue list jobs --state buried --json | jq -r .id)" = "$id" ]
	# What no item is to blame for: the queue is paused, and a human is asked.
	id=$(loop queue put jobs 'One more')
	mock "$id" '{"result":"no","reason":"auth"}'
	start loop work --agent mock --delay 0s --branch work jobs
	wait_for 240 eval 'loop gate list --pending | grep -q "the queue jobs is paused"'
	status_is 0 loop stop jobs
	wait_for 240 gone "$started"
	[ "$(loop queue list jobs --state buried --json | wc -l)" = 1 ]
	nothing_left
}
