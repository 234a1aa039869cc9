/*
 * The command trace: sessions as Chrome trace JSON, a track each. On a track
 * lie the session, its attempts in it, and the tool calls in those. Slices of
 * one track must nest, so a call that runs beside another is an async slice.
 *
 * Source: "Trace Event Format" (Chromium), as Perfetto imports it.
 */
#include "commands.h"

#include "calls.h"
#include "clock.h"
#include "die.h"
#include "mem.h"
#include "out.h"
#include "source.h"

static struct filter_words wanted;

const struct opt trace_options[] = {
	{"run", 0, "RUN", "all sessions of this run", .string = &wanted.run},
	{"since", 0, "TIME", "all that had not ended before", .string = &wanted.since},
	{"number", 'n', "N", "the newest N of them", .number = &wanted.most},
	{0},
};

struct trace {
	struct calls calls;
	struct buf out;
	int64_t zero; /* the earliest start: ns since the epoch */
	size_t track;
	int64_t begin, end; /* of the session */
	int64_t attempt, attempt_begin;
	int64_t last;  /* time as this track has seen it, which never goes back */
	int64_t async; /* ids given */
	bool any;
};

static double us(const struct trace *t, int64_t ns)
{
	return (double)(ns - t->zero) / (double)NS_PER_US;
}

static void begin_event(struct trace *t, char phase, const char *name, size_t length)
{
	buf_str(&t->out, t->any ? ",\n" : "\n");
	t->any = true;
	buf_format(&t->out, "{\"ph\":\"%c\",\"pid\":1,\"tid\":%zu,\"name\":", phase, t->track);
	buf_json(&t->out, name, length);
}

static int64_t within(const struct trace *t, int64_t ns)
{
	return MIN(MAX(ns, t->begin), t->end);
}

static void add_slice(struct trace *t, const char *name, int64_t from, int64_t to,
	const char *outcome)
{
	begin_event(t, 'X', name, strlen(name));
	buf_format(&t->out, ",\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"outcome\":", us(t, from),
		(double)(to - from) / (double)NS_PER_US);
	buf_json(&t->out, outcome, strlen(outcome));
	buf_str(&t->out, "}}");
}

static void add_track(struct trace *t, const struct record *r)
{
	AUTO_FREE char *label = mem_format("%s (%s)", record_story(r), r->id);

	begin_event(t, 'M', "thread_name", strlen("thread_name"));
	buf_str(&t->out, ",\"args\":{\"name\":");
	buf_json(&t->out, label, strlen(label));
	buf_str(&t->out, "}}");
	begin_event(t, 'M', "thread_sort_index", strlen("thread_sort_index"));
	buf_format(&t->out, ",\"args\":{\"sort_index\":%zu}}", t->track);
}

static void add_async(struct trace *t, const struct call *c, char phase, int64_t ns)
{
	begin_event(t, phase, c->name, strlen(c->name));
	buf_format(&t->out, ",\"cat\":\"tool\",\"id\":\"%zu.%lld\",\"ts\":%.3f", t->track,
		(long long)t->async, us(t, ns));
	if (phase == 'b') {
		buf_str(&t->out, ",\"args\":{\"input\":");
		buf_json(&t->out, c->input, strlen(c->input));
		buf_char(&t->out, '}');
	}
	buf_char(&t->out, '}');
}

static void add_call(struct trace *t, const struct call *c, int64_t from, int64_t to)
{
	const char *outcome = !c->finished ? "unfinished" : c->ok ? "ok"
								  : "failed";

	begin_event(t, 'X', c->name, strlen(c->name));
	buf_format(&t->out, ",\"ts\":%.3f,\"dur\":%.3f,\"args\":{\"outcome\":\"%s\",\"input\":",
		us(t, from), (double)(to - from) / (double)NS_PER_US, outcome);
	buf_json(&t->out, c->input, strlen(c->input));
	buf_str(&t->out, "}}");
}

static void on_call(void *context, const struct call *c)
{
	struct trace *t = context;
	int64_t to = within(t, c->end ? c->end : t->last);
	int64_t from = MIN(within(t, c->start ? c->start : to), to);

	if (c->alone) {
		add_call(t, c, from, to);
		return;
	}
	t->async++;
	add_async(t, c, 'b', from);
	add_async(t, c, 'e', to);
}

static void close_attempt(struct trace *t, int64_t to)
{
	char name[48];

	if (t->attempt)
		snprintf(name, sizeof name, "attempt %lld", (long long)t->attempt);
	if (t->attempt)
		add_slice(t, name, t->attempt_begin, MAX(to, t->attempt_begin), "");
}

