# opencode run --format json as neutral events. It has no start and no result of its own: the last
# step's reason and the exit status make one. Tools are told when they have finished.

include "common";

def started($e): if .started then . else .started = true | say({type: "session.started", agent_session: $e.sessionID}) end;

def on_tool($p): ($p.state? | members) as $s |
	say({type: "tool.started", id: $p.callID, name: $p.tool, input: ($s.input? | summary)})
	| say({type: "tool.finished", id: $p.callID, name: $p.tool, ok: ($s.status == "completed" and (($s.metadata?.exit? // 0) == 0)), exit: $s.metadata?.exit?});

def on_finish($p): ($p.tokens | members) as $t | ($t.cache | members) as $cache
	| .reason = $p.reason | .turns += 1 | .input += ($t.input | number) | .output += ($t.output | number)
	| .cache_read += ($cache.read | number) | .cache_write += ($cache.write | number)
	| .costs += [$p.cost? | money]
	| say({type: "usage", input, output, cache_read, cache_write, turns, cost_usd: (if .costs | all(. != null) then .costs | add else null end)});

def on_error_event($e): ($e.error? // {}) as $error | ($error.data? // {}) as $d
	| ([$error | strings, $d.message?, $error.message?, $error.name?, $e.message?] | map(strings) | .[0] // "") as $words
	| ((($d.responseHeaders? // {})["retry-after"]? // null) | if type == "string" then tonumber? // null else null end) as $after
	| (($d.statusCode? | if type == "number" then by_http else null end) // ($words | by_words) // "failed") as $reason
	| .failed = failure($reason; $words) + (if $after then {reset_at: (now + $after | floor)} else {} end)
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

def on_error_line: .in as $words
	| if $words | matches("permission requested.*reject") then .denied = ($words | cut(300)) | say({type: "denied"}) else .errors = $words end;

def on_end: .in as $e |
	if .failed then say(.failed)
	elif $e.status == 0 and $e.signal == 0 and .reason == "stop" then say({type: "result", ok: true, reason: "success"})
	elif $e.status == 0 and .denied then say({type: "result", ok: false, reason: "permission", message: .denied})
	else end_in_words(null) end;

each_line({input: 0, output: 0, cache_read: 0, cache_write: 0, costs: [], turns: 0}; on_line; on_error_line; on_end)
