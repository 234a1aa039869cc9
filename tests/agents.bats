load helper
load spawn

# Plays one captured stream through the whole of loop-spawn.
replay() { # AGENT NAME END
	local file=$SOURCE_TREE/tests/fixtures/agents/$1/$2 lines='' words='' end="\"killed\":\"$3\""
	if [ -e "$file.jsonl" ]; then lines=$file.jsonl; fi
	if [ -e "$file.stderr" ]; then words="\"errors\":\"$file.stderr\","; fi
	if [[ $3 =~ ^[0-9]+$ ]]; then end="\"exit\":$3"; fi
	printf '[{"replay":"%s",%s%s}]' "$lines" "$words" "$end" >"$2.json"
	LOOP_MOCK_SCRIPT=$PWD/$2.json loop-spawn --agent "$1" --prompt prompt --session "$2" 2>/dev/null || true
}

# All of an agent; what each came to is what the table says.
replay_table() { # AGENT
	local table=$SOURCE_TREE/tests/cases/agents/$1.tsv name end n=0
	stand_in "$1"
	while IFS=$'\t' read -r name end _; do
		replay "$1" "$name" "$end" &
		((++n % 4)) || wait
	done < <(grep -v '^#' "$table")
	wait
	((n > 10))
	jq -r '[.session, .reason, (.usage | .input, .output, .cache_read, .cache_write),
		(.cost_usd | if . then . * 1e6 | round / 1e6 else "null" end)] | map(tostring) | join("\t")' \
		"$LOOP_DIR"/sessions/*/result.json | sort >got
	grep -v '^#' "$table" | cut -f 1,3- | sort | diff - got
}

@test "every captured claude stream comes to its reason" {
	replay_table claude
}

