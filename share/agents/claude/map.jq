# Claude Code's stream-json as neutral events. Every field is optional here: versions differ in
# them, and a line of a type that no rule knows is activity, nothing else.

include "common";

def blocks: .message | (.content? // .) | if type == "string" then {type: "text", text: .} elif type == "array" then .[] | objects else empty end;

# ---- why it failed: what is typed goes before what is said in words -------------------------------

def by_class: {
	authentication_failed: "auth", oauth_org_not_allowed: "auth", account_on_hold: "auth",
	verification_required: "auth", cloud_credential_error: "auth", billing_error: "quota",
	rate_limit: "quota", overloaded: "transient", server_error: "transient",
	max_output_tokens: "context",
	authentication_error: "auth", permission_error: "auth", rate_limit_error: "quota",
	overloaded_error: "transient", api_error: "transient", timeout_error: "transient"
}[.];

# A class, or the service's own error as it came: {"type": …, "message": …}, once more in "error" or not.
def class: if type == "object" then (.error? // .) | .type? // .message? else . end | strings // null;

def message: [(.result? | texts), ((.errors? // [])[]? | strings), (.error? | strings, .message?, .error?.message? | strings)]
	| map(select(. != "")) | (.[0] // "") | cut(300);

# A result that does not say how it ended is no success: one that says so names no error anywhere, and its
# words are the model's.
def succeeded($state): if .is_error? == null
	then .subtype? == "success" and ($state.synthetic | not) and .api_error_status? == null and .error? == null and ((.terminal_reason? // "completed") == "completed")
	else .is_error == false and ((.subtype? // if .result? == null then "" else "success" end) == "success") end;

def reason($state):
	message as $words |
	(.subtype? // "") as $subtype | (.terminal_reason? // "") as $terminal |
	if $subtype == "error_max_turns" or $terminal == "max_turns" then "max_turns"
	elif $subtype == "error_max_budget_usd" or $terminal == "budget_exhausted" then "budget"
	elif $state.refused or (.stop_reason? // "") == "refusal" then "refused"
	elif $terminal == "prompt_too_long" then "context"
	elif $state.rejected then "quota"
	else ($state.class // (.error? | class) | if . == null then null else by_class end)
		// ((.api_error_status? // null) | if type == "number" then by_http else null end)
		// ($words | by_words)
		// (if $subtype == "success" and .api_error_status? == null and $terminal == "api_error" then "transient"
			elif .is_error? == null and ($subtype == "" or $subtype == "success") and $words == "" then "malformed"
			else "failed" end)
	end;

# ---- what was used --------------------------------------------------------------------------------

def add_usage($u): .input += ($u.input_tokens? | number) | .output += ($u.output_tokens? | number)
	| .cache_read += ($u.cache_read_input_tokens? | number) | .cache_write += ($u.cache_creation_input_tokens? | number);

def add_sums($u): .input += ($u.input | number) | .output += ($u.output | number)
	| .cache_read += ($u.cache_read | number) | .cache_write += ($u.cache_write | number);

# Sums of one result, sub-agents included where the version tells; $live where it tells nothing.
def result_usage($live): (.model_usage_since_last_result? | members) as $models |
	if ($models | length) > 0 then
		reduce $models[] as $m ({}; .input += ($m.inputTokens? | number) | .output += ($m.outputTokens? | number)
			| .cache_read += ($m.cacheReadInputTokens? | number) | .cache_write += ($m.cacheCreationInputTokens? | number))
	elif (.usage? | type) == "object" then .usage as $usage | {} | add_usage($usage)
	else $live end;

def usage_event: . as $s | {type: "usage", turns: ($s.messages | length)} + ({} | add_sums($s.settled) | add_sums($s.live))
	+ (if $s.cost == null and ($s.result | not) then {} else {cost_usd: $s.cost, cost_of: "conversation"} end);

# ---- the lines ------------------------------------------------------------------------------------

def on_init($e): if .started then . else .started = true | .model = $e.model
	| say({type: "session.started", agent_session: ($e.session_id // $e.sessionId), model: $e.model, version: $e.claude_code_version}) end;

# Its first versions do not tell the model before it speaks.
def on_model($model): if .model or $model == null or .synthetic then .
	else .model = $model | say({type: "session.started", model: $model}) end;

# Told when it happens, and in a list with the result; older versions have only the list.
def on_denied($e): .denied += 1 | say({type: "denied", tool: $e.tool_name?});

def on_system($e):
	if $e.subtype == "init" then on_init($e)
	elif $e.subtype == "api_retry" then say({type: "retry", delay_ms: ($e.retry_delay_ms | number), class: ($e.error | class), status: $e.error_status, attempt: $e.attempt})
	elif $e.subtype == "permission_denied" then on_denied($e)
	elif $e.subtype == "background_tasks_changed" then say({type: "background", count: ($e.tasks? | items | length)})
	elif $e.subtype == "session_state_changed" then say({type: "state", idle: ($e.state == "idle")})
	elif ($e.subtype | matches("^model_refusal")) then .refused = true | say({type: "activity", of: $e.subtype})
	else say({type: "activity", of: "system/\($e.subtype? // "")"}) end;

def on_block($e; $b):
	($e.parent_tool_use_id? != null) as $sub |
	if $b.type == "text" then say({type: "message", text: ($b.text | texts), sub: $sub}
		+ if $e.message | members | .model == "<synthetic>" then {synthetic: true} else {} end)
	elif $b.type == "tool_use" then .tools[$b.id | tostring] = ($b.name // "") | say({type: "tool.started", id: $b.id, name: $b.name, input: ($b.input | summary), sub: $sub})
	else say({type: "activity", of: "assistant/\($b.type? // "")"}) end;

# One line a block: the message's usage is the same in all of them. Where a version does not tell which
# message it is, its usage does.
def on_assistant($e):
	($e.message | members) as $m | ($m.model | if type == "string" then . else null end) as $model
	| .synthetic = ($model == "<synthetic>")
	| on_model($model)
	| (if $e.error? then .class = ($e.error | class) else . end)
	| (if $m.stop_reason == "refusal" then .refused = true else . end)
	| ($m.usage // {}) as $usage | ($usage | tostring) as $same | $m.id as $id
	| (if .synthetic or .messages[$id // $same | tostring] or .unnamed[$same] or ($id == null and .usages[$same])
		then . else .messages[$id // $same | tostring] = true | .live |= add_usage($usage) | say(usage_event) end)
	| .usages[$same] = true | (if $id == null then .unnamed[$same] = true else . end)
	| reduce ($e | blocks) as $b (.; on_block($e; $b));

def exit_code: texts | (capture("^Exit code (?<n>[0-9]+)")? | .n | tonumber) // null;

def on_user($e): reduce ($e | blocks) as $b (.;
	if $b.type == "tool_result" then say({type: "tool.finished", id: $b.tool_use_id, name: (.tools[$b.tool_use_id | tostring] // ""),
		ok: ($b.is_error != true), exit: ($b.content | exit_code)})
	else say({type: "activity", of: "user/\($b.type? // "")"}) end)
	| if (.emit | length) == 0 then say({type: "activity", of: "user"}) else . end;

def on_limit($e): ($e.rate_limit_info? | members) as $i |
	if $i.status == "rejected" then .rejected = true | .reset_at = $i.resetsAt
		| say({type: "limit", kind: $i.rateLimitType, reset_at: $i.resetsAt, fatal: true})
	else say({type: "limit", kind: $i.rateLimitType, fatal: false, utilization: $i.utilization}) end;

# The cost is the conversation's up to here; tokens are this result's own.
def on_result($e):
	.result = true
	| .cost = ([$e.total_cost_usd, $e.cost_usd] | map(money | values) | .[0])
	| .live as $live | ($e | result_usage($live)) as $used
	| .settled |= add_sums($used) | .live = {}
	| reduce ($e.permission_denials? | items)[.denied:][] as $d (.; on_denied($d))
	| . as $s | if $e | succeeded($s) then say({type: "result", ok: true, reason: "success", text: ($e.result? | texts), turns: $e.num_turns})
	else say({type: "result", ok: false, reason: ($e | reason($s)), message: ($e | message),
			reset_at: (.reset_at // ($e | message | reset_in_words)), turns: $e.num_turns}) end
	| say(usage_event)
	| .class = null;

# The service's own words, passed on.
def on_error($e): ($e | message) as $words
	| .noise = ([($e.error? | class), $words] | map(values) | join(": "))
	| say({type: "error", message: $words});

def on_line: .in as $e |
	if ($e | type) != "object" then say({type: "activity", of: "line"})
	elif $e.type == "system" then on_system($e)
	elif $e.type == "assistant" then on_assistant($e)
	elif $e.type == "user" then on_user($e)
	elif $e.type == "result" then on_result($e)
	elif $e.type == "error" then on_error($e)
	elif $e.type == "rate_limit_event" then on_limit($e)
	else say({type: "activity", of: ($e.type? // "line" | tostring)}) end;

each_line({tools: {}, messages: {}, usages: {}, unnamed: {}, settled: {}, live: {}, cost: null, denied: 0}; on_line; .errors = .in; end_in_words(null))
