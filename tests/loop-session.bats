load helper

setup_more() {
	export LOOP_MOCK_SCRIPT=$SCRATCH/script.json
	echo 'do it' >prompt
}

script() {
	printf '%s' "$1" >"$LOOP_MOCK_SCRIPT"
}

mock() {
	loop-spawn --agent mock --prompt prompt "$@"
}

session() {
	loop-session "$@"
}

ago() { # SECONDS
	date -u -d "@$(($(date +%s) - $1))" +%Y-%m-%dT%H:%M:%S.000000Z
}

# record ID SECONDS-AGO REASON [JSON]: a session that ended so, without its agent; JSON is added to both files.
record() {
	local folder=$LOOP_DIR/sessions/$1
	mkdir -p "$folder"
	echo 1 >"$LOOP_DIR/format"
	jq -n --arg id "$1" --arg time "$(ago "$2")" --argjson more "${4:-null}" \
		'{session: $id, agent: "mock", model: "mock-1", state: "ended", started: $time,
		owner: {pid: 1, start: 1, boot: "none"}} + $more' >"$folder/session.json"
	jq --arg reason "$3" '. + {reason: $reason, success: ($reason == "success"), ended: .started, ms: 5,
		cost_usd: 0.25, usage: {input: 10, output: 5, cost_usd: 0.25}} + '"${4:-null}" \
		"$folder/session.json" >"$folder/result.json"
}

# lost ID SECONDS-AGO [JSON]: a session that says it is running, and whose owner is dead.
lost() {
	record "$1" "$2" x "${3:-null}"
	rm "$LOOP_DIR/sessions/$1/result.json"
	jq '.state = "running"' "$LOOP_DIR/sessions/$1/session.json" >torn
	mv torn "$LOOP_DIR/sessions/$1/session.json"
}

# steps ID: its events, from stdin
steps() {
	cat >"$LOOP_DIR/sessions/$1/events.jsonl"
}

field() { # FILTER COMMAND…
	local filter=$1
	shift
	session "$@" --json | jq -rs "$filter"
}

@test "nothing recorded is status 1 with a reason, and makes no state directory" {
	local command
	for command in list latest summary report gc trace; do
		status_is 1 session "$command"
		has "$stderr" 'no sessions'
	done
	[ ! -e "$LOOP_DIR" ]
}

@test "list shows the newest first and filters" {
	record ses_old 7200 success '{"run":"run-1"}'
	record ses_mid 600 failed '{"agent":"claude"}'
	record ses_new 60 quota
	[ "$(field 'map(.session) | join(" ")' list)" = 'ses_new ses_mid ses_old' ]
	[ "$(field 'map(.session) | join(" ")' list -n 1)" = 'ses_new' ]
	[ "$(field 'map(.session) | join(" ")' list --run run-1)" = 'ses_old' ]
	[ "$(field 'map(.session) | join(" ")' list --since 1h)" = 'ses_new ses_mid' ]
	[ "$(field 'map(.session) | join(" ")' list --until 1h)" = 'ses_old' ]
	[ "$(field 'map(.session) | join(" ")' list --reason quota)" = 'ses_new' ]
	[ "$(field 'map(.session) | join(" ")' list --agent claude)" = 'ses_mid' ]
	[ "$(field 'map(.session) | join(" ")' list --state ended)" = 'ses_new ses_mid ses_old' ]
	status_is 1 session list --state lost
	[ -z "$output$stderr" ]
	status_is 0 session list
	has "$output" '$0.25'
	[ "${#lines[@]}" = 4 ]
	[ "$(session latest)" = ses_new ]
	[ "$(session latest --path)" = "$LOOP_DIR/sessions/ses_new" ]
	status_is 64 session list --since yesterday
	has "$stderr" "neither a time nor an age"
}

@test "a session is found by the beginning of its id" {
	record ses_abc1 60 success
	record ses_abd2 60 success
	[ "$(field '.[0].session' summary abd)" = ses_abd2 ]
	[ "$(field '.[0].session' summary ses_abc)" = ses_abc1 ]
	status_is 64 session summary ab
	has "$stderr" 'several'
	status_is 1 session summary '..'
	status_is 66 session summary ../ab
	status_is 1 session summary nothing
}

