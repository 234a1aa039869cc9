/*
 * Claude Code's stream-json, as versions 2.1.197 to 2.1.328 speak it: the
 * fields that a reader may look at, with the same names and types.
 */
#include "clock.h"
#include "play.h"

/* What every line has at its end. */
static void say_line(const struct play *p, json_t *line)
{
	char uuid[UUID_SIZE];

	json_object_set_new(line, "parent_tool_use_id", json_null());
	json_object_set_new(line, "session_id", json_string(p->session));
	json_object_set_new(line, "uuid", json_string(id_uuid(uuid)));
	say_json(line);
}

static void start(struct play *p)
{
	char *cwd = getcwd(NULL, 0);

	say_line(p,
		json_pack("{s:s, s:s, s:o, s:[s,s,s], s:[], s:s, s:s, s:s, s:s}",
			"type", "system", "subtype", "init", "cwd", text_json(cwd ? cwd : ""),
			"tools", "Bash", "Edit", "Write", "mcp_servers", "model", p->model,
			"permissionMode", "default", "apiKeySource", "none",
			"claude_code_version", "2.1.328"));
	free(cwd);
}

/* A message of one content block, as claude cuts them. */
static json_t *message(const struct play *p, const char *model, json_t *block)
{
	json_int_t input = p->turns ? p->used.input / p->turns : 0;
	char id[48];

	snprintf(id, sizeof id, "msg_mock_%04lld", (long long)p->turns);
	return json_pack("{s:s, s:{s:s, s:s, s:s, s:s, s:[o], s:n, s:{s:I, s:i, s:i, s:i}}}",
		"type", "assistant", "message", "id", id, "type", "message", "role", "assistant",
		"model",
		model, "content", block, "stop_reason", "usage", "input_tokens", input,
		"cache_creation_input_tokens", 0, "cache_read_input_tokens", 0, "output_tokens", 1);
}

static void text(struct play *p, const char *text)
{
	json_t *block = json_pack("{s:s, s:o}", "type", "text", "text", text_json(text));

	say_line(p, message(p, p->model, block));
}

static void tool(struct play *p, const struct tool *t)
{
	say_line(p,
		message(p, p->model,
			json_pack("{s:s, s:s, s:s, s:O}", "type", "tool_use", "id", t->id, "name",
				t->name, "input", t->input)));
}

static void tool_end(struct play *p, const struct tool *t, const char *output, int status)
{
	AUTO_BUF struct buf shown = {0};

	if (status)
		buf_format(&shown, "Exit code %d\n", status);
	buf_str(&shown, output);
	say_line(p,
		json_pack("{s:s, s:{s:s, s:[{s:s, s:s, s:o, s:b}]}}", "type", "user", "message",
			"role", "user", "content", "tool_use_id", t->id, "type", "tool_result",
			"content", text_json(shown.text), "is_error", status != 0));
}

static void retry(struct play *p, const char *error, int64_t status, int64_t delay_ms)
{
	say_line(p,
		json_pack("{s:s, s:s, s:i, s:i, s:I, s:o, s:s}", "type", "system", "subtype",
			"api_retry", "attempt", 1, "max_retries", 10, "retry_delay_ms",
			(json_int_t)delay_ms, "error_status",
			status ? json_integer(status) : json_null(), "error", error));
}

static void limit(struct play *p, const char *kind, const char *status, int64_t resets)
{
	say_line(p,
		json_pack("{s:s, s:{s:s, s:I, s:s, s:b}}", "type", "rate_limit_event",
			"rate_limit_info", "status", status, "resetsAt", (json_int_t)resets,
			"rateLimitType", kind, "isUsingOverage", 0));
}

static void background(struct play *p, bool running)
{
	json_t *tasks = json_array();

	if (running)
		json_array_append_new(tasks,
			json_pack("{s:s, s:s}", "task_id", "mock", "task_type", "local_bash"));
	say_line(p,
		json_pack("{s:s, s:s, s:o}", "type", "system", "subtype",
			"background_tasks_changed", "tasks", tasks));
}

