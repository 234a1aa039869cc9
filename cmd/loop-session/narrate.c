#include "narrate.h"

#include "out.h"
#include "parse.h"
#include "words.h"

enum { WORDS_MAX = 160 };

static void begin_line(struct narrator *n, int64_t time)
{
	char offset[DURATION_SIZE];

	if (time)
		buf_format(&n->out, "%9s  ",
			format_duration(offset, MAX(time - n->start, INT64_C(0))));
	else
		buf_format(&n->out, "%9lld  ", (long long)n->count);
}

static void add_words(struct narrator *n, const struct step *s, const char *key)
{
	AUTO_BUF struct buf text = {0};

	step_text(s, key, &text);
	words_line(&n->out, text.text, text.length, WORDS_MAX);
}

static void add_named(struct narrator *n, const struct step *s, const char *label, const char *key)
{
	struct span value;

	if (!jscan_get(s->line, key, &value) || jscan_kind(value) != '"' || value.n <= 2)
		return;
	buf_str(&n->out, label);
	add_words(n, s, key);
}

static void on_call_end(void *context, const struct call *c)
{
	struct narrator *n = context;
	char time[DURATION_SIZE];
	int64_t ns = call_duration(c);

	begin_line(n, c->end ? c->end : n->calls.last);
	buf_str(&n->out, "< ");
	words_line(&n->out, c->name, strlen(c->name), WORDS_MAX);
	buf_str(&n->out, !c->finished ? ": not finished" : c->ok ? ": ok"
								 : ": failed");
	if (c->exit > 0)
		buf_format(&n->out, ", exit status %lld", (long long)c->exit);
	if (ns >= 0)
		buf_format(&n->out, ", %s", format_duration(time, ns));
	buf_char(&n->out, '\n');
}

static void say_started(struct narrator *n, const struct step *s)
{
	buf_format(&n->out, "attempt %lld", (long long)MAX(s->attempt, INT64_C(1)));
	add_named(n, s, ", ", "model");
	add_named(n, s, ", version ", "version");
}

static void say_message(struct narrator *n, const struct step *s)
{
	buf_str(&n->out, step_true(s, "sub") ? "sub-agent: " : "");
	add_words(n, s, "text");
}

static void say_tool(struct narrator *n, const struct step *s)
{
	buf_str(&n->out, "> ");
	add_words(n, s, "name");
	add_named(n, s, ": ", "input");
}

static void say_retry(struct narrator *n, const struct step *s)
{
	char time[DURATION_SIZE];
	int64_t ms = MIN(MAX(step_int(s, "delay_ms", 0), INT64_C(0)), INT64_C(86400000));

	buf_format(&n->out, "retry in %s", format_duration(time, ms * NS_PER_MS));
	add_named(n, s, ": ", "class");
}

static void say_limit(struct narrator *n, const struct step *s)
{
	buf_str(&n->out, step_true(s, "fatal") ? "limit reached" : "limit");
	add_named(n, s, ": ", "kind");
}

static void say_denied(struct narrator *n, const struct step *s)
{
	buf_str(&n->out, "permission denied");
	add_named(n, s, ": ", "tool");
}

static void say_error(struct narrator *n, const struct step *s)
{
	buf_str(&n->out, "error");
	add_named(n, s, ": ", "message");
}

static void say_result(struct narrator *n, const struct step *s)
{
	buf_str(&n->out, "result: ");
	if (step_true(s, "ok"))
		buf_str(&n->out, "success");
	else
		add_words(n, s, "reason");
	add_named(n, s, ": ", "message");
}

static void say_omitted(struct narrator *n, const struct step *s)
{
	buf_format(&n->out, "[%lld bytes were left out of the log]",
		(long long)step_int(s, "bytes", 0));
}

static void (*const sayings[])(struct narrator *, const struct step *) = {
	[STEP_STARTED] = say_started,
	[STEP_MESSAGE] = say_message,
	[STEP_TOOL] = say_tool,
	[STEP_RETRY] = say_retry,
	[STEP_LIMIT] = say_limit,
	[STEP_DENIED] = say_denied,
	[STEP_ERROR] = say_error,
	[STEP_RESULT] = say_result,
	[STEP_OMITTED] = say_omitted,
};

static void print_line(struct narrator *n, const struct step *s)
{
	buf_add(&n->out, s->line.p, s->line.n);
	buf_char(&n->out, '\n');
}

void narrate_step(void *context, const struct step *s)
{
	struct narrator *n = context;

	n->calls.done = on_call_end;
	n->calls.context = n;
	n->count++;
	if (!n->start)
		n->start = s->time;
	if (n->json) {
		print_line(n, s);
	} else {
		calls_step(&n->calls, s);
		if (s->kind < countof(sayings) && sayings[s->kind]) {
			begin_line(n, s->time);
			sayings[s->kind](n, s);
			buf_char(&n->out, '\n');
		}
	}
	out_text(&n->out);
}

void narrate_end(struct narrator *n)
{
	if (!n->json)
		calls_end(&n->calls);
	out_text(&n->out);
	buf_clear(&n->out);
}
