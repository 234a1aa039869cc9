# opencode run --format json as neutral events. It has no start and no result of its own: the last
# step's reason and the exit status make one. Tools are told when they have finished.

include "common";

def started($e): if .started then . else .started = true | say({type: "session.started", agent_session: $e.sessionID}) end;

def on_tool($p): ($p.state? | members) as $s |
	say({type: "tool.started", id: $p.callID, name: $p.tool, input: ($s.input? | summary)})
	| say({type: "tool.finished", id: $p.callID, name: $p.tool, ok: ($s.status == "completed" and (($s.metadata?.exit? // 0) == 0)), exit: $s.metadata?.exit?});

def on_finish($p): .reason = $p.reason | .turns += 1
	| .input += ($p.tokens?.input? | number) | .output += ($p.tokens?.output? | number)
	| .cache_read += ($p.tokens?.cache?.read? | number) | .cache_write += ($p.tokens?.cache?.write? | number)
	| (if ($p.cost? | type) == "number" then .cost += $p.cost else . end)
	| say({type: "usage", input, output, cache_read, cache_write, turns, cost_usd: .cost});

def on_error_event($e): ($e.error? // {}) as $error | ($error.data? // {}) as $d
	| ($d.message? // $error.name? // "" | tostring) as $words
	| ((($d.responseHeaders? // {})["retry-after"]? // null) | if type == "string" then tonumber? // null else null end) as $after
	| .failed = {type: "result", ok: false, message: ($words | cut(300)),
		reason: (($d.statusCode? | if type == "number" then by_http else null end) // ($words | by_words) // "failed"),
		reset_at: (if $after then now + $after | floor else null end)}
	| say({type: "error", message: ($words | cut(300))});

def on_line: .in as $e |
	if ($e | type) != "object" then say({type: "activity", of: "line"})
	else started($e) |
		if $e.type == "text" then say({type: "message", text: ($e.part?.text? | texts)})
		elif $e.type == "tool_use" then on_tool($e.part? | members)
		elif $e.type == "step_finish" then on_finish($e.part? | members)
		elif $e.type == "error" then on_error_event($e)
		else say({type: "activity", of: ($e.type? // "line" | tostring)}) end
	end;

def plain: gsub("\u001b\\[[0-9;]*m"; "");

def on_error_line: (.in | plain) as $words
	| if $words | matches("permission requested.*reject") then .denied = ($words | cut(300)) | say({type: "denied"}) else .errors = $words end;

def on_end: .in as $e |
	if .failed then say(.failed)
	elif $e.status == 0 and $e.signal == 0 and .reason == "stop" then say({type: "result", ok: true, reason: "success"})
	elif $e.status == 0 and .denied then say({type: "result", ok: false, reason: "permission", message: .denied})
	elif $e.status == 0 then .
	else .errors as $errors | ($errors | by_words) as $why
		| if $why then say({type: "result", ok: false, reason: $why, message: ($errors | cut(300))}) else . end
	end;

each_line({input: 0, output: 0, cache_read: 0, cache_write: 0, cost: 0, turns: 0, errors: ""};
	on_line; say({type: "activity", of: "noise"}); on_error_line; on_end)
