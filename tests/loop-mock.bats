load helper

play() { # SCRIPT [ARGUMENT...]: the script as JSON on the command line
	printf '%s' "$1" >script.json
	shift
	loop-mock --script script.json "$@"
}

types() {
	jq -r '.type + (if .subtype then "/" + .subtype else "" end)' | tr '\n' ' '
}

@test "without a script it says Done and succeeds, in each dialect" {
	[ "$(loop-mock </dev/null | types)" = "system/init assistant result/success " ]
	[ "$(loop-mock --dialect codex </dev/null | types)" = "thread.started turn.started item.completed turn.completed " ]
	[ "$(loop-mock --dialect gemini </dev/null | types)" = "init message result " ]
	[ "$(loop-mock --dialect text </dev/null)" = Done. ]
}

@test "writes, appends and runs for real, and tells it as tool calls" {
	play '[{"write":"a/b.txt","content":"one\n"},{"append":"a/b.txt","content":"two\n"},{"run":"cat a/b.txt; exit 3"}]' </dev/null >out
	[ "$(cat a/b.txt)" = "$(printf 'one\ntwo')" ]
	[ "$(jq -r '.message.content[]? | select(.type == "tool_use") | .name' out | tr '\n' ' ')" = "Write Edit Bash " ]
	has "$(jq -r 'select(.type == "user") | .message.content[0] | select(.is_error) | .content' out)" $'Exit code 3\none\ntwo'
}

@test "variables come from the environment, the prompt and the attempt" {
	echo 'Please create the file hello.txt now' |
		LOOP_SUBJECT=PRD/US-1 play '[{"write":"${match:file ([a-z.]+)}","content":"${STORY} ${ATTEMPT} ${NO_SUCH}"}]' --attempt 2 >out
	[ "$(cat hello.txt)" = 'US-1 2 ${NO_SUCH}' ]
}

@test "a value never becomes shell text" {
	PROMPT_FILE=prompt
	printf '"; touch evil; echo "' >prompt
	play '[{"run":"printf %s \"$PROMPT\" >got"}]' <prompt >out
	[ ! -e evil ]
	cmp prompt got
}

@test "a folder of scripts is chosen from by story and attempt" {
	mkdir scripts
	echo '{"text":"first"}' >scripts/US-1.1.json
	echo '{"text":"later"}' >scripts/US-1.json
	echo '{"text":"any"}' >scripts/default.json
	text() { loop-mock --dialect text --script scripts "$@" </dev/null; }
	[ "$(text --story US-1 --attempt 1)" = first ]
	[ "$(text --story US-1 --attempt 2)" = later ]
	[ "$(text --story ../US-1)" = any ]
	rm scripts/default.json
	status_is 66 text --story US-2
	has "$stderr" "no script for story 'US-2'"
}

@test "steps are for attempts: fails first, passes on its retry" {
	local script='[{"result":"no","reason":"failed","attempt":1},{"text":"yes","attempt":[2,3]}]'
	status_is 1 play "$script" --attempt 1 </dev/null
	has "$output" '"subtype":"error_during_execution"'
	status_is 0 play "$script" --attempt 3 </dev/null
	has "$output" '"text":"yes"'
}

