load helper

setup_more() {
	cp -R "$SOURCE_TREE/share/examples/demo/project/." "$SCRATCH"
	mkdir mock
	local file
	for file in "$SOURCE_TREE"/share/examples/demo/mock/*.json; do # the same, without the waiting
		grep -v '"delay"' "$file" | sed 's/, "delay": "[0-9a-z]*"//' >"mock/${file##*/}"
	done
	export LOOP_MOCK_SCRIPT=$SCRATCH/mock
	printf 'mock/\nhome/\ngitconfig\n' >.gitignore
	git init -q . && git add -A && git commit -qm 'An empty toolbox'
}

@test "a plan becomes merged work, and only passes changes in the plan" {
	cp prd.json before.json
	start=$(git rev-parse HEAD)
	status_is 0 loop run --quiet --agent mock --id run-1 prd.json
	[ -z "$output" ]
	sed 's/"passes": false/"passes": true/' before.json | diff - prd.json
	[ "$(git log --format=%s feature/toolbox | grep -c '^feat: US-00[1-7] - ')" = 7 ]
	git worktree add -q check feature/toolbox
	sh check/check.sh
	[ "$(git symbolic-ref --short HEAD) $(git rev-parse HEAD)" = "main $start" ]
	[ "$(git status --porcelain --untracked-files=no)" = " M prd.json" ]
	nothing_left
	[ -z "$(ls "$LOOP_DIR/worktrees" 2>/dev/null)" ]
	[ -z "$(git for-each-ref refs/heads/loop)" ]
	status_is 0 loop report run-1
	has "$output" "run-1: succeeded"
	has "$output" "7 of 7 stories done"
	has "$output" "2 attempts"
	has "$output" "git merge feature/toolbox"
}

@test "a second run of a finished plan has nothing to do" {
	loop run --quiet --agent mock prd.json
	tip=$(git rev-parse feature/toolbox)
	status_is 0 loop run --quiet --agent mock prd.json
	[ "$(git rev-parse feature/toolbox)" = "$tip" ]
}

@test "a story that never passes fails alone, and what needs it is not tried" {
	printf '{"steps":[{"write":"bin/count","content":"echo wrong\\n"},{"result":"Done!"}]}\n' >mock/US-002.json
	status_is 1 loop run --quiet --agent mock --attempts 2 --id run-2 prd.json
	has "$output" "US-002"
	has "$output" "verify_failed"
	has "$output" "upstream_failed"
	[ "$(grep -c '"passes": true' prd.json)" = 4 ]
	run ! grep -q US-002 <(git log --format=%s feature/toolbox)
	has "$(cat "$LOOP_DIR"/runs/run-2/tasks/US-002/1/failure.txt)" "count: printed"
	nothing_left
}

@test "an agent that changes nothing where nothing is verified has not done the story" {
	printf '{"project":"p","userStories":[{"id":"A","title":"a","passes":false}]}\n' >plan.json
	printf '{"steps":[{"result":"All done, believe me."}]}\n' >mock/A.json
	status_is 1 loop run --quiet --agent mock --attempts 1 plan.json
	grep -q '"passes":false' plan.json
}

@test "stories in conflict: one is merged, the other starts afresh and passes" {
	cat >plan.json <<-'JSON'
		{"project":"p","branchName":"work","userStories":[
		{"id":"A","title":"a","passes":false,"verificationCommands":["grep -q A shared"]},
		{"id":"B","title":"b","passes":false,"verificationCommands":["grep -q B shared"]}]}
	JSON
	for s in A B; do
		cat >mock/$s.json <<-JSON
			{"steps":[{"attempt":1,"run":"echo $s >shared; touch '$SCRATCH/at-$s'; for i in \$(seq 3000); do [ -e '$SCRATCH/at-A' ] && [ -e '$SCRATCH/at-B' ] && break; sleep 0.02; done"},
			{"attempt":2,"run":"cat shared >'$SCRATCH/seen'; echo $s >>shared"},{"result":"Done."}]}
		JSON
	done
	status_is 0 loop run --quiet --agent mock --jobs 2 --attempts 3 plan.json
	[ "$(git show work:shared | sort | tr '\n' ' ')" = "A B " ]
	[ "$(git log --format=%s work | grep -c '^feat: ')" = 2 ]
}

