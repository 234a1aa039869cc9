load helper

# What a careful person would do where the ground is not as it should be: each is said, and nothing is lost.

setup_more() {
	mkdir mock
	export LOOP_MOCK_SCRIPT=$SCRATCH/mock
	printf 'mock/\nhome/\ngitconfig\n' >.gitignore
	printf '{"project":"p","branchName":"work","userStories":[{"id":"A","title":"a","passes":false,"verificationCommands":["test -s A"]}]}\n' >plan.json
	printf '{"steps":[{"write":"A","content":"1"},{"result":"Did it."}]}\n' >mock/A.json
	git init -q . && git add -A && git commit -qm start
}

@test "no repository, and one without a commit" {
	mkdir -p "$BATS_TEST_TMPDIR/outside" && cd "$BATS_TEST_TMPDIR/outside"
	GIT_CEILING_DIRECTORIES=$BATS_TEST_TMPDIR status_is 66 loop run --agent mock "$SCRATCH/plan.json"
	has "$stderr" "git init"
	git init -q .
	status_is 66 loop run --agent mock "$SCRATCH/plan.json"
	has "$stderr" "HEAD: no such commit"
	[ ! -e "$LOOP_DIR/runs" ]
}

@test "a detached head is begun from, and said" {
	git checkout -q --detach
	status_is 0 loop run --agent mock plan.json
	has "$stderr" "HEAD is at no branch"
	[ "$(git log --format=%s work | grep -c '^feat: ')" = 1 ]
	run ! git symbolic-ref -q HEAD
}

@test "what is not committed is not seen, not lost, and said" {
	echo mine >>.gitignore
	echo new >untracked
	git add untracked
	git config commit.gpgSign true # with no key at hand: nobody is there to unlock one
	git config gpg.program false
	status_is 0 loop run --agent mock plan.json
	has "$stderr" "changes that are not committed"
	[ "$(git status --porcelain -- .gitignore untracked | paste -sd ' ')" = ' M .gitignore A  untracked' ]
	run ! git cat-file -e work:untracked
}

@test "a plan's branch that is there is gone on with" {
	git branch work
	git worktree add -q mine work
	(cd mine && echo more >added && git add added && git commit -qm added)
	git worktree remove mine
	tip=$(git rev-parse work)
	status_is 0 loop run --quiet --agent mock plan.json
	[ "$(git rev-parse work^)" = "$tip" ]
	git update-ref refs/heads/work "$tip"
	has "$(loop report)" "and on its branch no more"
}

@test "a plan that is edited during the run: the edit stays, and so does what was merged" {
	printf 'sed -i "s/:.a.,/:\\"edited\\",/" %s/plan.json\n' "$SCRATCH" >edit.sh
	printf '{"steps":[{"run":"sh %s/edit.sh"},{"write":"A","content":"1"},{"result":"Did it."}]}\n' "$SCRATCH" >mock/A.json
	status_is 0 loop run --quiet --agent mock plan.json
	has "$(cat plan.json)" '"title":"edited"'
	has "$(cat plan.json)" '"passes":true'
}

@test "a plan whose story is gone when it passes: the work is merged, and that is said" {
	printf '{"steps":[{"run":"echo {} >%s/plan.json"},{"write":"A","content":"1"},{"result":"Did it."}]}\n' "$SCRATCH" >mock/A.json
	status_is 0 loop run --quiet --agent mock plan.json
	[ "$(cat plan.json)" = '{}' ]
	has "$stderr" "plan.json"
	[ "$(git log --format=%s work | grep -c '^feat: ')" = 1 ]
}

@test "a repository that the agent makes inside its worktree: what is in it is not lost, and that is said" {
	printf '{"steps":[{"write":"A","content":"1"},{"run":"git init -q sub && cd sub && echo mine >f && git add f && git -c user.name=x -c user.email=x@x commit -qm f"},{"result":"Did it."}]}\n' >mock/A.json
	status_is 1 loop run --quiet --agent mock --attempts 1 --id r plan.json
	has "$output" "uncommitted"
	has "$output" "    sub is a git repository of its own"
	has "$(loop why A r)" "sub is a git repository of its own"
	[ "$(cat "$LOOP_DIR"/worktrees/ses_*/sub/f)" = mine ]
	loop gc
	[ "$(cat "$LOOP_DIR"/worktrees/ses_*/sub/f)" = mine ]
}

@test "a branch that is removed in the middle: the work is kept, and what to do is said" {
	printf '{"steps":[{"write":"A","content":"1"},{"run":"git branch -D work"},{"result":"Did it."}]}\n' >mock/A.json
	status_is 1 loop run --quiet --agent mock --attempts 1 --id r plan.json
	has "$(loop why A r)" "git branch work COMMIT"
	has "$output" "its work is on loop/r/A-1"
	git show loop/r/A-1:A
}

@test "a reboot in the middle: nothing that was running is believed, and a resume does it again" {
	printf '{"steps":[{"run":"touch %s/begun; sleep 60"},{"result":"Late."}]}\n' "$SCRATCH" >mock/A.json
	start loop run --quiet --agent mock --id r plan.json
	wait_for 240 test -e begun
	# As the power does: everything at once. And then the machine has another boot id, and other pids.
	while [ -n "$(left_over)" ]; do left_over | xargs -r kill -KILL 2>/dev/null || true; done
	sed -i -E "s/\"boot\":\"[^\"]*\"/\"boot\":\"00000000-dead\"/; s/\"pid\":[0-9]+/\"pid\":$$/" "$LOOP_DIR/runs/r/run.jsonl"
	has "$(loop doctor --agent mock)" "r was cut off by a reboot"
	has "$(loop status)" "loop resume r"
	printf '{"steps":[{"write":"A","content":"1"},{"result":"Did it."}]}\n' >mock/A.json
	status_is 0 loop resume --quiet r
	[ "$(git log --format=%s work | grep -c '^feat: ')" = 1 ]
	kill -0 $$ # which was not taken for one of the run's
	nothing_left
}

@test "a home that cannot be written is said, and is no hindrance where the agent needs none" {
	HOME=/proc/self status_is 0 loop run --quiet --agent mock plan.json
	has "$(HOME=/proc/self loop doctor --agent mock)" "is not writable"
}

@test "a state directory that cannot be made is said before anything is begun" {
	LOOP_DIR=/proc/none/.loop status_is 73 loop run --quiet --agent mock plan.json
	has "$stderr" "must be writable"
	run ! git rev-parse -q --verify work
}
