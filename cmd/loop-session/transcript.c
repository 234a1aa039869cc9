/* The command transcript: what was said and done, to be read from top to bottom. */
#include "commands.h"

#include "calls.h"
#include "out.h"
#include "source.h"

enum { PROMPT_MAX = 10 << 20 };

struct transcript {
	struct calls calls;
	struct buf out;
	bool in_text; /* a message is open: its next piece goes on with it */
};

/* Lines stay lines; every other control character is escaped. */
static void add_text(struct buf *out, const char *text, size_t length)
{
	const char *p = text, *end = text + length;

	while (p < end) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((newline ? newline : end) - p);

		buf_escape(out, p, n && p[n - 1] == '\r' ? n - 1 : n);
		if (newline)
			buf_char(out, '\n');
		p += n + (newline != NULL);
	}
}

static void heading(struct transcript *t, const char *text)
{
	if (t->in_text)
		buf_str(&t->out, "\n");
	t->in_text = false;
	buf_format(&t->out, "\n%s", text);
}

static void on_message(struct transcript *t, const struct step *s)
{
	AUTO_BUF struct buf text = {0};

	if (!t->in_text || !step_true(s, "piece"))
		heading(t, step_true(s, "sub") ? "[sub-agent] " : "");
	step_text(s, "text", &text);
	add_text(&t->out, text.text, text.length);
	t->in_text = true;
}

static void on_tool(struct transcript *t, const struct step *s)
{
	AUTO_BUF struct buf text = {0};

	heading(t, "> ");
	step_text(s, "name", &text);
	buf_escape(&t->out, text.text, text.length);
	step_text(s, "input", &text);
	buf_str(&t->out, text.length ? ": " : "");
	buf_escape(&t->out, text.text, text.length);
	buf_char(&t->out, '\n');
}

/* Said only where it was not well: what follows shows the rest. */
static void on_call(void *context, const struct call *c)
{
	struct transcript *t = context;

	if (c->finished && c->ok)
		return;
	heading(t, c->finished ? "< failed: " : "< not finished: ");
	buf_escape(&t->out, c->name, strlen(c->name));
	if (c->exit > 0)
		buf_format(&t->out, ", exit status %lld", (long long)c->exit);
	buf_char(&t->out, '\n');
}

static void on_result(struct transcript *t, const struct step *s)
{
	AUTO_BUF struct buf text = {0};

	heading(t, step_true(s, "ok") ? "= success" : "= ");
	if (!step_true(s, "ok")) {
		step_text(s, "reason", &text);
		buf_escape(&t->out, text.text, text.length);
		step_text(s, "message", &text);
		buf_str(&t->out, text.length ? ": " : "");
		buf_escape(&t->out, text.text, text.length);
	}
	buf_char(&t->out, '\n');
}

static void on_step(void *context, const struct step *s)
{
	struct transcript *t = context;

	calls_step(&t->calls, s);
	if (s->kind == STEP_MESSAGE)
		on_message(t, s);
	else if (s->kind == STEP_TOOL)
		on_tool(t, s);
	else if (s->kind == STEP_RESULT)
		on_result(t, s);
	else if (s->kind == STEP_OMITTED)
		heading(t, "[here the log was cut]\n");
	out_text(&t->out);
}

static void add_prompt(struct transcript *t, const struct source *s)
{
	AUTO_BUF struct buf prompt = {0};

	source_file(s, "prompt.md", PROMPT_MAX, &prompt);
	if (!prompt.length)
		return;
	buf_str(&t->out, "# Prompt\n\n");
	add_text(&t->out, prompt.text, prompt.length);
	buf_str(&t->out, "\n\n# Session\n");
	out_text(&t->out);
}

int transcript_run(const struct args *args)
{
	struct transcript t = {.calls.done = on_call};
	struct source s;

	t.calls.context = &t;
	source_open(&s, args);
	add_prompt(&t, &s);
	source_each(&s, on_step, &t);
	calls_end(&t.calls);
	if (t.in_text)
		buf_char(&t.out, '\n');
	out_text(&t.out);
	source_warn(&s);
	source_close(&s);
	buf_clear(&t.out);
	return 0;
}
