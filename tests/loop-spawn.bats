load helper
load spawn

@test "a session leaves all its files and events" {
	script '[{"write":"tea.txt","content":"tea"},{"usage":{"input":10,"output":5,"cost":0.5}},{"text":"Here is tea."}]'
	status_is 0 mock --session ses_one --print
	[ "$output" = "Here is tea." ]
	[ -z "$stderr" ]
	[ "$(cat tea.txt)" = tea ]
	local folder=$LOOP_DIR/sessions/ses_one file
	for file in session.json prompt.md stdout.log stderr.log events.jsonl heartbeat result.json; do
		[ -e "$folder/$file" ]
	done
	[ "$(cat "$folder/prompt.md")" = 'do it' ]
	[ "$(jq -r .state "$folder/session.json")" = ended ]
	jq -e '.cost_usd == 0.5 and .usage.input == 10 and .success and .status == 0 and .turns == 2' "$folder/result.json"
	jq -e . "$folder/heartbeat"
	[ "$(events session.started | jq -r .data.agent)" = mock ]
	[ "$(events session.tool | jq -r .data.phase | tr '\n' ' ')" = "started finished " ]
	events session.ended | jq -e '.sessionid == "ses_one" and .data.success and .data.cost_usd == 0.5'
	status_is 125 mock --session ses_one
	has "$stderr" 'already'
}

@test "a limit is a quota with the time of its reset" {
	script '[{"limit":{"resets_in":"1h"}},{"result":"You have hit your limit","reason":"rate_limit"}]'
	LOOP_RETRY_AFTER=$SCRATCH/hint ends quota 113 mock
	[[ $(<hint) > $(date -u +%FT%T) ]]
	status_is 113 loop-guard --breaker mock --consecutive 1 --wait 0 -- loop-spawn --agent mock --prompt prompt
	has "$(loop-guard list mock)" 'open for 59m'
	local left=$(($(date -d "$(result .resets_at)" +%s) - $(date +%s)))
	((left > 3500 && left <= 3600))
}

@test "a command is an agent without words" {
	ends success 0 loop-spawn --print -- sh -c 'echo hi; echo there'
	[ "$output" = $'hi\nthere' ]
	ends failed 3 loop-spawn -- sh -c 'echo why >&2; exit 3'
	has "$stderr" 'failed: exit status 3: why'
	ends failed 1 loop-spawn -- sh -c 'exit 120'
	ends crashed 137 loop-spawn -- sh -c 'kill -KILL $$'
	ends spawn_failed 127 loop-spawn -- no-such-command
	ends spawn_failed 126 loop-spawn -- /proc
	ends spawn_failed 127 mock --agent plain
	LOOP_COMMAND='tr a-z A-Z' ends success 0 loop-spawn --agent plain --prompt prompt --print
	[ "$output" = 'DO IT' ]
}

@test "a wrong command line is status 125" {
	status_is 125 loop-spawn
	status_is 125 loop-spawn --agent mock
	status_is 125 loop-spawn --agent no-such --prompt prompt
	has "$stderr" "no agent 'no-such' in"
	status_is 125 loop-spawn --agent ../mock --prompt prompt
	status_is 125 mock --session ../evil
	status_is 125 mock --budget much
	status_is 125 mock --branch x
	status_is 125 loop-spawn --agent mock --prompt no-such-file
	[ ! -e "$LOOP_DIR/sessions" ] || [ -z "$(ls "$LOOP_DIR/sessions")" ]
}

