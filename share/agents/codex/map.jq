# codex exec --json as neutral events. It tells no cost, and its sums of tokens are the thread's. An
# item of type "error" is a warning, and a top-level "error" a retry: only turn.failed is a failure.

include "common";

# ---- tools, in whatever protocol ------------------------------------------------------------------

def begin_tool($id; $name; $what): .open[$id | tostring] = true | act
	| say({type: "tool.started", id: $id, name: $name, input: ($what | tostring | cut(200))});

# Some are told only when they are over.
def end_tool($id; $name; $what; $ok; $exit):
	(if .open[$id | tostring] then . else begin_tool($id; $name; $what) end)
	| .open[$id | tostring] = false | tool_came_back
	| say({type: "tool.finished", id: $id, name: $name, ok: ($ok and ($exit // 0) == 0), exit: $exit});

def sums($u): {type: "usage", turns: .turns,
		input: ($u.input_tokens? | number | less($u.cached_input_tokens? | number)), output: ($u.output_tokens? | number),
		cache_read: ($u.cached_input_tokens? | number), cache_write: ($u.cache_write_input_tokens? | number)};

def on_usage($u): say({of: "conversation"} + sums($u));

# The message may be a whole JSON error as text.
def words: if type == "object" then .message? // .error?.message? else . end
	| if type != "string" then "" else ((fromjson? | .error?.message? | strings) // .) end;

def on_failure($words): .result = true | say(failure($words | by_words // "failed"; $words));
def on_success: .result = true | say({type: "result", ok: true, reason: "success"});

# ---- threads, turns and items ---------------------------------------------------------------------

def tools: ["command_execution", "file_change", "mcp_tool_call", "collab_tool_call", "web_search"];

def on_item($e; $done): ($e.item? | members) as $i | ($i.type // $i.item_type) as $type |
	if $type == "agent_message" or $type == "assistant_message" then
		(if $done then act | say({type: "message", text: ($i.text | texts)}) else . end)
	elif $type | IN(tools[]) then ($i.command? // $i.tool? // $i.query? // $type) as $what |
		if $done then end_tool($i.id; $type; $what; $i.status? == null or $i.status? == "completed"; $i.exit_code?)
		else begin_tool($i.id; $type; $what) end
	else say({type: "activity", of: "item/\($type // "")"}) end;

# ---- the protocol before there were threads: {"id": …, "msg": {"type": …}} -----------------------------

# It has no last line: the model's last word and exit status 0 are a success. Its first versions tell what
# each answer used, and no sums.

def on_answer($u): reduce ("input_tokens", "cached_input_tokens", "output_tokens") as $key (.; .answers[$key] += ($u[$key]? | number))
	| say(sums(.answers));

def on_message($m): ($m.command? // $m.invocation?.tool? // $m.type) as $what |
	(if $m.type | matches("_begin$|_end$|^task_started$|^error$") then .last_word = false else . end) |
	if $m.type == "session_configured" then say({type: "session.started", agent_session: $m.session_id, model: $m.model})
	elif $m.type == "task_started" then .failed = false | say({type: "activity", of: $m.type})
	elif $m.type == "agent_message" then .last_word = true | act | say({type: "message", text: ($m.message | texts)})
	elif $m.type | matches("^(exec_command|mcp_tool_call|patch_apply)_begin$") then begin_tool($m.call_id; $m.type[:-6]; $what)
	elif $m.type | matches("^(exec_command|mcp_tool_call|patch_apply)_end$") then
		end_tool($m.call_id; $m.type[:-4]; $what; $m.success? != false; $m.exit_code?)
	elif $m.type == "token_count" then
		if $m | has("info") then on_usage($m.info?.total_token_usage? // {}) else on_answer($m) end
	elif $m.type == "error" then .failed = true | on_failure($m | words)
	elif $m.type == "turn_aborted" then .failed = true | on_failure("aborted: \($m.reason?)")
	elif $m.type == "task_complete" then (if .failed then say({type: "activity", of: $m.type}) else on_success end)
	else say({type: "activity", of: "msg/\($m.type? // "")"}) end;

def on_line: .in as $e |
	if ($e | type) != "object" then say({type: "activity", of: "line"})
	elif $e.type == "thread.started" or $e.type == "session.created" then say({type: "session.started", agent_session: ($e.thread_id // $e.session_id)})
	elif $e.type == "item.started" then on_item($e; false)
	elif $e.type == "item.completed" then on_item($e; true)
	elif $e.type == "turn.completed" then on_success | on_usage($e.usage? // {})
	elif $e.type == "turn.failed" then on_failure($e.error? // $e | words)
	elif $e.type == null and ($e.msg? | type) == "object" then on_message($e.msg)
	elif $e.type == null and ($e.workdir? | type) == "string" then say({type: "session.started", model: $e.model})
	else .noise = ($e | words) | say({type: "activity", of: ($e.type? // "line" | tostring)}) end;

def on_end: if .last_word and (.result | not) and .in.status == 0 and .in.signal == 0 then on_success else end_in_words(null) end;

each_line({open: {}, turns: 0}; on_line; .errors = .in; on_end)