@test "what is running is believed only while its owner lives" {
	script '[{"text":"begun"},{"stall":true}]'
	start loop-spawn --agent mock --prompt prompt --session ses_live
	wait_for 80 grep -qs begun "$LOOP_DIR/sessions/ses_live/events.jsonl"
	[ "$(field '.[0].state' list)" = running ]
	has "$(session report)" '1 at work'
	kill -KILL "$started"
	wait_for 80 nothing_left
	[ "$(field '.[0].state' list)" = lost ]
	[ "$(field '.[0].cost_usd' list)" = null ]
	[ "$(field '.[0].ms | type' list)" = number ]
	status_is 0 session report
	has "$output" '1 lost'
	has "$output" 'cost unknown'
	has "$output" 'loop-session summary ses_live'
	status_is 0 session errors
	has "$output" 'nobody ended it'
	status_is 0 session transcript
	has "$output" begun
}

@test "what a lost session had used is read from its last events" {
	lost ses_a 60 '{"attempt":2,"usage":{"input":100,"output":10,"cost_usd":1}}'
	printf '%s\n' '{"attempt":1,"type":"usage","input":9,"output":9,"cost_usd":9}' \
		'{"attempt":2,"type":"usage","input":5,"output":6,"cost_usd":0.5}' '{"attempt":2,"type":"mess' | steps ses_a
	[ "$(field '.[0] | "\(.input) \(.output) \(.cost_usd)"' list)" = '105 16 1.5' ]
	lost ses_b 50 '{"attempt":2,"usage":{"input":100,"output":10,"cost_usd":null}}'
	echo '{"time":"2033-05-18T03:33:20Z","attempt":2,"type":"usage","of":"conversation","input":105,"output":16}' | steps ses_b
	[ "$(field '.[0] | "\(.input) \(.output) \(.cost_usd)"' list -n 1)" = '105 16 null' ]
	# Its heartbeat is older than what it said last.
	[ "$(field '.[0].ended' list -n 1 | cut -c1-19)" = 2033-05-18T03:33:20 ]
}

@test "summary is one session on one page" {
	git init -q && git commit -q --allow-empty -m begin
	script '[{"write":"tea.txt","content":"tea"},{"usage":{"input":10,"output":5,"cost":0.5}},{"text":"Here is tea."}]'
	status_is 118 mock --worktree --verify 'echo no tea; false' --session ses_tea
	status_is 0 session summary
	has "$output" 'asked      do it'
	has "$output" 'verify_failed'
	has "$output" 'files      tea.txt'
	has "$output" '1 call, 0 failed: Write 1'
	has "$output" '10 tokens in, 5 out; cost $0.50'
	has "$output" 'echo no tea; false: exit status 1'
	has "$output" 'saved      refs/loop/saved/ses_tea'
	has "$output" 'branch     loop/ses_tea'
	has "$output" 'last words Here is tea.'
	session summary --json | jq -e '.tools[0].tool == "Write" and .verify[0].status == 1 and .prompt == "do it\n"'
}

@test "torn, missing and hostile files make a record poorer, never a failure" {
	record ses_torn 60 success
	truncate -s 40 "$LOOP_DIR/sessions/ses_torn/session.json"
	record ses_none 60 success
	rm "$LOOP_DIR/sessions/ses_none/"*
	record ses_half 60 success
	truncate -s 40 "$LOOP_DIR/sessions/ses_half/result.json"
	record ses_types 60 success '{"started":7,"owner":[],"usage":"x","subject":{},"verify":"x","attempts":7,"leaked":[]}'
	record ses_escape 60 failed '{"subject":"a\u001b[2Jb\nc","message":"x\u0007| <b>`","final":"\u001b]0;t"}'
	mkdir "$LOOP_DIR/sessions/.gc-x" "$LOOP_DIR/sessions/bad name" "$LOOP_DIR/sessions/"$'ses_\e[1m'
	echo rubbish >"$LOOP_DIR/sessions/file"
	[ "$(field 'map(.session) | sort | join(" ")' list)" = 'ses_escape ses_half ses_none ses_torn ses_types' ]
	[ "$(field 'map(select(.session == "ses_none"))[0].state' list)" = unreadable ]
	[ "$(field 'map(select(.session == "ses_torn"))[0].state' list)" = ended ]
	printf '%s\n' '{"type":"message","text":"a"}' 'rubbish' '[1]' '' '{"type":7}' '{"type":"mess' | steps ses_escape
	local command
	for command in list report 'report --markdown' 'summary ses_escape' 'transcript ses_escape' 'timeline ses_escape' \
		'errors ses_escape' 'gc --dry-run' 'summary ses_types' 'summary ses_none' 'trace ses_none ses_escape' 'metrics ses_escape'; do
		# shellcheck disable=SC2086
		status_is 0 session $command
		if [[ $output == *[$'\e\a']* ]]; then echo "$command: escapes" && false; fi
	done
	status_is 0 session timeline ses_escape
	has "$stderr" '3 lines are no events'
	session export ses_escape 2>/dev/null | jq -e '(.events | length) == 2 and .damaged == 3'
	has "$(session report --markdown)" '\| \<b\>\`'
}