@test "a branch that is checked out is left alone" {
	git checkout -q -b feature/toolbox
	status_is 0 loop run --quiet --agent mock prd.json
	[ "$(git rev-parse feature/toolbox)" = "$(git rev-parse main)" ]
	[ "$(git log --format=%s loop/feature/toolbox | grep -c '^feat: ')" = 7 ]
	status_is 64 loop run --quiet --agent mock --branch feature/toolbox prd.json
	has "$stderr" "checked out"
}

@test "what is wrong is said before anything is begun" {
	printf '{"userStories":[{"id":"A","title":"a","dependencies":["B"]},{"id":"A","title":"b"}]}\n' >bad.json
	status_is 65 loop run --quiet --agent mock bad.json
	has "$stderr" "bad.json:1:"
	status_is 66 loop run --quiet --agent mock missing.json
	status_is 78 loop run --quiet --agent no-such-agent prd.json
	has "$stderr" "no-such-agent"
	status_is 64 loop run
	status_is 64 loop run --no-such prd.json
	status_is 64 loop no-such-program
	mkdir -p "$BATS_TEST_TMPDIR/outside" && cd "$BATS_TEST_TMPDIR/outside"
	GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR status_is 66 loop run --agent mock "$SCRATCH/prd.json"
	has "$stderr" "git repository"
	[ ! -e "$LOOP_DIR/runs" ]
}

@test "an interrupted run ends its agents, says so and can be resumed" {
	printf '{"steps":[{"delay":"60s"},{"result":"Late."}]}\n' >mock/US-001.json
	start loop run --quiet --agent mock --id run-3 prd.json
	wait_for 240 grep -qs '"task":"US-001","state":"running"' "$LOOP_DIR/runs/run-3/run.jsonl"
	kill -TERM "$started"
	wait_for 240 gone "$started"
	wait_for 240 nothing_left
	cp "$SOURCE_TREE/share/examples/demo/mock/US-001.json" mock/
	status_is 0 loop resume --quiet run-3
	[ "$(git log --format=%s feature/toolbox | grep -c '^feat: ')" = 7 ]
}

@test "a limit of the account is waited for, and burns no attempt" {
	printf '{"project":"p","userStories":[{"id":"A","title":"a","passes":false,"verificationCommands":["test -s a"]}]}\n' >plan.json
	cat >mock/A.json <<-'JSON'
		{"steps":[{"limit":{"resets_in":"2s"},"attempt":1},{"result":"limited","reason":"rate_limit","attempt":1},
		{"write":"a","content":"x"},{"result":"Done."}]}
	JSON
	status_is 0 loop run --quiet --agent mock --attempts 1 --id run-4 plan.json
	[ "$(jq -c '[.attempts[].reason]' "$LOOP_DIR"/runs/run-4/tasks/A/1/session.json)" = '["quota","success"]' ]
}

@test "a ref lock that a killed git left does not hold the plan up for ever" {
	git branch feature/toolbox
	mkdir -p .git/refs/heads/feature
	: >.git/refs/heads/feature/toolbox.lock
	status_is 0 loop run --quiet --agent mock prd.json
	[ "$(git log --format=%s feature/toolbox | grep -c '^feat: ')" = 7 ]
	[ ! -e .git/refs/heads/feature/toolbox.lock ]
}

@test "the demo removes its own folder and nothing else" {
	find "$SOURCE_TREE/share" -type f | sort >before
	TMPDIR=$SCRATCH status_is 0 loop demo
	has "$output" "7 of 7"
	find "$SOURCE_TREE/share" -type f | sort | diff before -
	[ -z "$(find . -maxdepth 1 -name 'loop-demo-*')" ]
}

@test "a run killed at random moments and resumed does every story once" {
	run "$SOURCE_TREE/tests/fault/kill-run" "${KILLS:-20}"
	echo "$output"
	[ "$status" -eq 0 ]
}
