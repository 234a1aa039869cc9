/* The command errors: everything that went wrong in a session, and what it came to. */
#include "commands.h"

#include "calls.h"
#include "die.h"
#include "out.h"
#include "parse.h"
#include "source.h"
#include "words.h"

enum { WHAT_MAX = 300 };

struct errors {
	struct calls calls;
	int64_t count;
	struct buf line;
};

/* A line: when, which kind, what. */
static void say(struct errors *e, int64_t time, const char *kind, const char *what)
{
	char when[TIME_SIZE] = "-";

	e->count++;
	if (time)
		format_time(when, time);
	if (source_json) {
		out_json(json_pack("{s:o, s:s, s:s}", "time",
			time ? json_string(when) : json_null(), "kind", kind, "what", what));
		return;
	}
	buf_format(&e->line, "%-27s  %-7s  ", when, kind);
	words_line(&e->line, what, strlen(what), WHAT_MAX);
	buf_char(&e->line, '\n');
	out_text(&e->line);
}

static void on_call(void *context, const struct call *c)
{
	AUTO_BUF struct buf what = {0};
	struct errors *e = context;

	if (c->finished && c->ok)
		return;
	buf_str(&what, c->name);
	if (*c->input)
		buf_format(&what, ": %s", c->input);
	if (c->exit > 0)
		buf_format(&what, " (exit status %lld)", (long long)c->exit);
	if (!c->finished)
		buf_str(&what, " (not finished)");
	say(e, c->end ? c->end : c->start, "tool", what.text);
}

/* Which events are errors, and which member says what was wrong. */
static const struct {
	const char *kind, *what, *otherwise;
} wrongs[] = {
	[STEP_RETRY] = {"retry", "class", "the service was asked again"},
	[STEP_LIMIT] = {"limit", "kind", "a limit was reached"},
	[STEP_DENIED] = {"denied", "tool", "a permission was denied"},
	[STEP_ERROR] = {"error", "message", "an error"},
	[STEP_RESULT] = {"result", "message", "it failed"},
};

static bool is_wrong(const struct step *s)
{
	if (s->kind >= countof(wrongs) || !wrongs[s->kind].kind)
		return false;
	if (s->kind == STEP_LIMIT)
		return step_true(s, "fatal");
	return s->kind != STEP_RESULT || !step_true(s, "ok");
}

static void on_step(void *context, const struct step *s)
{
	AUTO_BUF struct buf what = {0};
	struct errors *e = context;

	calls_step(&e->calls, s);
	if (!is_wrong(s))
		return;
	step_text(s, wrongs[s->kind].what, &what);
	say(e, s->time, wrongs[s->kind].kind, what.length ? what.text : wrongs[s->kind].otherwise);
}

static void say_verdict(struct errors *e, const struct record *r)
{
	AUTO_BUF struct buf what = {0};

	if (r->state == RECORD_LOST)
		say(e, r->ended, "lost", "its owner is gone and nobody ended it");
	if (!r->result || r->success)
		return;
	buf_str(&what, r->reason);
	if (*r->message)
		buf_format(&what, ": %s", r->message);
	buf_add(&what, "", 0);
	say(e, r->ended, "verdict", what.text);
}

int errors_run(const struct args *args)
{
	struct errors e = {.calls.done = on_call};
	struct source s;

	e.calls.context = &e;
	source_open(&s, args);
	source_each(&s, on_step, &e);
	calls_end(&e.calls);
	if (s.recorded)
		say_verdict(&e, &s.record);
	source_warn(&s);
	source_close(&s);
	buf_clear(&e.line);
	return e.count ? 0 : EXIT_NO;
}