@test "what an agent printed is read by the agent's own map" {
	local file=$SOURCE_TREE/tests/fixtures/agents/claude name end reason
	while IFS=$'\t' read -r name end reason _; do
		case $name in max-turns-3 | budget-1 | no-credentials | rate-limit-then-ok) ;; *) continue ;; esac
		[ "$(session summary --json -a claude "$file/$name.jsonl" | jq -r .reason)" = "$reason" ]
	done <"$SOURCE_TREE/tests/cases/agents/claude.tsv"
	status_is 0 session tools -a claude "$file/max-turns-3.jsonl"
	has "$output" Bash
	[ "$(field 'map(.ok) | unique | join(" ")' tools --calls -a claude "$file/max-turns-3.jsonl")" = true ]
	status_is 0 session transcript -a claude "$file/max-turns-3.jsonl"
	has "$output" '> Bash'
	head -c 2000 "$file/max-turns-3.jsonl" >torn.jsonl
	status_is 0 session summary -a claude torn.jsonl
	has "$output" 'ended without a result'
	status_is 66 session summary -a nobody torn.jsonl
	status_is 66 session summary -a claude no-such.jsonl
	status_is 78 session summary -a plain torn.jsonl
	status_is 64 session summary -a claude
}

# Three calls of which two overlap, one that fails and one that never ends.
calls() {
	record ses_calls 100 failed '{"message":"it broke"}'
	local t
	t=$(jq -r .started "$LOOP_DIR/sessions/ses_calls/session.json")
	t=${t%.*}
	steps ses_calls <<-EOF
		{"time":"$t.100Z","attempt":1,"type":"session.started","model":"m"}
		{"time":"$t.200Z","attempt":1,"type":"tool.started","id":"a","name":"Bash","input":"make"}
		{"time":"$t.300Z","attempt":1,"type":"tool.started","id":"b","name":"Read","input":"x.c"}
		{"time":"$t.400Z","attempt":1,"type":"tool.finished","id":"a","name":"Bash","ok":false,"exit":2}
		{"time":"$t.500Z","attempt":1,"type":"tool.finished","id":"b","name":"Read","ok":true}
		{"time":"$t.600Z","attempt":2,"type":"retry","delay_ms":2000,"class":"overloaded"}
		{"time":"$t.700Z","attempt":2,"type":"tool.started","id":"a","name":"Bash","input":"sleep"}
		{"time":"$t.900Z","attempt":2,"type":"message","text":"bye"}
		{"time":"$t.950Z","attempt":2,"type":"result","ok":false,"reason":"failed","message":"it broke"}
	EOF
	jq -c --arg t "$t.950Z" '.ended = $t' "$LOOP_DIR/sessions/ses_calls/result.json" >r
	mv r "$LOOP_DIR/sessions/ses_calls/result.json"
}

