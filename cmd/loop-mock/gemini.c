/*
 * gemini --output-format stream-json: messages in pieces, tools without exit
 * codes, retries as words on stderr, and the HTTP status modulo 256 as the
 * exit status.
 */
#include "clock.h"
#include "parse.h"
#include "play.h"

static void say_line(const char *type, json_t *line)
{
	char time[TIME_SIZE];

	json_object_set_new(line, "type", json_string(type));
	json_object_set_new(line, "timestamp", json_string(format_time(time, clock_real())));
	say_json(line);
}

static void start(struct play *p)
{
	say_line("init", json_pack("{s:s, s:s}", "session_id", p->session, "model", p->model));
}

static void text(struct play *p UNUSED, const char *text)
{
	say_line("message",
		json_pack("{s:s, s:o, s:b}", "role", "assistant", "content", text_json(text),
			"delta", 1));
}

static void tool(struct play *p UNUSED, const struct tool *t)
{
	say_line("tool_use",
		json_pack("{s:s, s:s, s:O}", "tool_name", t->name, "tool_id", t->id, "parameters",
			t->input));
}

static void tool_end(struct play *p UNUSED, const struct tool *t, const char *output,
	int status UNUSED)
{
	say_line("tool_result",
		json_pack("{s:s, s:s, s:o}", "tool_id", t->id, "status", "success", "output",
			text_json(output)));
}

static void retry(struct play *p UNUSED, const char *error, int64_t status, int64_t delay_ms)
{
	fprintf(stderr, "Attempt 1 failed with status %lld. Retrying after %lldms... %s\n",
		(long long)status, (long long)delay_ms, error);
}

static const struct failure {
	const char *reason, *type, *message;
	int status;
} failures[] = {
	{"failed", "Error", "[API Error: it went wrong]", 1},
	{"max_turns", "FatalTurnLimitedError", "Reached max session turns", 53},
	{"auth", "Error", "[API Error: {\"error\":{\"code\":401,\"message\":\"invalid key\"}}]",
		401 % 256},
	{"rate_limit", "Error", "[API Error: You have exhausted your daily quota]", 429 % 256},
	{"billing", "Error", "[API Error: You exceeded your current quota]", 429 % 256},
	{"server", "Error", "[API Error: {\"error\":{\"code\":500,\"message\":\"internal\"}}]",
		500 % 256},
	{"overloaded", "Error",
		"[API Error: {\"error\":{\"code\":503,\"message\":\"overloaded\"}}]", 503 % 256},
	{"network", "Error", "[API Error: exception TypeError: fetch failed]", 1},
	{"permission", "FatalUntrustedWorkspaceError", "This folder is not trusted", 55},
	{"refused", "Error", "[API Error: the response was blocked: PROHIBITED_CONTENT]", 1},
	{"context", "Error", "[API Error: prompt is too long]", 400 % 256},
};

static const struct failure *failure_of(const char *reason)
{
	for (size_t i = 0; i < countof(failures); i++)
		if (strcmp(failures[i].reason, reason) == 0)
			return &failures[i];
	return &failures[0];
}

static int end(struct play *p, const struct ending *e)
{
	const struct failure *f =
		strcmp(e->reason, "success") == 0 ? NULL : failure_of(e->reason);
	json_int_t input = p->used.input, output = p->used.output, cached = p->used.cache_read;
	json_t *line = json_pack("{s:s, s:{s:I, s:I, s:I, s:I, s:I, s:I}}", "status",
		f ? "error" : "success", "stats", "total_tokens", input + cached + output,
		"input_tokens", input + cached, "output_tokens", output, "cached", cached, "input",
		input, "tool_calls", (json_int_t)p->next_id);

	if (f)
		json_object_set_new(line, "error",
			json_pack("{s:s, s:s}", "type", f->type, "message", f->message));
	say_line("result", line);
	return f ? f->status : 0;
}

DIALECT(gemini, dialect_no_limit, dialect_no_background);