@test "a prompt is filled in, and nothing in it is evaluated" {
	printf 'a {{ONE}} {{ TWO }} \\{{ONE}} $(touch evil) {{LOOP_TASK}} {x} {{}}' >prompt
	script '[{"text":"ok"}]'
	LOOP_TASK=T-1 status_is 0 mock --session ses_p --var ONE=1 --var 'TWO=`touch evil` {{ONE}}' --var ONE=uno
	[ "$(cat "$LOOP_DIR/sessions/ses_p/prompt.md")" = 'a uno `touch evil` {{ONE}} {{ONE}} $(touch evil) T-1 {x} {{}}' ]
	[ ! -e evil ]
	printf 'x\n  {{ONE}} {{TOW}}\n{{LOOP_NO}}\n' >prompt
	status_is 125 mock --var TWO=2
	[ "$stderr" = "prompt:2:3: error: 'ONE' has no value: --var ONE=...
prompt:2:11: error: 'TOW' has no value; did you mean 'TWO'?
prompt:3:1: error: 'LOOP_NO' has no value: --var LOOP_NO=..." ]
	echo from stdin | loop-spawn --agent mock --prompt - --session ses_stdin
	[ "$(cat "$LOOP_DIR/sessions/ses_stdin/prompt.md")" = 'from stdin' ]
}

@test "stdin ends behind the prompt" {
	LOOP_COMMAND='cat; echo end' status_is 0 loop-spawn --agent plain --prompt prompt --print
	[ "$output" = $'do it\nend' ]
	status_is 0 loop-spawn --print -- sh -c 'cat; echo end'
	[ "$output" = end ]
}

@test "silence is a stall, by the clock of what is being done" {
	script '[{"text":"a"},{"stall":true}]'
	ends stalled 110 mock --stall 300ms --grace 100ms
	has "$stderr" '(model)'
	[ "$(events session.stalled | jq -r .data.clock)" = model ]
	ends stalled 110 loop-spawn --start-timeout 200ms --grace 100ms -- sleep 60
	script '[{"tool":"Bash","finish":false},{"stall":true}]'
	ends stalled 110 mock --stall 60s --tool-timeout 300ms --grace 100ms
	has "$stderr" '(tool)'
}

@test "a tool may be silent longer than the model" {
	script '[{"tool":"Bash","delay":"2s"},{"text":"done"}]'
	ends success 0 mock --stall 1500ms --tool-timeout 30s
}

@test "a retry that is announced is no stall" {
	script '[{"retry":{"error":"overloaded","status":529,"delay":"2s"}},{"text":"done"}]'
	ends success 0 mock --stall 1500ms
}

@test "a tree that computes is no stall" {
	script '[{"text":"a"},{"spin":"1500ms"},{"text":"b"}]'
	ends success 0 mock --stall 700ms
}

@test "the whole attempt has a clock, and SIGKILL follows SIGTERM" {
	script '[{"ignore":"TERM"},{"text":"a"},{"stall":true}]'
	ends timeout 124 mock --timeout 500ms --grace 200ms
	ends timeout 124 loop-spawn --timeout 200ms -- sh -c 'while :; do echo x; sleep 0.01; done'
}

@test "a hang after the result changes nothing" {
	script '[{"result":"fine","more":true},{"stall":true}]'
	ends success 0 mock --linger 200ms --grace 100ms
	[ "$(result .final)" = fine ]
}

@test "background work after the result is waited for" {
	script '[{"result":"started it","more":true},{"background":"700ms"},{"text":"now it is done"},{"result":"all done"}]'
	ends success 0 mock --linger 300ms
	[ "$(result .final)" = 'all done' ]
}

@test "leaked daemons are killed and counted" {
	script '[{"leak":"pid"},{"text":"done"}]'
	ends success 0 mock
	[ "$(result .leaked.count)" = 1 ]
	[ "$(result .leaked.first)" = loop-mock ]
	gone "$(cat pid)"
}

@test "kept background work lives on" {
	script '[{"leak":"pid"},{"text":"done"}]'
	ends success 0 mock --keep-background
	kill -KILL "$(cat pid)"
}

@test "SIGTERM ends the agent first, and is its own reason" {
	script '[{"leak":"pid"},{"text":"x"},{"stall":true}]'
	start loop-spawn --agent mock --prompt prompt --session ses_t --grace 200ms
	wait_for 240 test -s pid
	kill -TERM "$started"
	local status=0
	wait "$started" || status=$?
	[ "$status" = 143 ]
	[ "$(result .reason)" = killed ]
	gone "$(cat pid)"
}

@test "killed by SIGKILL, nothing of its tree survives" {
	script '[{"leak":"pid"},{"run":"echo $$ >shell; exec sleep 60"}]'
	start loop-spawn --agent mock --prompt prompt --session ses_k
	wait_for 240 test -s pid
	wait_for 240 test -s shell
	wait_for 240 eval '[ "$(jq -r .state "$LOOP_DIR/sessions/ses_k/session.json")" = running ]'
	kill -KILL "$started"
	wait_for 240 gone "$(cat pid)"
	wait_for 240 gone "$(cat shell)"
	[ "$(jq -r .state "$LOOP_DIR/sessions/ses_k/session.json")" = running ]
	gone "$(jq -r .owner.pid "$LOOP_DIR/sessions/ses_k/session.json")"
}

@test "noise, torn lines, NUL bytes, bad UTF-8 and huge lines do no harm" {
	printf '[{"raw":"not json"},{"raw":"{\\"type\\":\\"new_in_2030\\"}"},{"raw":"{\\"cut"},{"line":"3M"},{"text":"fine"},{"result":"ok","more":true},{"torn":"{\\"type\\":"}]' >"$LOOP_MOCK_SCRIPT"
	ends success 0 mock
	[ "$(result .noise)" = 1 ]
	[ "$(result .final)" = ok ]
	mkdir -p "$LOOP_DIR/agents/odd"
	printf '#!/bin/sh\nprintf "\\000\\377\\n{\\"type\\":\\"assistant\\",\\"message\\":{\\"content\\":[{\\"type\\":\\"text\\",\\"text\\":\\"\\\\ud83d\\"}]}}\\n"; exec loop-mock' >"$LOOP_DIR/agents/odd/run"
	chmod +x "$LOOP_DIR/agents/odd/run"
	printf '{"map":"%s"}' "$SOURCE_TREE/share/agents/claude/map.jq" | sed "s,$SOURCE_TREE,../../../../../..$SOURCE_TREE," >"$LOOP_DIR/agents/odd/agent.json"
	cp "$SOURCE_TREE/share/agents/claude/map.jq" "$LOOP_DIR/agents/odd/"
	script '[{"text":"fine"}]'
	ends success 0 loop-spawn --agent odd --prompt prompt
}

@test "logs keep their head and their tail" {
	script '[{"flood":"2M"},{"text":"the end"}]'
	ends success 0 mock --max-output 100K --session ses_big
	local log=$LOOP_DIR/sessions/ses_big/stdout.log
	[ "$(wc -c <"$log")" -lt 150000 ]
	head -n 1 "$log" | grep -q '"init"'
	tail -n 1 "$log" | grep -q '"type":"result"'
	grep -q 'bytes are left out here' "$log"
	jq -es 'map(select(.type == "omitted")) | length == 1' "$LOOP_DIR/sessions/ses_big/events.jsonl"
}

@test "verify commands decide, and their words are kept" {
	script '[{"write":"answer","content":"42"},{"text":"done"}]'
	ends success 0 mock --verify 'grep -q 42 answer' --verify 'echo all well'
	[ "$(result '.verify[1].tail')" = 'all well' ]
	ends verify_failed 118 mock --verify 'echo "no 43" >&2; grep -q 43 answer' --verify 'touch not-reached'
	has "$(result '.verify[0].tail')" 'no 43'
	[ ! -e not-reached ]
	[ "$(events test.run | jq -r .data.success | tr '\n' ' ')" = "true true false " ]
	ends verify_failed 118 mock --verify 'sleep 60' --verify-timeout 200ms
	[ "$(result '.verify[0].status')" = 124 ]
	script '[{"result":"","reason":"failed"}]'
	ends failed 1 mock --verify 'touch verified'
	[ ! -e verified ]
}

@test "tags are looked for in the last message only, on lines of their own" {
	script '[{"text":"ALL-DONE"},{"text":"I will say ALL-DONE soon"}]'
	ends failed 1 mock --done-tag ALL-DONE
	script '[{"text":"work\n  ALL-DONE  \n"}]'
	ends success 0 mock --done-tag ALL-DONE
	script '[{"text":"NEED-HELP"}]'
	ends needs_human 119 mock --blocked-tag NEED-HELP
	[ "$(events session.needs_human | wc -l)" = 1 ]
}

@test "what may help is tried again, with the next attempt's number" {
	script '[{"result":"","reason":"overloaded","attempt":[1,2]},{"text":"third time"}]'
	ends success 0 mock --retry 2 --retry-delay 1ms
	[ "$(result '[.attempts[].reason] | join(" ")')" = "transient transient success" ]
	[ "$(result .attempt)" = 3 ]
	ends transient 114 mock --retry 1 --retry-delay 1ms
	script '[{"result":"","reason":"auth"}]'
	ends auth 115 mock --retry 5 --retry-delay 1ms
	[ "$(result '.attempts | length')" = 1 ]
	script '[{"text":"a"},{"signal":"KILL","attempt":5},{"text":"b"}]'
	LOOP_ATTEMPT=5 ends success 0 mock --retry 1 --retry-delay 1ms
	[ "$(result .attempt)" = 6 ]
}

@test "the budget is ours, over all attempts" {
	script '[{"usage":{"input":900,"output":200,"cost":0.3}},{"result":"","reason":"overloaded"}]'
	ends transient 114 mock --retry 1 --retry-delay 1ms --budget 1
	[ "$(result .cost_usd)" = 0.6 ]
	ends budget 112 mock --retry 9 --retry-delay 1ms --budget 0.5
	# A conversation that is gone on with tells the sum of all its attempts.
	script '[{"text":"hm"},{"usage":{"cost":0.25}},{"result":"","reason":"overloaded","attempt":1},{"text":"ok"}]'
	ends success 0 mock --retry 1 --retry-delay 1ms
	[ "$(result .cost_usd)" = 0.5 ]
	[ "$(grep -c '"total_cost_usd":0.5' "$LOOP_DIR/sessions/$(result .session)/stdout.log")" = 1 ]
	# What is done is done, whatever it cost; what goes on is ended.
	script '[{"usage":{"input":900,"output":200}},{"result":"","more":true},{"stall":true}]'
	ends success 0 mock --budget 1Ktok --linger 200ms
	script '[{"usage":{"input":900,"output":200}},{"result":"","more":true},{"text":"More."},{"stall":true}]'
	ends budget 112 mock --budget 1Ktok --grace 100ms
}

@test "an unknown cost is unknown, not nothing" {
	ends success 0 loop-spawn -- true
	[ "$(result .cost_usd)" = null ]
}

@test "the agent's environment is scrubbed, and what was dropped is named" {
	mkdir -p "$LOOP_DIR/agents/env"
	printf '#!/bin/sh\nenv >seen\n' >"$LOOP_DIR/agents/env/run"
	chmod +x "$LOOP_DIR/agents/env/run"
	echo '{"env":{"TERM":"dumb","QUIET":"1"},"unset":["CLAUDECODE"],"secrets":["ANTHROPIC_API_KEY","OTHER_KEY"]}' >"$LOOP_DIR/agents/env/agent.json"
	echo 'export ANTHROPIC_API_KEY="sk-project" # for the app' >.env
	CLAUDECODE=1 GIT_DIR=/nowhere QUIET=0 ANTHROPIC_API_KEY=sk-project OTHER_KEY=mine LOOP_TASK=T \
		status_is 0 loop-spawn --agent env --prompt prompt --model m --tools Bash
	has "$stderr" "ANTHROPIC_API_KEY is the project's"
	run ! grep -qE '^(CLAUDECODE|GIT_DIR|ANTHROPIC_API_KEY)=' seen
	grep -qx OTHER_KEY=mine seen
	grep -qx QUIET=0 seen
	grep -qx LOOP_MODEL=m seen
	grep -qx LOOP_TASK=T seen
	grep -qx LOOP_ATTEMPT=1 seen
	grep -qx "LOOP_DIR=$LOOP_DIR" seen
	grep -qE '^LOOP_AGENT_SESSION=[0-9a-f-]{36}$' seen
	[ "$(result '.dropped_env | sort | join(" ")')" = "ANTHROPIC_API_KEY CLAUDECODE GIT_DIR" ]
	CLAUDECODE=1 ANTHROPIC_API_KEY=sk-project status_is 0 loop-spawn --agent env --prompt prompt --keep-env
	grep -qx ANTHROPIC_API_KEY=sk-project seen
}

repository() {
	git init -q repo
	cd repo
	echo base >file
	printf '.env\n' >.gitignore
	printf '.env\n' >.worktreeinclude
	git add -A
	git commit -qm base
	echo SECRET=1 >.env
	mkdir -p .git/hooks
	printf '#!/bin/sh\ntouch "%s/hooked"\n' "$SCRATCH" >.git/hooks/post-checkout
	chmod +x .git/hooks/post-checkout
	echo 'do it' >prompt
}

@test "a worktree of its own, with branch, included files and no hooks" {
	repository
	script '[{"write":"new","content":"x"},{"run":"cat .env >copied; git rev-parse --abbrev-ref HEAD >branch"}]'
	ends success 0 mock --worktree --branch work/one --session ses_w --verify 'test -e new'
	local tree
	tree=$(result .worktree)
	[ "$tree" = "$LOOP_DIR/worktrees/ses_w" ]
	[ ! -e new ]
	[ "$(cat "$tree/new" "$tree/copied" "$tree/branch")" = $'xSECRET=1\nwork/one' ]
	[ ! -e "$SCRATCH/hooked" ]
	[ "$(result .base)" = "$(git rev-parse HEAD)" ]
	[ "$(git -C "$tree" status --porcelain | wc -l)" = 3 ]
	# The next session of the same branch goes on in it.
	script '[{"run":"test -e new"},{"text":"ok"}]'
	ends success 0 mock --worktree --branch work/one --verify 'test -e new'
	[ "$(result .worktree)" = "$tree" ]
}

@test "what a failed session left uncommitted is saved on a ref" {
	repository
	script '[{"write":"new","content":"x"},{"append":"file","content":"more\n"},{"exit":1}]'
	ends failed 1 mock --worktree --session ses_s
	[ "$(result .saved)" = refs/loop/saved/ses_s ]
	[ "$(git show refs/loop/saved/ses_s:new)" = x ]
	[ "$(git show refs/loop/saved/ses_s:file)" = $'base\nmore' ]
	[ "$(git rev-parse refs/loop/saved/ses_s^)" = "$(git rev-parse HEAD)" ]
	[ "$(git branch --list loop/ses_s | wc -l)" = 1 ]
}

@test "a worktree in use, a branch in use, no repository" {
	status_is 125 mock --worktree
	has "$stderr" 'not in a git repository'
	repository
	status_is 125 mock --worktree --branch main
	has "$stderr" 'is checked out in'
	status_is 125 mock --worktree --branch 'a..b'
	script '[{"write":"started","content":""},{"stall":true}]'
	start loop-spawn --agent mock --prompt prompt --worktree --branch busy --session ses_busy
	wait_for 240 test -e "$LOOP_DIR/worktrees/ses_busy/started"
	status_is 125 mock --worktree --branch busy
	has "$stderr" 'another session works in it'
}

@test "an agent that cannot run here says why" {
	status_is 0 loop-spawn --check --agent mock
	has "$output" 'mock: ready'
	mkdir bin
	ln -s "$(command -v jq)" "$(command -v loop-spawn)" bin/
	PATH=$PWD/bin:/bin:/usr/bin LOOP_SHARE=$SOURCE_TREE/share status_is 1 env -u ANTHROPIC_API_KEY loop-spawn --check --agent claude
	has "$output" 'claude: '
}

@test "a bounded memory is every process's" {
	ends success 0 loop-spawn --memory 512M --print -- sh -c 'ulimit -v'
	[ "$output" = 524288 ]
}

@test "a limit that is over soon is waited for, and counts as no try" {
	script '[{"limit":{"resets_in":"2s"},"attempt":1},{"result":"limited","reason":"rate_limit","attempt":1},{"text":"later"}]'
	ends success 0 mock --quota-wait 1m
	[ "$(result '[.attempts[].reason] | join(" ")')" = "quota success" ]
	jq -e '.told and .agent == "mock"' "$LOOP_DIR/limits/mock.json"
}

@test "all sessions of a limited agent wait, but for those that were not told to" {
	mkdir -p "$LOOP_DIR/limits"
	jq -n '{until: (now + 7200 | floor | todate)}' >"$LOOP_DIR/limits/mock.json"
	script '[{"text":"ok"}]'
	ends success 0 mock
	jq -n '{until: (now + 3 | floor | todate)}' >"$LOOP_DIR/limits/mock.json"
	start loop-spawn --agent mock --prompt prompt --quota-wait 1m --session ses_wait
	wait_for 240 grep -q '"waiting"' "$LOOP_DIR/sessions/ses_wait/session.json"
	wait "$started"
	(($(jq .ms "$LOOP_DIR/sessions/ses_wait/result.json") > 500))
	jq -n '{until: (now + 7200 | floor | todate)}' >"$LOOP_DIR/limits/mock.json"
	ends quota 113 mock --quota-wait 1h
	[ "$(result '.attempts | length')" = 0 ]
	[ "$(result .resets_at)" != null ]
	start loop-spawn --agent mock --prompt prompt --quota-wait 3h --session ses_int
	wait_for 240 grep -q '"waiting"' "$LOOP_DIR/sessions/ses_int/session.json"
	kill -TERM "$started"
	local status=0
	wait "$started" || status=$?
	[ "$status" = 143 ]
}

@test "starts of one agent are staggered" {
	local one
	mkdir -p "$LOOP_DIR/agents/slow"
	printf '#!/bin/sh\necho "begin $$" >>log; sleep 0.3; echo "heard $$" >>log; echo; sleep 0.4\n' >"$LOOP_DIR/agents/slow/run"
	chmod +x "$LOOP_DIR/agents/slow/run"
	echo '{"starts":1}' >"$LOOP_DIR/agents/slow/agent.json"
	loop-spawn --agent slow --prompt prompt &
	one=$!
	loop-spawn --agent slow --prompt prompt
	wait "$one"
	[ "$(cut -d' ' -f1 log | tr '\n' ' ')" = "begin heard begin heard " ]
}

@test "the total budget holds over all sessions, those that never settled too" {
	script '[{"usage":{"cost":0.4}},{"text":"ok"}]'
	ends success 0 mock --total-budget 1 --budget 0.5
	ends success 0 mock --total-budget 1 --budget 0.5
	ends budget 112 mock --total-budget 1 --budget 0.5
	has "$(result .message)" '0.80 are spent or reserved'
	[ "$(result '.attempts | length')" = 0 ]
	ends success 0 mock --total-budget 1.2
	printf '{"session":"ses_dead","reserve_usd":1.000000}\n{"torn' >>"$LOOP_DIR/ledger.jsonl"
	ends budget 112 mock --total-budget 2.3
	ends success 0 mock --total-budget 2.7
	jq -es 'length > 6' <(grep -v '^{"torn' "$LOOP_DIR/ledger.jsonl")
}

@test "sessions that start at once do not reserve the same money" {
	local i
	script '[{"run":"while [ ! -e go ]; do sleep 0.02; done"},{"usage":{"cost":0.1}},{"text":"ok"}]'
	for i in 1 2 3 4; do mock --total-budget 2 --budget 1 2>/dev/null & done
	two_ended() { [ "$(find "$LOOP_DIR/sessions" -name result.json | wc -l)" = 2 ]; }
	wait_for 240 two_ended
	touch go
	wait
	[ "$(cat "$LOOP_DIR"/sessions/*/result.json | jq -r .reason | sort | uniq -c | tr -s ' \n' ' ')" = " 2 budget 2 success " ]
}

@test "in the sandbox only the work is writable, and home is hidden" {
	bwrap --ro-bind / / true 2>/dev/null || skip "bubblewrap cannot run here"
	repository
	echo private >"$HOME/secret"
	export OUTSIDE=$SCRATCH/outside LOOP_MOCK_SCRIPT=$LOOP_DIR/script.json # /tmp is another one there
	mkdir -p "$LOOP_DIR"
	script '[{"write":"new","content":"x"},{"run":"ls -A \"$HOME\" >home; echo no >\"$OUTSIDE\"; git commit -qam done; echo bad >>\"$(git rev-parse --git-common-dir)/config\""}]'
	git config user.name T
	git config user.email t@localhost
	ends success 0 mock --sandbox --worktree --session ses_box --verify 'test -e new && ! touch /usr/loop-was-here'
	local tree=$LOOP_DIR/worktrees/ses_box
	[ "$(cat "$tree/new")" = x ]
	[ ! -s "$tree/home" ]
	[ ! -e "$OUTSIDE" ]
	run ! grep -q bad .git/config
}

@test "a sandbox that cannot be made is said, and nothing runs without it" {
	mkdir bin
	printf '#!/bin/sh\necho "bwrap: no permission" >&2\nexit 1\n' >bin/bwrap
	chmod +x bin/bwrap
	PATH=$PWD/bin:$PATH ends spawn_failed 125 mock --sandbox
	has "$(result .message)" 'bwrap: no permission'
}

# A folder for an agent that speaks as claude does and whose files tell what it used.
metered() { # COMMAND of its usage
	mkdir -p "$LOOP_DIR/agents/metered"
	printf '#!/bin/sh\nexec loop-mock --session-id "${LOOP_RESUME:-$LOOP_AGENT_SESSION}"\n' >"$LOOP_DIR/agents/metered/run"
	printf '#!/bin/sh\n%s\n' "$1" >"$LOOP_DIR/agents/metered/usage"
	chmod +x "$LOOP_DIR/agents/metered/"*
	echo "{\"map\":\"$SOURCE_TREE/share/agents/claude/map.jq\",\"meter\":\"200ms\",\"resumes\":true}" >"$LOOP_DIR/agents/metered/agent.json"
}

@test "what a killed agent has used is read from its own files" {
	metered 'echo "{\"type\":\"usage\",\"input\":70,\"output\":7,\"cost_usd\":0.25,\"of\":\"conversation\",\"cost_of\":\"conversation\"}"; echo noise'
	script '[{"text":"hm"},{"signal":"KILL","attempt":1},{"text":"ok"},{"signal":"KILL"}]'
	ends crashed 137 loop-spawn --agent metered --prompt prompt --retry 1 --retry-delay 1ms
	result '.usage.input == 70 and .usage.output >= 7 and .cost_usd == 0.25' | grep -qx true
	# And while it runs: a budget that its stream says nothing about.
	script '[{"text":"hm"},{"stall":true}]'
	ends budget 112 loop-spawn --agent metered --prompt prompt --budget 50tok --grace 100ms
	# An answer's price is asked when its tools are heard of, long before the meter's turn.
	sed -i s/200ms/1h/ "$LOOP_DIR/agents/metered/agent.json"
	script '[{"run":"true"},{"stall":true}]'
	ends budget 112 loop-spawn --agent metered --prompt prompt --budget 50tok --grace 100ms
	metered 'sleep 1000'
	script '[{"text":"hm"},{"delay":0.5},{"text":"ok"}]'
	ends success 0 loop-spawn --agent metered --prompt prompt
	nothing_left
}

@test "a part of unknown cost makes the sum unknown" {
	script '[{"usage":{"input":10,"cost":0.5}},{"result":"","reason":"overloaded","attempt":1},{"raw":"{\"type\":\"assistant\",\"message\":{\"id\":\"m\",\"usage\":{\"input_tokens\":5}}}"},{"signal":"KILL"}]'
	ends crashed 137 mock --retry 1 --retry-delay 1ms
	result '.cost_usd == null and .usage.input == 15' | grep -qx true
}

@test "the conversation is gone on with in a few words, by the next attempt or another session" {
	script '[{"run":"printf %s \"$PROMPT\" >told.$ATTEMPT"},{"result":"","reason":"overloaded","attempt":1},{"text":"ok"}]'
	ends success 0 mock --retry 1 --retry-delay 1ms --session ses_first
	[ "$(cat told.1)" = 'do it' ]
	has "$(cat told.2)" 'was interrupted (transient'
	script '[{"run":"printf %s \"$PROMPT\" >told"},{"usage":{"cost":0.5}},{"text":"ok"}]'
	echo 'and now this' >prompt
	ends success 0 mock --resume ses_first
	[ "$(cat told)" = 'and now this' ]
	[ "$(result .agent_session)" = "$(jq -r .agent_session "$LOOP_DIR/sessions/ses_first/result.json")" ]
	[ "$(result .cost_usd)" = 0.5 ]
}

@test "two sessions are never in one conversation" {
	script '[{"text":"hm"}]'
	ends success 0 mock --session ses_first
	script '[{"text":"hm"},{"stall":true}]'
	start loop-spawn --agent mock --prompt prompt --resume ses_first --session ses_second
	wait_for 240 grep -qs '"message"' "$LOOP_DIR/sessions/ses_second/events.jsonl"
	status_is 125 mock --resume ses_first
	has "$stderr" 'held by'
	status_is 125 mock --resume ses_second
	has "$stderr" 'ses_second still runs'
	kill "$started"
	wait "$started" || true
	script '[{"text":"hm"}]'
	ends success 0 mock --resume ses_second
	status_is 125 mock --resume ses_none
	status_is 125 mock --resume ../x
	status_is 125 loop-spawn --agent plain --prompt prompt --resume ses_first
	has "$stderr" "agent 'mock'"
}

@test "turns are counted where the agent cannot" {
	stand_in gemini gemini
	script '[{"run":"true","repeat":9},{"stall":true}]'
	ends max_turns 111 loop-spawn --agent gemini --prompt prompt --max-turns 3 --grace 100ms
}

@test "a worktree that cannot be made is a reason, and leaves nothing behind" {
	git init -q
	ends spawn_failed 125 mock --worktree
	has "$(result .message)" 'no commit HEAD'
	git commit -q --allow-empty -m begin
	ends spawn_failed 125 mock --worktree --base nowhere
	ends spawn_failed 125 mock --worktree --branch 'a..b'
	[ "$(find "$LOOP_DIR/worktrees" -mindepth 1 | wc -l)" = 0 ]
	[ "$(events session.ended | jq -r .data.reason | sort -u)" = spawn_failed ]
}

@test "a heartbeat that cannot be written stops no clock" {
	command -v strace >/dev/null || skip 'no strace'
	script '[{"text":"Hm."},{"stall":true}]'
	export ASAN_OPTIONS=detect_leaks=0 # that cannot be done in what is traced
	status_is 110 timeout 60 strace -f -qqo /dev/null -e trace=pwrite64 -e inject=pwrite64:error=ENOSPC \
		loop-spawn --agent mock --prompt prompt --stall 2500ms --grace 100ms
}

@test "a worktree that git loses while it is being added is added again" {
	git init -q && git commit -q --allow-empty -m begin
	local git
	git=$(command -v git)
	mkdir bin
	# As when another prunes at that moment: the first time the record is gone before it is locked.
	printf '#!/bin/sh\ncase " $* " in *" worktree add "*) if mkdir "%s/once" 2>/dev/null; then %s "$@"; rm -r .git/worktrees "$LOOP_DIR"/worktrees/ses_*; echo "fatal: could not open locked" >&2; exit 128; fi ;; esac\nexec %s "$@"\n' \
		"$SCRATCH" "$git" "$git" >bin/git
	chmod +x bin/git
	script '[{"write":"new","content":"x"}]'
	PATH=$SCRATCH/bin:$PATH ends success 0 mock --worktree --branch work --verify 'test -e new'
	[ -e once ]
	[ "$(git worktree list | wc -l)" = 2 ]
}

@test "a system prompt is found wherever the agent works" {
	mkdir -p sub
	echo 'be kind' >system.txt
	script '[{"run":"cat \"$LOOP_SYSTEM_PROMPT_FILE\" >got"}]'
	ends success 0 mock --system system.txt --dir sub
	[ "$(cat sub/got)" = 'be kind' ]
	status_is 125 mock --system nowhere.txt
}

@test "no clock runs while we are stopped" {
	# The agent's own tool stops the one that watches it, for longer than each clock, and wakes it by its parents.
	cat >nap <<-'END'
		work=$(jq .owner.pid "$LOOP_DIR/sessions/ses_a/session.json")
		guard=$(cut -d' ' -f4 "/proc/$work/stat")
		kill -STOP "$work"
		sleep 3.5
		kill -CONT "$(cut -d' ' -f4 "/proc/$guard/stat")"
	END
	script '[{"run":"sh nap"},{"delay":0.2},{"text":"b"}]'
	ends success 0 mock --session ses_a --stall 1s --tool-timeout 1s --timeout 3s
}

# A claude of our own on the PATH, which is this script.
fake_claude() { # SCRIPT
	mkdir -p bin
	printf '#!/bin/sh\n%s\n' "$1" >bin/claude
	chmod 755 bin/claude
}

claude() {
	PATH=$PWD/bin:$PATH loop-spawn --agent claude --prompt prompt "$@"
}

@test "an agent that cannot work says so in a reason of its own" {
	mkdir bin
	ends spawn_failed 127 claude
	[ "$(result .message)" = 'claude: not found' ]
	: >bin/claude
	ends spawn_failed 126 claude
	[ "$(result .message)" = 'claude: Permission denied' ]
	fake_claude 'echo "Invalid API key. Please run /login"; exit 1'
	ends auth 115 claude
	has "$(result .message)" 'Please run /login'
	fake_claude 'echo "<html><title>502 Bad Gateway</title>"; echo "</html>"'
	ends malformed 117 claude
	has "$(result .message)" 'without a result: <html><title>502'
	fake_claude 'printf "Error: it broke\n    at main (cli.js:1)\n" >&2; exit 1'
	ends failed 1 claude
	has "$(result .message)" 'Error: it broke'
	fake_claude 'printf "error: unknown option --new\n\nUsage: claude\n" >&2; exit 1'
	ends failed 1 claude
	[ "$(result .message)" = 'error: unknown option --new' ]
	fake_claude 'echo "<html><title>502 Bad Gateway</title></html>"; exit 1'
	ends transient 114 claude
	fake_claude ':'
	ends malformed 117 claude
	[ "$(result .message)" = 'it ended without a result' ]
}

@test "a prompt that is no prompt is refused before anything is made" {
	printf ' \n\t\n' >prompt
	status_is 125 mock
	has "$stderr" 'prompt: an empty prompt'
	head -c 20M /dev/zero | tr '\0' a >prompt
	status_is 125 mock
	has "$stderr" 'more than 10 MiB'
	echo '{{WHO}} did {{WHAT}}' >prompt
	status_is 125 mock --var WHO=me
	has "$stderr" "prompt:1:13: error: 'WHAT' has no value"
	rm prompt
	status_is 125 mock
	has "$stderr" 'prompt: No such file'
	[ ! -e "$LOOP_DIR/sessions" ]
}

@test "a worktree that is dirty, on another branch, or deleted" {
	local trees=$LOOP_DIR/worktrees
	git init -q
	echo one >file
	git add file
	git commit -qm begin
	echo two >>file # stays where it is
	script '[{"run":"cat file >seen"}]'
	ends success 0 mock --worktree --session ses_a
	[ "$(cat "$trees/ses_a/seen")" = one ]
	echo three >>"$trees/ses_a/file"
	ends success 0 mock --worktree --branch loop/ses_a --session ses_b # goes on in it
	[ "$(tail -n 1 "$trees/ses_a/seen")" = three ]
	git -C "$trees/ses_a" checkout -qb other
	ends success 0 mock --worktree --branch loop/ses_a --session ses_c # gets one of its own
	[ "$(git -C "$trees/ses_c" branch --show-current)" = loop/ses_a ]
	rm -rf "$trees/ses_c"
	ends success 0 mock --worktree --branch loop/ses_a --session ses_d
	[ "$(git -C "$trees/ses_d" branch --show-current)" = loop/ses_a ]
	mkdir new
	ends spawn_failed 125 mock --worktree --dir new
	has "$(result .message)" 'HEAD has no folder new/'
	script '[{"run":"rm -rf \"$PWD\""}]'
	ends verify_failed 118 mock --worktree --verify true
	has "$(result .message)" 'No such file or directory'
	[ "$(git status --short file)" = ' M file' ]
}

@test "a verify command that hangs is ended, and one that cannot be asked to end too" {
	script '[{"text":"ok"}]'
	ends verify_failed 118 mock --verify 'trap "" TERM; sleep 1000.7 & sleep 1000.7' --verify-timeout 300ms
	has "$(result .message)" 'did not end within 300ms'
	wait_for 40 nothing_left
	start loop-spawn --agent mock --prompt prompt --session ses_v --verify 'sleep 1000.8'
	wait_for 80 grep -qs '"verifying"' "$LOOP_DIR/sessions/ses_v/session.json"
	kill -TERM "$started"
	wait "$started" || [ $? = 143 ]
	[ "$(jq -r .reason "$LOOP_DIR/sessions/ses_v/result.json")" = killed ]
}