@test "tools, errors, metrics and timeline tell what was called, for how long, and what failed" {
	calls
	session tools --json | jq -se '.[0] == (.[0] | .tool = "Bash" | .calls = 2 | .failed = 1 | .unfinished = 1 | .total_ms = 200)
		and .[1].max_ms == 200'
	[ "$(field 'map("\(.tool) \(.ms) \(.ok)") | join(",")' tools --calls)" = 'Bash 200 false,Read 200 true,Bash null null' ]
	status_is 0 session errors
	has "$output" 'Bash: make (exit status 2)'
	has "$output" 'Bash: sleep (not finished)'
	has "$output" 'overloaded'
	has "$output" 'failed: it broke'
	[ "$(field 'map(.kind) | join(" ")' errors)" = 'tool retry result tool verdict' ]
	[ "$(field 'map(select(.metric == "longest_silence"))[0].value' metrics)" = 200 ]
	[ "$(field 'map(select(.metric == "tool_calls"))[0].value' metrics)" = 3 ]
	status_is 0 session metrics
	has "$output" P99
	status_is 0 session timeline
	has "$output" '400ms  < Bash: failed, exit status 2, 200ms'
	[ "$(session timeline --json | jq -rs length)" = 9 ]
	status_is 0 session transcript
	has "$output" '< failed: Bash, exit status 2'
	record ses_well 10 success
	status_is 1 session errors
	[ -z "$output$stderr" ]
}

@test "a trace's slices nest, its async slices are pairs, and every event has what importers want" {
	calls
	record ses_other 50 success '{"subject":"P/S"}'
	session trace -n 10 >trace.json
	jq -e '.traceEvents | length > 10 and all(.ph and .name and (.pid | numbers) and (.tid | numbers))
		and all(.[] | select(.ph != "M") ; (.ts | type) == "number" and .ts >= 0)
		and all(.[] | select(.ph == "X") ; .dur >= 0)
		and all(.[] | select(.ph == "C") ; .args | all(type == "number"))
		and all(.[] | select(.ph == "i") ; .s == "t")
		and ([.[] | select(.ph == "b") | .id] | length > 0 and . == unique)
		and ([.[] | select(.ph == "b") | .id] == [.[] | select(.ph == "e") | .id])' trace.json
	jq -e '[.traceEvents[] | select(.ph == "X")] | group_by(.tid) | length == 2 and all(. as $all | all($all[]; . as $a |
		all($all[]; .ts + .dur <= $a.ts or .ts >= $a.ts + $a.dur
			or (.ts >= $a.ts and .ts + .dur <= $a.ts + $a.dur) or (.ts <= $a.ts and .ts + .dur >= $a.ts + $a.dur))))' trace.json
	[ "$(jq -r '[.traceEvents[] | select(.name == "thread_name") | .args.name] | join(",")' trace.json)" = 'ses_calls (ses_calls),P/S (ses_other)' ]
	[ "$(session trace ses_other | jq '[.traceEvents[] | select(.ph == "X")] | length')" = 1 ]
}

@test "watch follows a live session and ends with it" {
	script '[{"text":"one"},{"run":"until [ -e go ]; do sleep 0.02; done"},{"text":"two"}]'
	start loop-spawn --agent mock --prompt prompt --session ses_live
	wait_for 80 test -e "$LOOP_DIR/sessions/ses_live/session.json"
	loop-session watch ses_live >seen 3>&- &
	local watcher=$!
	STARTED+=("$watcher")
	wait_for 80 grep -qs '> Bash' seen
	if grep -q two seen; then false; fi
	touch go
	wait "$watcher"
	has "$(<seen)" two
	has "$(tail -n 1 seen)" 'ended: success'
	status_is 0 session watch --json
	[ "$(jq -rs 'map(select(.type == "message").text) | join(" ")' <<<"$output")" = 'one two' ]
	status_is 64 session watch ./file
}

@test "watch ends when the owner is killed, and goes on behind a log that was shortened" {
	script '[{"text":"one"},{"stall":true}]'
	start loop-spawn --agent mock --prompt prompt --session ses_live
	local spawn=$started log=$LOOP_DIR/sessions/ses_live/events.jsonl
	wait_for 80 grep -qs one "$log"
	loop-session watch --json ses_live >seen 3>&- &
	local watcher=$!
	STARTED+=("$watcher")
	wait_for 80 grep -qs one seen
	{ cat "$log" && echo '{"time":"2099-01-01T00:00:00Z","type":"message","text":"late"}'; } >copy
	mv copy "$log"
	wait_for 80 grep -qs late seen
	[ "$(grep -c one seen)" = 1 ]
	kill -KILL "$spawn"
	wait "$watcher" && false
	wait_for 80 nothing_left
}

