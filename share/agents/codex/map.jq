# codex exec --json as neutral events. It tells no cost, and its sums of tokens are the thread's. An
# item of type "error" is a warning, and a top-level "error" a retry: only turn.failed is a failure.

include "common";

def on_item($e; $done): ($e.item? | members) as $i |
	if $i.type == "agent_message" then (if $done then act | say({type: "message", text: ($i.text | texts)}) else . end)
	elif $i.type == "command_execution" or $i.type == "file_change" or $i.type == "mcp_tool_call" or $i.type == "web_search" then
		(($i.command? // $i.tool? // $i.type) | tostring | cut(200)) as $what |
		if $done then
			(if .open[$i.id | tostring] then . else act | say({type: "tool.started", id: $i.id, name: $i.type, input: $what}) end)
			| .open[$i.id | tostring] = false | tool_came_back
			| say({type: "tool.finished", id: $i.id, name: $i.type, ok: ($i.status != "failed"), exit: $i.exit_code?})
		else .open[$i.id | tostring] = true | act | say({type: "tool.started", id: $i.id, name: $i.type, input: $what}) end
	else say({type: "activity", of: "item/\($i.type? // "")"}) end;

def on_usage($u): say({type: "usage", of: "conversation", turns: .turns,
		input: (($u.input_tokens? | number) - ($u.cached_input_tokens? | number)), output: ($u.output_tokens? | number),
		cache_read: ($u.cached_input_tokens? | number), cache_write: ($u.cache_write_input_tokens? | number)});

# The message may be a whole JSON error as text.
def words: if type != "string" then "" else ((fromjson? | .error?.message? | strings) // .) end;

def on_failure($words): say({type: "result", ok: false, reason: ($words | by_words // "failed"),
	message: ($words | cut(300)), reset_at: ($words | reset_in_words)});

def on_line: .in as $e |
	if ($e | type) != "object" then say({type: "activity", of: "line"})
	elif $e.type == "thread.started" then say({type: "session.started", agent_session: $e.thread_id})
	elif $e.type == "item.started" then on_item($e; false)
	elif $e.type == "item.completed" then on_item($e; true)
	elif $e.type == "turn.completed" then .result = true | say({type: "result", ok: true, reason: "success"}) | on_usage($e.usage? // {})
	elif $e.type == "turn.failed" then .result = true | on_failure($e.error?.message? | words)
	else say({type: "activity", of: ($e.type? // "line" | tostring)}) end;

def on_end: .in as $e | if .result or $e.status == 0 then . else
	.errors as $errors | ($errors | by_words) as $why | if $why then on_failure($errors) else . end end;

each_line({open: {}, turns: 0, errors: ""}; on_line; say({type: "activity", of: "noise"}); .errors = .in; on_end)
