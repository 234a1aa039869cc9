/*
 * codex exec --json: threads, turns and items; no cost, no times, and sums of
 * tokens that grow over the thread.
 */
#include "play.h"

#include <time.h>

static void start(struct play *p)
{
	if (!p->said_result)
		say_json(json_pack(
			"{s:s, s:s}", "type", "thread.started", "thread_id", p->session));
	say_json(json_pack("{s:s}", "type", "turn.started"));
}

static void text(struct play *p, const char *text)
{
	char id[48];

	snprintf(id, sizeof id, "item_%lld", (long long)p->turns);
	say_json(json_pack("{s:s, s:{s:s, s:s, s:o}}", "type", "item.completed", "item", "id", id,
		"type", "agent_message", "text", text_json(text)));
}

static void say_command(const char *event, const struct tool *t, const char *output,
	json_t *exit_code, const char *status)
{
	const char *command = json_string_value(json_object_get(t->input, "command"));

	say_json(json_pack("{s:s, s:{s:s, s:s, s:o, s:o, s:o, s:s}}", "type", event, "item", "id",
		t->id, "type", "command_execution", "command",
		text_json(command ? command : t->name),
		"aggregated_output", text_json(output), "exit_code", exit_code, "status", status));
}

static void tool(struct play *p UNUSED, const struct tool *t)
{
	say_command("item.started", t, "", json_null(), "in_progress");
}

static void tool_end(struct play *p UNUSED, const struct tool *t, const char *output, int status)
{
	say_command("item.completed", t, output, json_integer(status),
		status ? "failed" : "completed");
}

static void retry(struct play *p UNUSED, const char *error, int64_t status, int64_t delay_ms UNUSED)
{
	AUTO_BUF struct buf message = {0};

	buf_format(&message, "Reconnecting... 1/5 (unexpected status %lld: %s)", (long long)status,
		error);
	say_json(json_pack("{s:s, s:s}", "type", "error", "message", message.text));
}

/* "…try again at 10:20 AM.", in local time. */
static const char *usage_limit(int64_t until)
{
	static char text[160];
	time_t at = (time_t)until;
	char clock[16];

	strftime(clock, sizeof clock, "%I:%M %p", localtime(&at));
	snprintf(text, sizeof text,
		"You've hit your usage limit. Upgrade to Pro or try again at %s.",
		clock + strspn(clock, "0"));
	return text;
}

static const char *failure(const struct play *p, const char *reason)
{
	static const char *const texts[][2] = {
		{"auth", "unexpected status 401 Unauthorized: invalid key"},
		{"rate_limit", "exceeded retry limit, last status: 429 Too Many Requests"},
		{"billing", "Quota exceeded. Check your plan and billing details."},
		{"overloaded", "unexpected status 529: overloaded"},
		{"server", "unexpected status 500 Internal Server Error"},
		{"network", "stream disconnected before completion"},
		{"permission", "Permission denied (os error 13)"},
		{"refused", "Incomplete response returned, reason: content_filter"},
		{"context", "Your input exceeds the context window of this model."},
	};

	if (p->limited_until && strcmp(reason, "rate_limit") == 0)
		return usage_limit(p->limited_until);
	for (size_t i = 0; i < countof(texts); i++)
		if (strcmp(texts[i][0], reason) == 0)
			return texts[i][1];
	return "it went wrong";
}

static int end(struct play *p, const struct ending *e)
{
	if (strcmp(e->reason, "success") != 0) {
		say_json(json_pack("{s:s, s:{s:s}}", "type", "turn.failed", "error", "message",
			failure(p, e->reason)));
		return 1;
	}
	say_json(json_pack("{s:s, s:{s:I, s:I, s:I}}", "type", "turn.completed", "usage",
		"input_tokens", (json_int_t)(p->used.input + p->used.cache_read),
		"cached_input_tokens", (json_int_t)p->used.cache_read, "output_tokens",
		(json_int_t)p->used.output));
	return 0;
}

DIALECT(codex, dialect_no_limit, dialect_no_background);