@test "misbehaves as it is told" {
	status_is 7 play '[{"exit":7}]' </dev/null
	status_is 139 play '[{"signal":"SEGV"}]' </dev/null
	[ "$(play '[{"raw":"no json"},{"torn":"{\"half"},{"exit":0}]' </dev/null | tail -n 1)" = '{"half' ]
	[ "$(play '[{"line":"1M"}]' </dev/null | wc -c)" -gt 1048576 ]
	[ "$(play '[{"flood":"1M"}]' </dev/null | wc -l)" -gt 1000 ]
	echo '[{"ignore":"TERM"},{"stderr":"deaf"},{"stall":true}]' >deaf.json
	start loop-mock --script deaf.json </dev/null >/dev/null 2>err
	wait_for 20 grep -q deaf err
	kill "$started"
	sleep 0.1
	kill -0 "$started"
}

@test "limits, retries, usage and turns are told as claude tells them" {
	play '[{"retry":{"status":429,"error":"rate_limit","delay":"1ms"}},{"limit":{"resets_in":"1h"}},
		{"usage":{"input":10,"output":5,"cost":0.25}},{"result":"","reason":"rate_limit"}]' </dev/null >out || true
	jq -es 'map(select(.subtype == "api_retry"))[0] | .retry_delay_ms == 1 and .error_status == 429' out
	jq -es 'map(select(.type == "rate_limit_event"))[0] | .rate_limit_info | .status == "rejected" and .resetsAt > now' out
	jq -es 'map(select(.type == "result"))[0] | .is_error and .total_cost_usd == 0.25 and .api_error_status == 429' out
	status_is 1 play '[{"text":"a"},{"text":"b"},{"text":"c"}]' --max-turns 2 </dev/null
	has "$output" error_max_turns
}

@test "a script that is wrong is refused with its place" {
	status_is 65 play '{"text":' </dev/null
	has "$stderr" 'script.json: line 1'
	status_is 65 play '[{"dance":true}]' </dev/null
	has "$stderr" 'none of the keys'
	status_is 65 play '[{"result":"x","reason":"moody"}]' </dev/null
	has "$stderr" "'moody' is no reason"
}

@test "a budget ends it as claude's does" {
	status_is 1 play '[{"usage":{"cost":0.25}},{"text":"a"},{"usage":{"cost":0.5}},{"text":"never"}]' --budget 0.5 </dev/null
	has "$output" error_max_budget_usd
	[[ $output != *never* ]]
}

@test "an edit is real, and fails where there is nothing to edit" {
	echo 'one two' >file
	play '[{"edit":"file","old":"two","new":"three"},{"edit":"file","old":"four","new":"five"}]' </dev/null >out
	[ "$(cat file)" = 'one three' ]
	[ "$(jq -c '.message.content[]? | select(.type == "tool_result") | .is_error' out | tr '\n' ' ')" = 'false true ' ]
}

@test "steps by their other names" {
	status_is 139 play '[{"say":"hello"},{"sleep":"1ms"},{"garbage":true},{"huge":"1K"},{"crash":true}]' </dev/null
	has "$output" '"text":"hello"'
	has "$output" '<html>'
	play '[{"spawn-daemon":"pid"},{"say":"x"}]' </dev/null >out
	wait_for 40 test -s pid
	kill -KILL "$(cat pid)"
}

# The adapters as they are, on programs of these names that are loop-mock.
@test "under an agent's name it takes what the adapter passes" {
	local agent
	mkdir bin
	for agent in claude codex gemini; do ln -s "$(command -v loop-mock)" "bin/$agent"; done
	export PATH=$PWD/bin:$PATH LOOP_MOCK_SCRIPT=$PWD/script.json
	echo 'do it' >prompt
	echo 'be kind' >system
	printf '[{"say":"hm"},{"usage":{"input":10,"output":5,"cost":0.1}},{"result":"","reason":"server","attempt":1},{"say":"done"}]' >script.json
	for agent in claude codex gemini; do
		loop-spawn --agent "$agent" --prompt prompt --system system --model m1 --tools Bash --max-turns 9 --budget 5 \
			--retry 1 --retry-delay 1ms --json >"$agent.json"
		jq -e '.success and (.final | endswith("done")) and (.attempts | length) == 2 and .usage.output > 0' "$agent.json"
		LOOP_ATTEMPT=2 loop-spawn --agent "$agent" --prompt prompt --resume "$(jq -r .session "$agent.json")"
	done
	status_is 1 claude --no-such </dev/null
	has "$stderr" "unknown option '--no-such'"
	printf '[{"limit":{"resets_in":"2h"}},{"result":"","reason":"rate_limit"}]' >script.json
	for agent in claude codex; do
		status_is 113 loop-spawn --agent "$agent" --prompt prompt --json
		jq -e '(.resets_at | sub("\\..*"; "Z") | fromdate) - now | . > 7000 and . < 7300' <<<"$output"
	done
}
