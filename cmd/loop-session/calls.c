#include "calls.h"

#include "mem.h"

enum { OPEN_MAX = 1024 }; /* of a stream that only ever begins calls */

static void hand_out(struct calls *c, size_t at)
{
	struct call call = c->open[at];

	memmove(c->open + at, c->open + at + 1, (--c->count - at) * sizeof *c->open);
	c->done(c->context, &call);
	free(call.id);
	free(call.name);
	free(call.input);
}

static void give_up(struct calls *c)
{
	while (c->count)
		hand_out(c, 0);
}

static char *text_of(const struct step *s, const char *key)
{
	struct buf text = {0};

	step_text(s, key, &text);
	return buf_take(&text);
}

static void begin(struct calls *c, const struct step *s)
{
	bool alone = c->count == 0;

	if (c->count == OPEN_MAX)
		hand_out(c, 0);
	c->open = mem_grow(c->open, c->count, &c->capacity, sizeof *c->open);
	c->open[c->count++] = (struct call){.id = text_of(s, "id"),
		.name = text_of(s, "name"),
		.input = text_of(s, "input"),
		.start = s->time,
		.attempt = s->attempt,
		.exit = -1,
		.alone = alone};
}

/* An end without its beginning is a call too: the log may have lost that. */
static void finish_call(struct calls *c, const struct step *s)
{
	AUTO_FREE char *id = text_of(s, "id");
	struct call *call;
	size_t at = 0;

	while (at < c->count && strcmp(c->open[at].id, id) != 0)
		at++;
	if (at == c->count) {
		begin(c, s);
		at = c->count - 1;
		c->open[at].start = 0;
	}
	call = &c->open[at];
	call->end = s->time;
	call->finished = true;
	call->ok = step_true(s, "ok");
	call->exit = step_int(s, "exit", -1);
	hand_out(c, at);
}

void calls_step(struct calls *c, const struct step *s)
{
	if (s->attempt > c->attempt) {
		give_up(c);
		c->attempt = s->attempt;
	}
	c->last = MAX(c->last, s->time);
	if (s->kind == STEP_TOOL)
		begin(c, s);
	else if (s->kind == STEP_TOOL_END)
		finish_call(c, s);
}

void calls_end(struct calls *c)
{
	give_up(c);
	free(c->open);
	c->open = NULL;
	c->capacity = 0;
}

int64_t call_duration(const struct call *call)
{
	return call->start && call->end ? MAX(call->end - call->start, INT64_C(0)) : -1;
}
