# gemini --output-format stream-json as neutral events. Its retries are words on stderr, its tools have
# no exit status, and its messages come in pieces.

include "common";

def on_message($e): if $e.role != "assistant" then say({type: "activity", of: "message"}) else
	say({type: "message", text: ($e.content | texts), piece: .speaking}) | .speaking = true end;

def on_stats($s): if ($s | type) == "object" then say({type: "usage", input: ($s.input? | number), output: ($s.output_tokens? | number),
	cache_read: ($s.cached? | number), cache_write: 0, turns: .turns}) else . end;

# "[API Error: {"error":{"code":401,…}}]"
def http: (capture("\"code\":(?<code>[0-9]{3})")? | .code | tonumber) // null;

def reason: (.error? // {}) as $error | ($error.message? | texts) as $words |
	if $error.type == "FatalTurnLimitedError" then "max_turns"
	else (($words | http) as $code | if $code then $code | by_http else null end) // ($words | by_words) // "failed" end;

def on_result($e): .result = true
	| (if $e.status == "success" then say({type: "result", ok: true, reason: "success"})
	else say({type: "result", ok: false, reason: ($e | reason), message: ($e.error?.message? | texts | cut(300)),
		reset_at: ($e.error?.message? | texts | reset_in_words)}) end)
	| on_stats($e.stats?);

def on_line: .in as $e | (if $e.type? == "message" then . else .speaking = false end) |
	if ($e | type) != "object" then say({type: "activity", of: "line"})
	elif $e.type == "init" then say({type: "session.started", agent_session: $e.session_id, model: $e.model})
	elif $e.type == "message" then (if $e.role == "assistant" then act else . end) | on_message($e)
	elif $e.type == "tool_use" then act | say({type: "tool.started", id: $e.tool_id, name: $e.tool_name, input: ($e.parameters? | summary)})
	elif $e.type == "tool_result" then tool_came_back | say({type: "tool.finished", id: $e.tool_id, ok: ($e.status == "success")})
	elif $e.type == "result" then on_result($e)
	else say({type: "activity", of: ($e.type? // "line" | tostring)}) end;

def on_error: .in as $words
	| (if $words | test("^(Warning:|YOLO mode|\\s|\\}|$)") then . else .errors = $words end)
	| (($words | capture("Retrying after (?<ms>[0-9]+)ms")? | .ms | tonumber) // null) as $ms
	| if $ms then say({type: "retry", delay_ms: $ms}) else . end;

# Statuses of its own, where it did not get as far as a result.
def by_exit: {"41": "auth", "53": "max_turns", "55": "permission", "130": "failed"}[tostring];

def on_end: .in as $e | if .result or $e.status == 0 then . else
	.errors as $errors | (($e.status | by_exit) // ($errors | by_words)) as $why
	| if $why then say({type: "result", ok: false, reason: $why, message: ($errors | cut(300))}) else . end end;

each_line({speaking: false, turns: 0, errors: ""}; on_line; say({type: "activity", of: "noise"}); on_error; on_end)