@test "the report says what ran, what it cost, what waits, what was lost, what failed, and what to type" {
	local journal=$LOOP_DIR/events.jsonl
	record ses_1 600 failed '{"subject":"P/US-1"}'
	record ses_2 500 success '{"subject":"P/US-1"}'
	record ses_3 400 verify_failed '{"subject":"P/US-2","message":"make ended with status 2","final":"All\nis well."}'
	record ses_4 300 needs_human '{"subject":"P/US-3","message":"which colour?"}'
	record ses_5 200 success '{"subject":"P/US-4","usage":{"cost_usd":null}}'
	record ses_6 90000 failed '{"subject":"P/US-9"}'
	lost ses_7 100 '{"subject":"P/US-5"}'
	loop-emit story.completed story=US-1 success:=true
	loop-emit commit.created commit=1 branch=feature title=x
	loop-emit commit.created commit=2 'branch=$(rm x)' title=y
	mkdir -p "$LOOP_DIR/runs/run-a" "$LOOP_DIR/runs/run-b"
	printf '%s\n' "{\"time\":\"$(ago 700)\",\"run\":\"started\",\"id\":\"run-a\",\"plan\":\"Tea\",\"tasks\":5,\"pid\":1,\"start\":1,\"boot\":\"none\"}" \
		"{\"time\":\"$(ago 500)\",\"task\":\"US-1\",\"state\":\"succeeded\"}" '{"torn' >"$LOOP_DIR/runs/run-a/run.jsonl"
	printf '%s\n' "{\"time\":\"$(ago 700)\",\"run\":\"started\",\"id\":\"run-b\",\"plan\":\"Cup\",\"tasks\":1,\"pid\":1,\"start\":1,\"boot\":\"none\"}" \
		"{\"time\":\"$(ago 500)\",\"task\":\"US-2\",\"state\":\"failed\"}" \
		"{\"time\":\"$(ago 500)\",\"run\":\"ended\",\"state\":\"failed\"}" >"$LOOP_DIR/runs/run-b/run.jsonl"
	status_is 0 session report
	has "$output" '6 sessions: 2 succeeded, 3 failed (1 done later), 1 lost; $1.00 and 2 sessions of unknown cost'
	has "$output" '1 story done, merged onto'
	has "$output" $'Waits for you\n  P/US-3  needs_human'
	has "$output" 'which colour?'
	has "$output" $'Failed\n  P/US-2  verify_failed'
	has "$output" 'last words: is well.'
	has "$output" $'Lost\n  P/US-5  lost'
	has "$output" 'P/US-1  $0.50, 2 sessions'
	has "$output" 'mock-1  $1.00 and 2 sessions of unknown cost'
	has "$output" 'run-a  Tea  cut off, 1 of 5 done'
	has "$output" '  loop resume run-a'
	has "$output" '  loop-sched retry run-b'
	has "$output" '  git merge feature'
	if [[ $output == *'git merge $('* || $output == *US-9* ]]; then false; fi
	[ "$(field 'map(select(.kind == "failed").session) | join(" ")' report)" = ses_3 ]
	[ "$(field '.[0] | "\(.sessions) \(.cost_usd) \(.unknown_cost)"' report)" = '6 1 2' ]
	[ "$(field '.[0].sessions' report --since 2d)" = 7 ]
	has "$(session report --markdown)" '## Waits for you'
	session report --html >page.html
	has "$(cat page.html)" '<li>P/US-3  needs_human'
	has "$(cat page.html)" '<li><code>loop resume run-a</code></li>'
	status_is 64 session report --html --json
	truncate -s -5 "$journal"
	status_is 0 session report
}

@test "the report as a page of HTML is whole, and what others wrote is no markup in it" {
	record ses_1 60 failed '{"subject":"P/<script>alert(1)</script>","message":"a & b \"c\"","final":"<img src=x>"}'
	loop-emit story.completed story=US-1 success:=true
	loop-emit commit.created commit=1 'branch=a&b' title=x
	session report --html >page.html
	[ "$(grep -o '<[/!]\?[a-z0-9]*' page.html | sort -u | tr -d '<\n' | tr '/' ' ')" = \
		"!doctype code h1 h2 html li style title ulbrcodeh1h2htmllimetapstyletitleul" ]
	local tag
	for tag in ul li code h2; do [ "$(grep -o "<$tag>" page.html | wc -l)" = "$(grep -o "</$tag>" page.html | wc -l)" ]; done
	has "$(cat page.html)" '&#60;script&#62;'
	has "$(cat page.html)" 'last words: &#60;img src=x&#62;'
}

