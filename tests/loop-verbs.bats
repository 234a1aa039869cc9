load helper

# The commands around a run: what they say, and what they do with a night that did not go as planned.

setup_more() {
	mkdir mock
	export LOOP_MOCK_SCRIPT=$SCRATCH/mock
	printf 'mock/\nhome/\ngitconfig\nbin/\n' >.gitignore
	printf 'check:\n\ttrue\n' >Makefile
	cat >plan.json <<-'JSON'
		{"project":"p","branchName":"work","userStories":[
		{"id":"A","title":"Do <A>","passes":false,"verificationCommands":["test -s A"]},
		{"id":"B","title":"Do B","passes":false,"dependencies":["A"],"verificationCommands":["test -s B"]}]}
	JSON
	printf '{"steps":[{"write":"A","content":"1"},{"usage":{"input":100,"output":10,"cost":0.25}},{"result":"Did it."}]}\n' >mock/A.json
	printf '{"steps":[{"write":"B","content":"1"},{"result":"Did it."}]}\n' >mock/B.json
	git init -q . && git add -A && git commit -qm start
}

slow() { # A takes until it is told
	printf '{"steps":[{"run":"touch %s/begun; while [ ! -e %s/go ]; do sleep 0.02; done"},{"write":"A","content":"1"},{"result":"Did it."}]}\n' \
		"$SCRATCH" "$SCRATCH" >mock/A.json
}