@test "every captured codex stream comes to its reason" {
	replay_table codex
	jq -es 'map(select(.agent == "codex" and .success and .usage.input == 350 and .cost_usd == null)) | length > 0' \
		"$LOOP_DIR"/sessions/*/result.json
}

@test "every captured gemini stream comes to its reason" {
	replay_table gemini
}

@test "every captured opencode stream comes to its reason" {
	replay_table opencode
}

# Every shape of line that an agent has been seen to write, and one of each kind with each of its members
# taken away and made something else, down to the third level; then what is no line of its at all.
mutants() { # AGENT
	cat "$SOURCE_TREE/tests/fixtures/agents/$1/"*.jsonl | jq -Rc '
		def kind: [.type, .subtype?, (.item?.type?), (.message?.content? | arrays | .[0].type?)];
		def changed($path): delpaths([$path]),
			(null, true, -1, "", "x", [], [1], {}, {"a": [null]}) as $value | setpath($path; $value);
		[inputs | fromjson? | objects] | unique_by([kind, [paths | map(strings)]]) | .[:150]
		| (.[] | ., . + {brand_new: {deep: [1]}}),
			([.[] | {line: ., path: (paths | select(length <= 3))}] | unique_by([(.line | kind), .path])[]
				| .path as $path | .line | changed($path))
		| {out: .}' 2>/dev/null || true
	printf '%s\n' '{"out":null}' '{"out":[]}' '{"out":"x"}' '{"out":3}' '{"text":""}' '{"text":"{\"type\": 3}"}' \
		'{"err":""}' '{"err":"\u0000"}' '{}' '{"else":1}' '{"end":{"status":1,"signal":0}}'
}

@test "whatever a version of an agent writes, its map lives on" {
	local agent n
	for agent in claude codex gemini opencode; do
		mutants "$agent" >lines
		n=$(wc -l <lines)
		((n > 400))
		jq -nc -L "$SOURCE_TREE/share/agents" -f "$SOURCE_TREE/share/agents/$agent/map.jq" <lines >events 2>errors || {
			echo "$agent, $n lines: $(tail -n 3 errors)" >&2
			return 1
		}
		if jq -e 'select((.type | type != "string") or .of == "unreadable")' events; then return 1; fi
	done
}

# The map of an agent as a function of a list of lines, and behind it the mutants of captured streams.
mutation() { # AGENT
	mkdir -p "$1"
	sed 's/foreach inputs as/foreach .[] as/' "$SOURCE_TREE/share/agents/common.jq" >"$1/common.jq"
	{
		sed 's/^each_line(/def mapped: &/' "$SOURCE_TREE/share/agents/$1/map.jq"
		echo ';'
		cat "$SOURCE_TREE/tests/mutants.jq"
	} >"$1/map.jq"
}

# Each captured stream of an agent as one line: {name, status, signal, lines}.
streams() { # AGENT
	(cd "$SOURCE_TREE/tests/fixtures/agents/$1" && grep -a '' /dev/null ./*.jsonl) |
		jq -Rnc --rawfile table "$SOURCE_TREE/tests/cases/agents/$1.tsv" '
		($table | [splits("\n") | select(test("^[^#]")) | split("\t") | {(.[0]): .[1]}] | add) as $how
		| reduce inputs as $text ({}; ($text | index(".jsonl:")) as $n | .[$text[2:$n]] += [$text[$n + 7:]])
		| to_entries[] | $how[.key] as $how | select($how)
		| {name: .key, status: ($how | tonumber? // 0), signal: ($how | if test("^[0-9]") then 0 else 9 end),
			lines: [.value[] | . as $text | ([fromjson?] | map({out: .})[0]) // {text: $text}]}'
}

@test "a stream with something missing is no success, and tells no more than it did" {
	local agent
	for agent in claude codex gemini opencode; do
		mutation "$agent"
		streams "$agent" >"$agent.streams"
		(($(wc -l <"$agent.streams") > 7))
		jq -nr -L "$agent" --argjson all "${MUTANTS:-0}" -f "$agent/map.jq" "$agent.streams" >"$agent.wrong" &
	done
	wait
	for agent in claude codex gemini opencode; do
		[ "$(tail -n 1 "$agent.wrong" | cut -d' ' -f2-)" = 'mutants, 0 wrong' ] || {
			echo "$agent:" "$(cut -c1-300 "$agent.wrong")" >&2
			return 1
		}
	done
}

# heard AGENT EXIT-STATUS: the lines of stdin as this agent's; its reason, tokens, cost and last message.
heard() {
	stand_in "$1"
	cat >heard.jsonl
	jq -n --argjson exit "$2" '[{replay: "heard.jsonl", exit: $exit}]' >"$LOOP_MOCK_SCRIPT"
	loop-spawn --agent "$1" --prompt prompt --json 2>/dev/null |
		jq -r '"\(.reason) \(.usage | "\(.input) \(.output) \(.cache_read)") \(.cost_usd) \(.final)"'
}

@test "other versions of the agents are understood" {
	# codex before it had threads
	[ "$(heard codex 0 <<-'END'
		{"model":"gpt-5","provider":"openai","sandbox":"read-only"}
		{"prompt":"do it"}
		{"id":"0","msg":{"type":"task_started"}}
		{"id":"0","msg":{"type":"exec_command_begin","call_id":"c1","command":["bash","-lc","ls"]}}
		{"id":"0","msg":{"type":"exec_command_end","call_id":"c1","exit_code":2}}
		{"id":"0","msg":{"type":"token_count","info":{"total_token_usage":{"input_tokens":500,"cached_input_tokens":200,"output_tokens":30}}}}
		{"id":"0","msg":{"type":"agent_message","message":"Done so."}}
		{"id":"0","msg":{"type":"task_complete","last_agent_message":"Done so."}}
	END
	)" = 'success 300 30 200 null Done so.' ]
	[ "$(heard codex 0 <<-'END'
		{"id":"0","msg":{"type":"error","message":"exceeded retry limit, last status: 429 Too Many Requests"}}
		{"id":"0","msg":{"type":"task_complete","last_agent_message":null}}
	END
	)" = 'quota 0 0 0 null null' ]
	# codex when items had an item_type
	[ "$(heard codex 0 <<-'END'
		{"type":"session.created","session_id":"s"}
		{"type":"item.completed","item":{"id":"item_0","item_type":"assistant_message","text":"Hi."}}
		{"type":"turn.completed","usage":{"input_tokens":10,"output_tokens":5}}
	END
	)" = 'success 10 5 0 null Hi.' ]
	# gemini when its sums had one kind of input
	[ "$(heard gemini 0 <<-'END'
		{"type":"init","session_id":"s","model":"m"}
		{"type":"message","role":"model","content":[{"text":"Hi"}],"delta":true}
		{"type":"result","status":"success","stats":{"total_tokens":15,"input_tokens":10,"output_tokens":5}}
	END
	)" = 'success 10 5 0 null Hi' ]
	# claude with other names, messages and errors
	[ "$(heard claude 0 <<-'END'
		{"type":"system","subtype":"init","sessionId":"s"}
		{"type":"assistant","message":"A plain text."}
		{"type":"result","subtype":"success","cost_usd":0.25,"is_error":false,"result":[{"type":"text","text":"An array"}]}
	END
	)" = 'success 0 0 0 0.25 An array' ]
	[ "$(heard claude 1 <<-'END'
		{"type":"system","subtype":"init","session_id":"s"}
		{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}
	END
	)" = 'transient 0 0 0 null null' ]
	[ "$(heard claude 1 <<<'Claude AI usage limit reached|2000000000')" = 'quota 0 0 0 null null' ]
	[ "$(result .resets_at)" = 2033-05-18T03:33:20.000000Z ]
	# A time of the day that has just come is not tomorrow's.
	[ "$(heard claude 1 <<<"Session limit reached - resets $(date -u -d '5 minutes ago' +%-I:%M%P) (UTC)")" = 'quota 0 0 0 null null' ]
	(($(date -d "$(result .resets_at)" +%s) < $(date +%s)))
	[ "$(heard opencode 0 <<-'END'
		{"type":"step_finish","sessionID":"s","part":{"reason":"stop","tokens":{"input":10,"output":5,"cache":{"read":1,"write":0}}}}
	END
	)" = 'success 10 5 1 null null' ]
}

# A program on the PATH that has a version and a help, and writes down how it was called.
older() { # NAME HELP
	mkdir -p package/dist bin
	cat >package/dist/index.js <<-END
		#!/bin/sh
		case \$1 in
		--version) echo "\$VERSION" ;;
		--help) echo '$2' ;;
		*) echo "\$*" >called ;;
		esac
	END
	chmod +x package/dist/index.js
	ln -s ../package/dist/index.js "bin/$1"
}

called() { # NAME VERSION: the options that it is given
	printf '{\n  "version": "%s"\n}\n' "$2" >package/package.json
	VERSION=$2 PATH=$PWD/bin:$PATH "$SOURCE_TREE/share/agents/$1/run" && cat called
}

@test "an older version of an agent is given the options that it has" {
	local all
	echo 'Be kind.' >system
	export LOOP_AGENT_SESSION=uuid LOOP_BUDGET_LEFT=5 LOOP_SYSTEM_PROMPT_FILE=$PWD/system
	older claude '--session-id <uuid>  --permission-mode <mode>  (choices: "default", "plan")'
	[ "$(called claude 2.0.0)" = "$(called claude 2.1.0 | sed 's/--max-budget-usd 5 //; s/ --strict-mcp-config//
		s/--append-system-prompt-file [^ ]*/--append-system-prompt Be kind./; s/dontAsk/default/')" ]
	has "$(called claude 3.0.0)" '--max-budget-usd 5 --append-system-prompt-file'
	unset LOOP_SYSTEM_PROMPT_FILE
	older gemini ''
	all=$(called gemini 0.41.0)
	has "$all" ' --session-id uuid'
	[ "$(called gemini 1.0.0)" = "$all" ]
	[ "$(called gemini 0.40.1)" = "${all/ --session-id uuid/}" ]
	status_is 126 called gemini 0.10.0
	has "$stderr" 'version 0.10 has no --output-format stream-json; 0.11 or newer is needed'
	export LOOP_RESUME=uuid
	has "$(called gemini 0.15.3)" '--resume uuid'
	status_is 126 called gemini 0.14.0
}