static void add_tokens(struct trace *t, const struct step *s)
{
	char name[48];

	snprintf(name, sizeof name, "tokens %zu", t->track);
	begin_event(t, 'C', name, strlen(name));
	buf_format(&t->out, ",\"ts\":%.3f,\"args\":{\"input\":%lld,\"output\":%lld}}",
		us(t, t->last), (long long)step_int(s, "input", 0),
		(long long)step_int(s, "output", 0));
}

static void add_instant(struct trace *t, const struct step *s, const char *name, const char *key)
{
	AUTO_BUF struct buf text = {0};

	step_text(s, key, &text);
	begin_event(t, 'i', name, strlen(name));
	buf_format(&t->out, ",\"s\":\"t\",\"ts\":%.3f,\"args\":{\"text\":", us(t, t->last));
	buf_json(&t->out, text.text, MIN(text.length, (size_t)500));
	buf_str(&t->out, "}}");
}

static void add_point(struct trace *t, const struct step *s)
{
	if (s->kind == STEP_USAGE)
		add_tokens(t, s);
	else if (s->kind == STEP_MESSAGE)
		add_instant(t, s, "message", "text");
	else if (s->kind == STEP_RETRY)
		add_instant(t, s, "retry", "class");
	else if (s->kind == STEP_ERROR)
		add_instant(t, s, "error", "message");
	else if (s->kind == STEP_RESULT)
		add_instant(t, s, "result", "reason");
}

/* Clocks jump; on a track time only goes on. */
static void on_step(void *context, const struct step *s)
{
	struct trace *t = context;
	struct step now = *s;

	if (!s->time)
		return;
	now.time = t->last = MAX(t->last, within(t, s->time));
	if (s->attempt > t->attempt) {
		calls_step(&t->calls, &(struct step){.attempt = s->attempt});
		close_attempt(t, t->last);
		t->attempt = s->attempt;
		t->attempt_begin = t->last;
	}
	calls_step(&t->calls, &now);
	add_point(t, &now);
	out_text(&t->out);
}

static void trace_session(struct trace *t, const struct record *r, const char *id)
{
	struct source s;
	char *operand[] = {(char *)(uintptr_t)id, NULL};

	source_open(&s, &(struct args){.item = operand, .count = 1});
	t->calls = (struct calls){.done = on_call, .context = t};
	t->begin = t->last = r->started;
	t->end = record_live(r) ? clock_real() : MAX(r->ended, r->started);
	t->attempt = 0;
	add_track(t, r);
	add_slice(t, record_story(r), t->begin, t->end, record_outcome(r));
	source_each(&s, on_step, t);
	calls_end(&t->calls);
	close_attempt(t, t->end);
	out_text(&t->out);
	source_warn(&s);
	source_close(&s);
}

static void trace_all(struct trace *t, const struct records *all)
{
	buf_str(&t->out, "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[");
	begin_event(t, 'M', "process_name", strlen("process_name"));
	buf_str(&t->out, ",\"args\":{\"name\":\"sessions\"}}");
	for (size_t i = all->count; i-- > 0;) {
		if (!all->item[i].started)
			continue;
		t->track++;
		trace_session(t, &all->item[i], all->item[i].id);
	}
	buf_str(&t->out, "\n]}\n");
	out_text(&t->out);
}

/* Those that were named, else those that the options choose, else the newest. */
static void choose(struct records *all, const struct state *state, const struct args *args)
{
	struct filter f;

	if (!args->count && !wanted.run && !wanted.since && !wanted.most)
		wanted.most = 1;
	filter_make(&f, &wanted);
	if (!args->count)
		records_read(all, state, &f);
	for (size_t i = 0; i < args->count; i++) {
		AUTO_FREE char *id = record_find(state, args->item[i]);

		all->item = mem_grow(all->item, all->count, &all->capacity, sizeof *all->item);
		if (record_read(&all->item[all->count], state, id) == 0)
			all->count++;
	}
	if (!all->count)
		die(EXIT_NO, "no such session in %s", state->path);
}

int trace_run(const struct args *args)
{
	struct trace t = {.zero = INT64_MAX};
	struct records all = {0};
	struct state state;

	open_state(&state);
	choose(&all, &state, args);
	for (size_t i = 0; i < all.count; i++)
		if (all.item[i].started)
			t.zero = MIN(t.zero, all.item[i].started);
	trace_all(&t, &all);
	records_clear(&all);
	state_close(&state);
	buf_clear(&t.out);
	return 0;
}