@test "the report asks what is asked, until it is answered" {
	record ses_1 10 success
	loop-gate ask --id merge 'Merge it?'
	echo rubbish >"$LOOP_DIR/gates/torn.json"
	status_is 0 session report
	has "$output" 'Merge it?'
	has "$output" '  loop-gate approve merge'
	[ "$(field 'map(select(.kind == "gate").gate) | join(" ")' report)" = merge ]
	loop-gate approve merge
	status_is 0 session report
	if [[ $output == *Merge* ]]; then false; fi
}

# A repository with a worktree of a session that failed, and what it left uncommitted.
abandoned() { # ID
	[ -d .git ] || { git init -q && git commit -q --allow-empty -m begin; }
	script '[{"write":"tea.txt","content":"tea"},{"result":"x","reason":"failed"}]'
	status_is 1 mock --worktree --session "$1"
}

gone_worktree() { # ID
	[ ! -e "$LOOP_DIR/worktrees/$1" ]
}

@test "gc removes a worktree whose work is saved, and says what it would do before" {
	abandoned ses_a
	status_is 0 session gc --dry-run
	has "$output" 'would remove worktree ses_a'
	has "$output" 'refs/loop/saved/ses_a'
	[ -e "$LOOP_DIR/worktrees/ses_a/tea.txt" ]
	status_is 0 session gc
	has "$output" 'removed worktree ses_a'
	gone_worktree ses_a
	[ "$(git show refs/loop/saved/ses_a:tea.txt)" = tea ]
	git rev-parse -q --verify loop/ses_a
	[ "$(git worktree list | wc -l)" = 1 ]
	status_is 0 session gc
	[ -z "$output$stderr" ]
}

@test "gc saves what is not saved before it removes it" {
	abandoned ses_a
	git update-ref -d refs/loop/saved/ses_a
	status_is 0 session gc
	gone_worktree ses_a
	[ "$(git show refs/loop/saved/ses_a:tea.txt)" = tea ]
	abandoned ses_b
	git -C "$LOOP_DIR/worktrees/ses_b" checkout -q --detach
	git -C "$LOOP_DIR/worktrees/ses_b" add -A
	git -C "$LOOP_DIR/worktrees/ses_b" commit -q -m loose
	git update-ref -d refs/loop/saved/ses_b
	git branch -q -D loop/ses_b
	status_is 0 session gc
	gone_worktree ses_b
	[ "$(git log -1 --format=%s refs/loop/saved/ses_b)" = loose ]
}

@test "gc keeps a change that git was told not to see" {
	abandoned ses_a
	local tree=$LOOP_DIR/worktrees/ses_a
	git -C "$tree" add -A && git -C "$tree" commit -q -m work
	git -C "$tree" update-index --assume-unchanged tea.txt
	git update-ref -d refs/loop/saved/ses_a
	echo hidden >"$tree/tea.txt"
	status_is 0 session gc
	gone_worktree ses_a
	[ "$(git show refs/loop/saved/ses_a:tea.txt)" = hidden ]
}

@test "gc keeps what it cannot prove: another state saved, other repositories, folders that git does not know" {
	abandoned ses_a
	local trees=$LOOP_DIR/worktrees
	echo more >>"$trees/ses_a/tea.txt"
	abandoned ses_b
	git init -q "$trees/ses_b/inner"
	git -C "$trees/ses_b/inner" commit -q --allow-empty -m x
	git update-ref -d refs/loop/saved/ses_b
	abandoned ses_c
	rm "$trees/ses_c/.git"
	mkdir "$trees/ses_d" outside
	touch "$trees/ses_d/x" outside/x
	ln -s ../../outside "$trees/ses_e"
	git worktree add -q elsewhere
	status_is 0 session gc -v
	has "$output" 'kept worktree ses_a'
	has "$output" 'something else'
	has "$output" 'another repository'
	[ "$(grep -c 'git does not know it' <<<"$output")" = 2 ]
	[ -e "$trees/ses_a/tea.txt" ] && [ -e "$trees/ses_b/inner" ] && [ -e "$trees/ses_c/tea.txt" ]
	[ -e "$trees/ses_d/x" ] && [ -e outside/x ] && [ -e elsewhere/.git ]
}