@test "a success is the last word" {
	[ "$(heard claude 0 <<-'END'
		{"type":"result","subtype":"success","is_error":false,"result":"first"}
		{"type":"assistant","message":{"id":"m2","content":[{"type":"text","text":"and then"}]}}
	END
	)" = 'malformed 0 0 0 null and then' ]
	[ "$(heard claude 0 <<-'END'
		{"type":"result","subtype":"success","is_error":false,"result":"first"}
		{"type":"assistant","parent_tool_use_id":"t1","message":{"id":"m2","content":[{"type":"text","text":"of a helper"}]}}
	END
	)" = 'success 0 0 0 null first' ]
	[ "$(heard claude 0 <<<'{"type":"result"}')" = 'malformed 0 0 0 null null' ]
	[ "$(heard claude 0 <<-'END'
		{"type":"result","subtype":"success","is_error":false,"total_cost_usd":0.5,"usage":{"input_tokens":1}}
		{"type":"result","subtype":"success","is_error":false,"usage":{"input_tokens":1}}
	END
	)" = 'success 2 0 0 null null' ]
}

# Plays one row of the table of reasons in a dialect.
play() { # NUMBER DIALECT REASON STATUS OPTIONS SCRIPT
	local status=0 reason=none
	local -a options
	read -r -a options <<<"$5"
	printf '%s' "$6" >"$1-$2.script"
	LOOP_MOCK_SCRIPT=$PWD/$1-$2.script loop-spawn --agent "$2" --prompt prompt --session "row-$1-$2" "${options[@]}" 2>/dev/null || status=$?
	if [[ $(<"$LOOP_DIR/sessions/row-$1-$2/result.json") =~ \"reason\":\ *\"([a-z_]+)\" ]]; then reason=${BASH_REMATCH[1]}; fi
	[ "$reason $status" = "$3 $4" ] || echo "$2, $6: $reason $status, not $3 $4" >>wrong
}

@test "every reason can be played in every dialect" {
	local n=0 reason status dialects options script dialect
	for dialect in claude codex gemini; do stand_in "$dialect" "$dialect"; done
	while IFS=$'\x1f' read -r reason status dialects options script; do
		for dialect in ${dialects/'*'/claude codex gemini}; do
			play "$n" "$dialect" "$reason" "$status" "$options" "$script" &
			((++n % 4)) || wait
		done
	done < <(grep -v '^#' "$SOURCE_TREE/tests/cases/reasons.tsv" | tr '\t' '\037')
	wait
	if [ -e wrong ]; then cat wrong; fi
	[ ! -e wrong ]
	sed -n '/^\.Sh EXIT STATUS/,/^\.El/s/^\.It \([a-z_]*\) Ta.*/\1/p' "$SOURCE_TREE/cmd/loop-spawn/loop-spawn.1" | sort >documented
	jq -r .reason "$LOOP_DIR"/sessions/*/result.json | sort -u | diff documented -
}
