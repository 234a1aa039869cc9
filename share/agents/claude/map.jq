# Claude Code's stream-json as neutral events. Every field is optional here: versions differ in
# them, and a line of a type that no rule knows is activity, nothing else.

include "common";

def blocks: (.message.content? // []) | if type == "array" then .[] | objects else empty end;

# ---- why it failed: what is typed goes before what is said in words -------------------------------

def by_class: {
	authentication_failed: "auth", oauth_org_not_allowed: "auth", account_on_hold: "auth",
	verification_required: "auth", cloud_credential_error: "auth", billing_error: "quota",
	rate_limit: "quota", overloaded: "transient", server_error: "transient",
	max_output_tokens: "context"
}[.];

def reason($state):
	(.result? // "" | texts) as $words |
	(.subtype? // "") as $subtype | (.terminal_reason? // "") as $terminal |
	if $subtype == "error_max_turns" or $terminal == "max_turns" then "max_turns"
	elif $subtype == "error_max_budget_usd" or $terminal == "budget_exhausted" then "budget"
	elif $state.refused or (.stop_reason? // "") == "refusal" then "refused"
	elif $terminal == "prompt_too_long" then "context"
	elif $state.rejected then "quota"
	else ($state.class | if . == null then null else by_class end)
		// ((.api_error_status? // null) | if type == "number" then by_http else null end)
		// ($words | by_words)
		// (if (.subtype? // "") == "success" and (.api_error_status? // null) == null and $terminal == "api_error" then "transient" else "failed" end)
	end;

def message: [(.result? | texts), ((.errors? // [])[]? | strings)] | map(select(. != "")) | (.[0] // "") | cut(300);

# ---- what was used --------------------------------------------------------------------------------

def add_usage($u): .input += ($u.input_tokens? | number) | .output += ($u.output_tokens? | number)
	| .cache_read += ($u.cache_read_input_tokens? | number) | .cache_write += ($u.cache_creation_input_tokens? | number);

# Sums of one result, sub-agents included where the version tells.
def result_usage: (.model_usage_since_last_result? // {}) as $models |
	if ($models | type) == "object" and ($models | length) > 0 then
		reduce $models[] as $m ({}; .input += ($m.inputTokens? | number) | .output += ($m.outputTokens? | number)
			| .cache_read += ($m.cacheReadInputTokens? | number) | .cache_write += ($m.cacheCreationInputTokens? | number))
	else {} end;

def usage_event: . as $s | {type: "usage", turns: ($s.messages | length)}
	+ ({input: 0, output: 0, cache_read: 0, cache_write: 0} as $zero
		| reduce ($s.settled, $s.live) as $u ($zero; .input += ($u.input | number) | .output += ($u.output | number)
			| .cache_read += ($u.cache_read | number) | .cache_write += ($u.cache_write | number)))
	+ (if $s.cost == null then {} else {cost_usd: $s.cost, cost_of: "conversation"} end);

# ---- the lines ------------------------------------------------------------------------------------

def on_init($e): if .started then . else .started = true
	| say({type: "session.started", agent_session: $e.session_id, model: $e.model, version: $e.claude_code_version}) end;

def on_system($e):
	if $e.subtype == "init" then on_init($e)
	elif $e.subtype == "api_retry" then say({type: "retry", delay_ms: ($e.retry_delay_ms | number | floor), class: $e.error, status: $e.error_status, attempt: $e.attempt})
	elif $e.subtype == "permission_denied" then say({type: "denied", tool: $e.tool_name})
	elif $e.subtype == "background_tasks_changed" then say({type: "background", count: ($e.tasks? | items | length)})
	elif $e.subtype == "session_state_changed" then say({type: "state", idle: ($e.state == "idle")})
	elif ($e.subtype | matches("^model_refusal")) then .refused = true | say({type: "activity", of: $e.subtype})
	else say({type: "activity", of: "system/\($e.subtype? // "")"}) end;

def on_block($e; $b):
	($e.parent_tool_use_id? != null) as $sub |
	if $b.type == "text" then say({type: "message", text: ($b.text | texts), sub: $sub}
		+ if $e.message.model? == "<synthetic>" then {synthetic: true} else {} end)
	elif $b.type == "tool_use" then .tools[$b.id | tostring] = ($b.name // "") | say({type: "tool.started", id: $b.id, name: $b.name, input: ($b.input | summary), sub: $sub})
	else say({type: "activity", of: "assistant/\($b.type? // "")"}) end;

# One line a block: the message's usage is the same in all of them.
def on_assistant($e):
	(if $e.error? then .class = ($e.error | strings) else . end)
	| ($e.message.id? // "" | tostring) as $id
	| (if .messages[$id] or ($e.message.model? == "<synthetic>") then . else .messages[$id] = true | .live |= add_usage($e.message.usage? // {})
		| say(usage_event) end)
	| reduce ($e | blocks) as $b (.; on_block($e; $b));

def exit_code: (if type == "string" then . else texts end) | (capture("^Exit code (?<n>[0-9]+)")? | .n | tonumber) // null;

def on_user($e): reduce ($e | blocks) as $b (.;
	if $b.type == "tool_result" then say({type: "tool.finished", id: $b.tool_use_id, name: (.tools[$b.tool_use_id | tostring] // ""),
		ok: ($b.is_error != true), exit: ($b.content | exit_code)})
	else say({type: "activity", of: "user/\($b.type? // "")"}) end)
	| if (.emit | length) == 0 then say({type: "activity", of: "user"}) else . end;

def on_limit($e): ($e.rate_limit_info? | members) as $i |
	if $i.status == "rejected" then .rejected = true | .reset_at = $i.resetsAt
		| say({type: "limit", kind: $i.rateLimitType, reset_at: $i.resetsAt, fatal: true})
	else say({type: "limit", kind: $i.rateLimitType, fatal: false, utilization: $i.utilization}) end;

def on_result($e):
	(if ($e.total_cost_usd? | type) == "number" then .cost = $e.total_cost_usd else . end)
	| .settled as $before
	| ($e | result_usage) as $models
	| .settled = (if ($models | length) > 0
		then reduce ($before, $models) as $u ({}; .input += ($u.input | number) | .output += ($u.output | number) | .cache_read += ($u.cache_read | number) | .cache_write += ($u.cache_write | number))
		else ($before | add_usage($e.usage? // {})) end)
	| .live = {}
	| reduce ($e.permission_denials? | items)[] as $d (.; .denials += 1)
	| if $e.is_error == true or ($e.subtype? // "success") != "success" then
		. as $s | say({type: "result", ok: false, reason: ($e | reason($s)), message: ($e | message),
			reset_at: (.reset_at // ($e.result? | texts | reset_in_words)), turns: $e.num_turns})
	else say({type: "result", ok: true, reason: "success", text: ($e.result? | texts), turns: $e.num_turns}) end
	| say(usage_event)
	| .class = null;

# Nothing but words on stderr, if it never got as far as a result.
def on_end($e): .result as $seen |
	if $seen or $e.status == 0 or .errors == "" then . else
		(.errors | by_words) as $why
		| if $why then say({type: "result", ok: false, reason: $why, message: (.errors | cut(300))}) else . end end;

def on_line: .in as $e |
	if ($e | type) != "object" then say({type: "activity", of: "line"})
	elif $e.type == "system" then on_system($e)
	elif $e.type == "assistant" then on_assistant($e)
	elif $e.type == "user" then on_user($e)
	elif $e.type == "result" then .result = true | on_result($e)
	elif $e.type == "rate_limit_event" then on_limit($e)
	else say({type: "activity", of: ($e.type? // "line" | tostring)}) end;

each_line({tools: {}, messages: {}, settled: {}, live: {}, cost: null, errors: ""};
	on_line; say({type: "activity", of: "noise"}); .errors = .in; on_end(.in))
