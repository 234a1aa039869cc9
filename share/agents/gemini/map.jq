# gemini --output-format stream-json as neutral events. Its retries are words on stderr, its tools have
# no exit status, and its messages come in pieces.

include "common";

def speaks: .role == "assistant" or .role == "model";

def on_message($e): if $e | speaks | not then say({type: "activity", of: "message"}) else
	act | say({type: "message", text: ($e.content | texts), piece: .speaking}) | .speaking = true | .answered = true end;

# "input" is without what came from the cache; older versions have only "input_tokens", with it.
def on_stats($s): if ($s | type) != "object" then . else ($s.cached? | number) as $cached |
	say({type: "usage", input: ($s | if .input == null then .input_tokens | number | less($cached) else .input | number end),
		output: ($s.output_tokens? | number), cache_read: $cached, cache_write: 0, turns: .turns}) end;

# "[API Error: {"error":{"code":401,…}}]"
def http: (capture("\"code\":(?<code>[0-9]{3})")? | .code | tonumber) // null;

def by_type: {FatalTurnLimitedError: "max_turns", FatalAuthenticationError: "auth",
	FatalUntrustedWorkspaceError: "permission"}[tostring];

def words: .error? | if type == "string" then . else .message? | texts end;

def reason: words as $words | (.error? | members) as $error |
	($error.type | by_type)
	// ([$error.code?, ($words | http)] | map(numbers) | .[0] // null | if . then by_http else null end)
	// ($words | by_words) // (if .status? == null and $words == "" then "malformed" else "failed" end);

# The first versions with this format end so too when the service refused them, and say on stderr only that it did.
def is_empty($state): ($state.answered or (.stats?.output_tokens? | number) > 0) | not;

def on_result($e): . as $s
	| if $e.status != "success" or $e.error? != null then .result = true | say(failure($e | reason; $e | words))
		elif $e | is_empty($s) then .unanswered = true
		else .result = true | say({type: "result", ok: true, reason: "success"}) end
	| on_stats($e.stats?);

def on_line: .in as $e | (if $e | members | .type == "message" then . else .speaking = false end) |
	if ($e | type) != "object" then say({type: "activity", of: "line"})
	elif $e.type == "init" then say({type: "session.started", agent_session: ($e.session_id // $e.sessionId), model: $e.model})
	elif $e.type == "message" then on_message($e)
	elif $e.type == "tool_use" then .answered = true | act | say({type: "tool.started", id: $e.tool_id, name: $e.tool_name, input: ($e.parameters? | summary)})
	elif $e.type == "tool_result" then tool_came_back | say({type: "tool.finished", id: $e.tool_id, ok: ($e.status == "success" and $e.error? == null)})
	elif $e.type == "result" then on_result($e)
	elif $e.type == "error" then .noise = ($e.message? | texts) | say({type: "activity", of: "error"})
	else say({type: "activity", of: ($e.type? // "line" | tostring)}) end;

def on_error: .in as $words
	| (if $words | test("^(Warning:|YOLO mode|\\s|\\}|$)") then . else .errors = $words end)
	| (($words | capture("Retrying after (?<ms>[0-9]+)ms")? | .ms | tonumber) // null) as $ms
	| if $ms then say({type: "retry", delay_ms: $ms}) else . end;

# Statuses of its own, where it did not get as far as a result.
def by_exit: {"41": "auth", "53": "max_turns", "55": "permission", "130": "failed"}[tostring];

def on_end: if .unanswered and (.result | not)
	then say(failure((.errors | by_words) // "failed"; .errors // "the model has not answered"))
	else end_in_words(.in.status | by_exit) end;

each_line({speaking: false, turns: 0}; on_line; on_error; on_end)