@test "gc keeps what is in use: by its lock, a session, a run, a process" {
	abandoned ses_a
	local trees=$LOOP_DIR/worktrees owner
	exec 8<"$trees/ses_a"
	flock 8
	status_is 0 session gc -v
	has "$output" 'holds its lock'
	exec 8>&-
	start sh -c "cd '$trees/ses_a' && exec sleep 60"
	wait_for 80 test "/proc/$started/cwd" -ef "$trees/ses_a"
	status_is 0 session gc -v
	has "$output" "process $started works in it"
	kill -KILL "$started"
	wait "$started" || true
	owner=$(jq -n --argjson pid "$$" --argjson start "$(cut -d' ' -f22 /proc/$$/stat)" \
		--arg boot "$(cat /proc/sys/kernel/random/boot_id)" '{pid: $pid, start: $start, boot: $boot}')
	mkdir -p "$LOOP_DIR/runs/run-a"
	jq -nc --argjson owner "$owner" --arg t "$(ago 1)" '{time: $t, run: "started", tasks: 1, plan: "p"} + $owner' >"$LOOP_DIR/runs/run-a/run.jsonl"
	local file=$LOOP_DIR/sessions/ses_a/session.json
	jq '.run = "run-a"' "$file" >s && cp s "$file" && jq '.run = "run-a"' "${file%/*}/result.json" >s && cp s "${file%/*}/result.json"
	status_is 0 session gc -v --older-than 0
	has "$output" 'its run run-a goes on'
	rm -r "$LOOP_DIR/runs"
	record ses_z 1 x
	rm "$LOOP_DIR/sessions/ses_z/result.json"
	jq --argjson owner "$owner" --arg w "$trees/ses_a" '.state = "running" | .owner = $owner | .worktree = $w' "$LOOP_DIR/sessions/ses_z/session.json" >s
	cp s "$LOOP_DIR/sessions/ses_z/session.json"
	status_is 0 session gc -v
	has "$output" 'session ses_z works in it'
	[ -e "$trees/ses_a/tea.txt" ]
	rm -r "$LOOP_DIR/sessions/ses_z"
	status_is 0 session gc
	gone_worktree ses_a
}

@test "gc removes old sessions that ended, and what an earlier gc left half done" {
	record ses_old 7200 success
	record ses_new 60 success
	lost ses_lost 7200
	record ses_held 7200 failed '{"worktree":"'"$PWD"'"}'
	mkdir -p "$LOOP_DIR/worktrees" "$LOOP_DIR/sessions/.gc-ses_x/deep"
	touch "$LOOP_DIR/worktrees/.other" "$LOOP_DIR/sessions/.gc-ses_x/deep/file"
	ln -s "$PWD/prompt" "$LOOP_DIR/sessions/ses_old/link"
	status_is 0 session gc --dry-run --older-than 1h --json
	[ "$(jq -rs 'map(select(.remove) | "\(.what) \(.name)") | join(",")' <<<"$output")" = 'session ses_old' ]
	[ -e "$LOOP_DIR/sessions/ses_old" ]
	status_is 0 session gc --older-than 1h
	has "$output" 'removed session ses_old'
	[ "$(cd "$LOOP_DIR/sessions" && printf '%s ' .[!.]* *)" = '.[!.]* ses_held ses_lost ses_new ' ]
	[ "$(ls -A "$LOOP_DIR/worktrees")" = .other ]
	[ -e prompt ]
}

@test "gc runs no program that a repository's configuration names" {
	abandoned ses_a
	printf '#!/bin/sh\ntouch %q/ran\n' "$SCRATCH" >hook
	chmod +x hook
	mkdir -p hooks
	cp hook hooks/reference-transaction
	cp hook hooks/post-checkout
	git config core.fsmonitor "$SCRATCH/hook"
	git config core.hooksPath "$SCRATCH/hooks"
	git -c core.fsmonitor=false -c core.hooksPath=/dev/null update-ref -d refs/loop/saved/ses_a
	status_is 0 session gc
	gone_worktree ses_a
	[ ! -e ran ]
}
