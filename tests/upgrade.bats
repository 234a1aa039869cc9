load helper

# tests/fixtures/old-state was left by the first version with whole runs: one that was cut off by a kill -9,
# its sessions, a question, a breaker, a lock, a cursor; and by the first that had them a queue and a cache.

setup_more() {
	mkdir mock
	export LOOP_MOCK_SCRIPT=$SCRATCH/mock
	cp -R "$SOURCE_TREE/tests/fixtures/old-state" "$LOOP_DIR"
	chmod 700 "$LOOP_DIR"
	sed -i "s|/home/shop|$SCRATCH|g" "$LOOP_DIR"/runs/old/*.json
	printf 'mock/\nhome/\ngitconfig\n.loop/\n' >.gitignore
	cat >prd.json <<-'JSON'
		{"project": "shop", "branchName": "work", "userStories": [
		{"id": "A", "title": "Make a", "passes": true, "verificationCommands": ["test -s a"]},
		{"id": "B", "title": "Make b", "passes": false, "verificationCommands": ["test -s b"]},
		{"id": "C", "title": "Make c", "passes": false, "dependencies": ["A"], "verificationCommands": ["test -s c"]}]}
	JSON
	git init -q . && git add -A && git commit -qm start
	git branch work
}

@test "what an older version left is read by every program" {
	status_is 0 loop bus verify
	[ "$(loop bus history 'session.ended' | wc -l)" = 3 ]
	status_is 0 loop sched list
	has "$output" "old  shop  interrupted"
	[ "$(loop sched show --json old | jq -r '"\(.task // .id) \(.state)"' | paste -sd ' ')" = 'A succeeded B pending C pending' ]
	has "$(loop status)" "cut off; to go on: loop resume old"
	has "$(loop report old)" "old: cut off, 1 of 3 stories done"
	has "$(loop why B old)" "test -s b"
	has "$(loop doctor --agent mock)" "old was cut off"
	[ "$(loop session list --json | wc -l)" = 4 ]
	status_is 0 loop session summary ses_alone
	has "$(loop gate list --pending)" "Deploy?"
	status_is 0 loop gate approve deploy
	has "$(loop guard list)" "registry"
	status_is 0 loop lock database:1/2 -- true
	has "$(loop stat --json --type session.ended)" '"count":3'
	[ "$(loop cache get k)" = v ]
	status_is 0 loop queue fsck jobs
	[ "$(loop queue list jobs --json | wc -l)" = 4 ]
	status_is 0 loop queue work jobs --idle-exit 0 -- sh -c 'cat >>worked; echo >>worked'
	has "$(paste -sd ' ' worked)" "dead"
	wait_for 240 eval 'timeout 5 loop-stream show old 2>&1 </dev/null | grep -q Make'
}

@test "a run that an older version began is gone on with" {
	for s in b c; do printf '{"write":"%s","content":"x\\n"}\n{"result":"Did it."}\n' $s >"mock/$(tr bc BC <<<$s).json"; done
	status_is 0 loop resume --quiet old
	[ "$(git log --format=%s work | sort | paste -sd ' ')" = 'feat: B - Make b feat: C - Make c start' ]
	[ "$(grep -c '"passes": true' prd.json)" = 3 ]
	status_is 0 loop bus verify
	wait_for 240 nothing_left
}

@test "a run that an older version was killed at as it was made is told of, and removed" {
	local runs=$LOOP_DIR/runs verb
	mkdir "$runs/bare" "$runs/empty" "$runs/planless" && touch "$runs/empty/run.jsonl" "$runs/planless/run.jsonl"
	cp "$runs/old/run.json" "$runs/planless"
	[[ $(loop status) == *old* && $(loop status) != *bare* ]]
	for verb in resume retry report watch why\ B pause stop; do
		for run in bare empty planless; do
			# shellcheck disable=SC2086 # words
			status_is 1 loop $verb $run
			[ "$(wc -l <<<"$stderr")" = 1 ]
			has "$stderr" "$run: never began"
		done
	done
	status_is 0 loop sched list
	[ -n "$(loop report)" ] # of the newest that is one
	status_is 0 loop gc
	[ -z "$output" ] # it could be in the making
	touch -d '2 hours ago' "$runs"/*
	has "$(loop doctor --agent mock)" "planless was killed as it was made"
	status_is 0 loop gc
	has "$output" "removed half-made run: $runs/bare"
	[ "$(ls "$runs")" = old ]
}

@test "options of older versions are taken by their runs and configurations" {
	sed -i 's/loop-story /loop-story --stagger=0s --min-disk=1M /' "$LOOP_DIR/runs/old/run.json"
	grep -q stagger "$LOOP_DIR/runs/old/run.json"
	for s in b c; do printf '{"write":"%s","content":"x\\n"}\n{"result":"Did it."}\n' $s >"mock/$(tr bc BC <<<$s).json"; done
	status_is 0 loop resume --quiet old
	printf 'agent = mock\nstagger = 1s\n' >loop.conf
	status_is 0 loop run --quiet prd.json
	has "$stderr" "loop.conf:2: there is no setting 'stagger' any more"
}

@test "what a newer version left is refused, by name, and stays as it is" {
	local program
	echo 2 >"$LOOP_DIR/format"
	cp -R "$LOOP_DIR" before
	for program in "emit log.message message=x level=info" "lock x -- true" "bus history" "sched list" "session list" \
		"gate list" "queue list jobs" "cache get k" "guard list" "spawn --agent mock --prompt prd.json" "run --agent mock prd.json"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr loop $program
		[ "$status" != 0 ] || { echo "loop $program takes it" && false; }
		has "$stderr" "format"
	done
	diff -r before "$LOOP_DIR"
}
