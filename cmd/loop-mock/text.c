/*
 * No dialect: what a plain command would print.
 */
#include "die.h"
#include "play.h"

static void start(struct play *p UNUSED)
{
}

static void text(struct play *p UNUSED, const char *text)
{
	say_format("%s", text);
}

static void tool(struct play *p UNUSED, const struct tool *t)
{
	AUTO_BUF struct buf b = {0};

	buf_format(&b, "[%s] ", t->name);
	json_add(&b, t->input);
	say(&b);
}

static void tool_end(struct play *p UNUSED, const struct tool *t UNUSED, const char *output,
	int status)
{
	if (*output)
		say_format("%s", output);
	if (status)
		say_format("[exit status %d]", status);
}

static void retry(struct play *p UNUSED, const char *error, int64_t status UNUSED, int64_t delay_ms)
{
	warn("%s; trying again in %lld ms", error, (long long)delay_ms);
}

static void limit(struct play *p UNUSED, const char *kind, const char *status, int64_t resets)
{
	warn("limit %s: %s until %lld", kind, status, (long long)resets);
}

static int end(struct play *p, const struct ending *e)
{
	bool ok = strcmp(e->reason, "success") == 0;

	if (!ok)
		warn("%s", *e->text ? e->text : e->reason);
	else if (*e->text && (!p->last.text || strcmp(e->text, p->last.text) != 0))
		say_format("%s", e->text);
	return !ok;
}

DIALECT(text, limit, dialect_no_background);