/* What claude says of each ending: most failures are a "success" that is an error. */
static const struct outcome {
	const char *reason, *subtype, *terminal, *class;
	int http;
	const char *text;
} outcomes[] = {
	{"success", "success", "completed", NULL, 0, ""},
	{"max_turns", "error_max_turns", "max_turns", NULL, 0, "Reached maximum number of turns"},
	{"budget", "error_max_budget_usd", "budget_exhausted", NULL, 0, "Reached maximum budget"},
	{"failed", "error_during_execution", "aborted_tools", NULL, 0, "It went wrong"},
	{"auth", "success", "api_error", "authentication_failed", 401, "Invalid API key"},
	{"billing", "success", "api_error", "billing_error", 400, "Credit balance is too low"},
	{"rate_limit", "success", "api_error", "rate_limit", 429, "Request rejected (429)"},
	{"overloaded", "success", "api_error", "server_error", 529, "Repeated 529 errors"},
	{"server", "success", "api_error", "server_error", 500, "500 Internal server error"},
	{"network", "success", "api_error", "unknown", 0, "Connection refused"},
	{"context", "success", "prompt_too_long", "invalid_request", 400, "Prompt is too long"},
	{"refused", "success", "model_error", NULL, 0, "The model refused"},
	{"permission", "error_during_execution", "aborted_tools", NULL, 0, "Permission denied"},
};

static const struct outcome *outcome_of(const char *reason)
{
	for (size_t i = 0; i < countof(outcomes); i++)
		if (strcmp(outcomes[i].reason, reason) == 0)
			return &outcomes[i];
	return outcome_of("failed");
}

static void say_api_error(struct play *p, const struct outcome *o, const char *text)
{
	json_t *block = json_pack("{s:s, s:o}", "type", "text", "text", text_json(text));
	json_t *line = message(p, "<synthetic>", block);

	json_object_set_new(line, "error", json_string(o->class));
	json_object_set_new(line, "is_api_error_message", json_true());
	json_object_set_new(
		line, "api_error_status", o->http ? json_integer(o->http) : json_null());
	say_line(p, line);
}

/* What claude says in lines of their own, before the result. */
static void say_why(struct play *p, const struct outcome *o, const char *text)
{
	if (o->class)
		say_api_error(p, o, text);
	if (strcmp(o->reason, "refused") == 0)
		say_line(p,
			json_pack("{s:s, s:s, s:s, s:o}", "type", "system", "subtype",
				"model_refusal_no_fallback", "original_model", p->model, "content",
				text_json(text)));
}

static json_t *usage(const struct play *p)
{
	return json_pack("{s:I, s:I, s:I, s:I}", "input_tokens", (json_int_t)p->used.input,
		"cache_creation_input_tokens", (json_int_t)p->used.cache_write,
		"cache_read_input_tokens", (json_int_t)p->used.cache_read, "output_tokens",
		(json_int_t)p->used.output);
}

static int end(struct play *p, const struct ending *e)
{
	const struct outcome *o = outcome_of(e->reason);
	bool error = o != outcomes;
	bool by_words = strcmp(o->reason, "permission") == 0; /* claude has no other way */
	const char *text = *e->text && !by_words ? e->text : o->text;
	json_int_t ms = (clock_now() - p->start) / NS_PER_MS;
	json_t *line;

	say_why(p, o, text);
	line = json_pack("{s:i, s:f, s:o, s:[], s:s, s:b, s:I, s:s, s:s, s:I}",
		"duration_api_ms", 1,
		"total_cost_usd", p->used.cost, "usage", usage(p), "permission_denials",
		"terminal_reason", o->terminal, "is_error", error, "num_turns",
		(json_int_t)p->turns, "subtype", o->subtype, "type", "result", "duration_ms", ms);
	if (o->http)
		json_object_set_new(line, "api_error_status", json_integer(o->http));
	if (strcmp(o->reason, "refused") == 0)
		json_object_set_new(line, "stop_reason", json_string("refusal"));
	if (strcmp(o->subtype, "success") == 0)
		json_object_set_new(line, "result", text_json(text));
	else
		json_object_set_new(line, "errors", json_pack("[o]", text_json(text)));
	say_line(p, line);
	return error;
}

DIALECT(claude, limit, background);