@test "init writes a configuration that run reads, and says what it guessed" {
	status_is 0 loop init --agent mock
	has "$output" "agent: mock can run here"
	has "$output" "verify: make check"
	grep -qx 'agent = mock' loop.conf
	status_is 73 loop init
	has "$stderr" "--force"
	status_is 0 loop run --quiet plan.json # no --agent: the configuration has it
	[ "$(git log --format=%s work | grep -c '^feat: ')" = 2 ]
	jq -e '.verify | map(.command) | index("make check")' "$LOOP_DIR"/sessions/*/result.json >/dev/null
	# Whatever stands in it can be said without the sign of a comment.
	sed -n 's/^#\([a-z-]* = \)/\1/p' loop.conf >all.conf
	printf 'jobs = 2\n' >>all.conf
	status_is 65 loop run --config all.conf mock/A.json
	mkdir sub && cd sub
	LOOP_DIR=$SCRATCH/other status_is 0 loop doctor --agent mock --quiet
}

@test "a configuration is read and never run, and all its mistakes are told in one pass" {
	printf 'agent = mock\nverify = test -s $(touch ran)x\nharmless = 1\n jobs 3\nquiet = perhaps\n# jobs = 9\n' >loop.conf
	status_is 78 loop run plan.json
	has "$stderr" "loop.conf:3: error: there is no setting 'harmless'"
	has "$stderr" "loop.conf:4: error: not of the form"
	has "$stderr" "loop.conf:5: error: quiet is yes or no"
	[ ! -e ran ]
	mkdir -p home/.config/loop
	printf 'agent = codex\njobs = 7\n' >home/.config/loop/loop.conf
	printf 'agent = mock\nquiet = yes\nverify = test "$LOOP_TASK" != none\n' >loop.conf
	status_is 0 loop run --id r plan.json
	[ -z "$output" ]
	jq -e '.jobs == 7 and (.command | contains("--agent=mock"))' "$LOOP_DIR/runs/r/run.json"
	LOOP_CONF='' status_is 78 loop run plan.json
	has "$stderr" claude
}

@test "a run can be looked at, paused, stopped and gone on with from another terminal" {
	slow
	start loop run --quiet --agent mock --id night plan.json
	wait_for 240 test -e begun
	status_is 0 loop status
	has "$output" "night"
	has "$output" "A"
	status_is 0 loop pause night
	wait_for 240 grep -q '"run":"paused"' "$LOOP_DIR/runs/night/run.jsonl"
	status_is 0 loop continue
	status_is 75 loop resume night
	has "$stderr" "is at work already"
	status_is 75 loop run --quiet --agent mock plan.json
	has "$stderr" "a run of this plan is at work already"
	kill -0 "$(loop-lock list --json | jq 'select(.lock | startswith("plan@")).holders[0].pid')"
	status_is 0 loop why B ni
	has "$output" "needs A, which is running"
	status_is 0 loop stop
	has "$output" "loop resume night"
	wait_for 240 gone "$started"
	nothing_left
	status_is 1 loop stop
	status_is 0 loop doctor --agent mock
	has "$output" "&& $(dirname "$(realpath "$(command -v loop)")")/loop run --quiet prd.json"
	touch go
	status_is 0 loop resume --quiet night
	[ "$(git log --format=%s work | grep -c '^feat: ')" = 2 ]
	status_is 1 loop report none-such
}

@test "a harness that is killed leaves its run at work, and a terminal that goes away too" {
	slow
	start loop run --quiet --agent mock --id night plan.json
	wait_for 240 test -e begun
	kill -KILL "$started"
	wait_for 240 gone "$started"
	has "$(loop status)" "night"
	status_is 0 loop stop --quiet night
	nothing_left
	rm begun
	start loop resume --quiet night
	wait_for 240 test -e begun
	kill -HUP "$started"
	wait_for 240 grep -q 'the terminal went away' "$LOOP_DIR/events.jsonl"
	touch go
	wait_for 240 gone "$started"
	grep -q '"run":"ended","state":"succeeded"' "$LOOP_DIR/runs/night/run.jsonl"
	has "$(cat "$LOOP_DIR/runs/night/report.txt")" "2 of 2 stories done"
}

@test "the report as text, Markdown and HTML" {
	printf '{"steps":[{"result":"no","reason":"failed"}]}\n' >mock/B.json
	status_is 1 loop run --quiet --agent mock --attempts 1 --id r plan.json
	has "$output" "1 of 2 stories done"
	has "$output" '$0.25'
	has "$output" "loop retry r"
	status_is 0 loop report --markdown r
	has "$output" '| A | Do \<A\> | succeeded |'
	has "$output" '| mock-1 | 2 |'
	status_is 0 loop report --html
	has "$output" 'Do &lt;A&gt;'
	has "$output" '<td>failed</td>'
	has "$output" 'loop why B'
	status_is 64 loop report --html --markdown
}

@test "doctor names what is wrong and what to do, and gc mends what it may" {
	mkdir -p "$LOOP_DIR/runs/cut"
	printf '{}\n' | tee "$LOOP_DIR/runs/cut/run.json" >"$LOOP_DIR/runs/cut/plan.json"
	loop lock path x >/dev/null
	printf '{"time":"2026-01-01T00:00:00Z","run":"started","id":"cut","plan":"p","tasks":1,"jobs":1,"pid":1,"start":5,"boot":"not-this-one"}\n' >"$LOOP_DIR/runs/cut/run.jsonl"
	: >"$LOOP_DIR/runs/.run.json.abcdefgh"
	: >.git/packed-refs.lock
	touch -d '2 hours ago' "$LOOP_DIR/runs/.run.json.abcdefgh" .git/packed-refs.lock
	chmod 755 "$LOOP_DIR"
	git branch loop
	status_is 1 loop doctor --agent mock
	has "$output" "cut was cut off by a reboot"
	has "$output" "loop resume cut"
	has "$output" "left by a git that was killed"
	has "$output" "1 temporary files of killed writers"
	has "$output" "chmod 700"
	has "$output" "git branch -m loop other"
	rm .git/refs/heads/loop
	chmod 700 "$LOOP_DIR"
	status_is 0 loop gc --dry-run
	[ -e .git/packed-refs.lock ]
	status_is 0 loop gc
	[ ! -e .git/packed-refs.lock ] && [ ! -e "$LOOP_DIR/runs/.run.json.abcdefgh" ]
	status_is 0 loop doctor --agent mock --quiet
	hasnt "$output" "killed"
	status_is 1 loop doctor --agent none-such
	has "$output" "none-such"
}

hasnt() { # TEXT PART
	[[ $1 != *"$2"* ]]
}

@test "gc saves what is in a half-made worktree, and removes it" {
	loop lock path x >/dev/null
	git worktree add -q -b loop/run-1/A-1 "$LOOP_DIR/worktrees/ses_1"
	echo mine >"$LOOP_DIR/worktrees/ses_1/mine"
	git update-ref -d refs/heads/loop/run-1/A-1
	# Somebody works there: it stays.
	mkdir -p "$LOOP_DIR/sessions/ses_1"
	read -r _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ begun _ <"/proc/$$/stat"
	printf '{"owner":{"pid":%s,"start":%s,"boot":"%s"}}\n' $$ "$begun" "$(cat /proc/sys/kernel/random/boot_id)" >"$LOOP_DIR/sessions/ses_1/session.json"
	touch -d '1 minute ago' "$LOOP_DIR/worktrees/ses_1"
	status_is 0 loop gc
	[ -e "$LOOP_DIR/worktrees/ses_1/mine" ]
	rm -r "$LOOP_DIR/sessions/ses_1"
	status_is 0 loop gc --dry-run
	[ -e "$LOOP_DIR/worktrees/ses_1/mine" ]
	status_is 0 loop gc
	[ ! -e "$LOOP_DIR/worktrees/ses_1" ] && [ "$(git worktree list | wc -l)" = 1 ]
	[ "$(git show refs/loop/saved/ses_1:mine)" = mine ]
}

@test "gc saves what is in a worktree that git itself cannot read, and removes it" {
	loop lock path x >/dev/null
	for ses in ses_1 ses_2; do git worktree add -q -b "loop/run-1/$ses" "$LOOP_DIR/worktrees/$ses"; done
	echo mine >"$LOOP_DIR/worktrees/ses_1/mine"
	rm .git/worktrees/ses_[12]/HEAD # as a git leaves it that was killed in the middle, or met a full disk
	echo initializing >.git/worktrees/ses_1/locked
	echo initializing >.git/worktrees/ses_2/locked
	rm -r "$LOOP_DIR/worktrees/ses_2"
	touch -d '1 minute ago' "$LOOP_DIR"/worktrees/*
	status_is 0 loop gc
	[ ! -e "$LOOP_DIR/worktrees/ses_1" ]
	run ! eval 'git worktree list | grep -E "ses_[12]"'
	[ "$(git show refs/loop/saved/ses_1:mine)" = mine ]
	git fsck --no-dangling
	# One that was whole but for git's own lock; and one that somebody has locked, who is told.
	for ses in ses_3 ses_4; do git worktree add -q -b "loop/run-1/$ses" "$LOOP_DIR/worktrees/$ses"; done
	echo initializing >.git/worktrees/ses_3/locked
	echo 'on a stick' >.git/worktrees/ses_4/locked
	touch -d '1 minute ago' "$LOOP_DIR"/worktrees/*
	status_is 74 loop gc
	has "$stderr" "ses_4: git does not remove it"
	[ ! -e "$LOOP_DIR/worktrees/ses_3" ] && [ -e "$LOOP_DIR/worktrees/ses_4" ]
}

@test "gc removes old runs and merged branches, and nothing that is needed" {
	loop run --quiet --agent mock --id run-1 plan.json
	git branch loop/run-1/A-1 work~1
	git branch loop/run-9/B-1 "$(git commit-tree -m other 'work^{tree}')"
	status_is 0 loop gc --older-than 0s
	[ "$(git for-each-ref --format='%(refname:short)' refs/heads/loop)" = loop/run-9/B-1 ]
	[ ! -e "$LOOP_DIR/runs/run-1" ]
	[ -s "$LOOP_DIR/events.jsonl" ]
	nothing_left
}
