#include "report.h"

#include "clock.h"
#include "mem.h"
#include "out.h"
#include "parse.h"
#include "words.h"

enum { ROWS_MAX = 30 };

struct page {
	const struct report *report;
	bool markdown;
	struct buf *out;
};

static void heading(const struct page *p, const char *text)
{
	buf_format(p->out, p->markdown ? "\n## %s\n\n" : "\n%s\n", text);
}

/* Markdown's own characters lose their meaning; a line stays a line. */
static void add_cell(const struct page *p, const char *text, size_t max)
{
	AUTO_BUF struct buf safe = {0};

	words_line(&safe, text, strlen(text), max);
	for (size_t i = 0; i < safe.length; i++) {
		if (p->markdown && strchr("\\`*_[]<>|#!&", safe.text[i]))
			buf_char(p->out, '\\');
		buf_char(p->out, safe.text[i]);
	}
}

static void begin_item(const struct page *p)
{
	buf_str(p->out, p->markdown ? "- " : "  ");
}

static void add_money(const struct page *p, const struct group *g)
{
	char cost[DOLLARS_SIZE];

	if (g->unknown == g->sessions) {
		buf_str(p->out, "cost unknown");
		return;
	}
	buf_str(p->out, words_dollars(cost, true, g->cost));
	if (g->unknown) {
		buf_str(p->out, " and ");
		words_count(p->out, g->unknown, "session");
		buf_str(p->out, " of unknown cost");
	}
}

static void add_head(const struct page *p)
{
	const struct report *r = p->report;
	char from[TIME_SIZE], to[TIME_SIZE];

	buf_format(p->out, "%s%.16s to %.16s UTC\n", p->markdown ? "# Report, " : "",
		format_time(from, r->since), format_time(to, r->until));
	if (p->markdown)
		buf_char(p->out, '\n');
	words_count(p->out, r->total.sessions, "session");
	buf_format(p->out, ": %lld succeeded, %lld failed", (long long)r->total.succeeded,
		(long long)r->failed);
	if (r->retried)
		buf_format(p->out, " (%lld done later)", (long long)r->retried);
	if (r->lost)
		buf_format(p->out, ", %lld lost", (long long)r->lost);
	if (r->live)
		buf_format(p->out, ", %lld at work", (long long)r->live);
	buf_str(p->out, "; ");
	add_money(p, &r->total);
	buf_format(p->out, "; %lld tokens in, %lld out\n", (long long)r->total.input,
		(long long)r->total.output);
	if (r->merged) {
		buf_format(p->out, "%lld %s done", (long long)r->merged,
			r->merged == 1 ? "story" : "stories");
		for (size_t i = 0; i < r->branches.count; i++) {
			buf_str(p->out, i ? ", " : ", merged onto ");
			add_cell(p, r->branches.item[i], 100);
		}
		buf_char(p->out, '\n');
	}
}

static void add_runs(const struct page *p)
{
	if (p->report->runs)
		heading(p, "Runs");
	for (size_t i = 0; i < p->report->runs; i++) {
		const struct run *r = &p->report->run[i];

		begin_item(p);
		add_cell(p, r->id, 60);
		buf_str(p->out, "  ");
		add_cell(p, r->plan, 40);
		buf_str(p->out, "  ");
		add_cell(p, report_run_state(r), 32);
		buf_format(p->out, ", %lld of %lld done", (long long)r->succeeded,
			(long long)r->tasks);
		if (r->failed)
			buf_format(p->out, ", %lld failed", (long long)r->failed);
		buf_char(p->out, '\n');
	}
}

static void add_session(const struct page *p, const struct record *r)
{
	AUTO_BUF struct buf words = {0};
	char age[DURATION_SIZE];

	begin_item(p);
	add_cell(p, record_story(r), 60);
	buf_str(p->out, "  ");
	add_cell(p, record_outcome(r), 32);
	buf_format(p->out, ", %s ago",
		format_duration(age, clock_real() - MAX(r->ended, r->started)));
	if (*r->message) {
		buf_str(p->out, ": ");
		add_cell(p, r->message, 200);
	}
	buf_char(p->out, '\n');
	record_last_words(r, &words);
	if (words.length) {
		buf_add(&words, "", 0);
		buf_str(p->out, "    last words: ");
		add_cell(p, words.text, 160);
		buf_char(p->out, '\n');
	}
}

static void add_list(const struct page *p, enum report_list list, const char *title)
{
	const struct records *all = &p->report->all;
	size_t n = 0;

	for (size_t i = 0; i < all->count; i++) {
		if (!report_holds(p->report, list, &all->item[i]))
			continue;
		if (!n)
			heading(p, title);
		if (n++ < ROWS_MAX)
			add_session(p, &all->item[i]);
	}
	if (n > ROWS_MAX) {
		begin_item(p);
		buf_format(p->out, "and %zu more\n", n - ROWS_MAX);
	}
}

static void add_gates(const struct page *p)
{
	char age[DURATION_SIZE];

	if (p->report->gates)
		heading(p, "Questions to you");
	for (size_t i = 0; i < p->report->gates; i++) {
		const struct gate *g = &p->report->gate[i];

		begin_item(p);
		add_cell(p, g->id, 60);
		buf_format(p->out, ", %s ago: ",
			format_duration(age, MAX(clock_real() - g->raised, INT64_C(0))));
		add_cell(p, g->question ? g->question : "", 200);
		buf_char(p->out, '\n');
	}
}

static int dearest_first(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	if (a->cost != b->cost)
		return a->cost < b->cost ? 1 : -1;
	return (a->output < b->output) - (a->output > b->output);
}

static void add_groups(const struct page *p, const struct groups *g, const char *title)
{
	size_t shown = MIN(g->count, (size_t)ROWS_MAX);

	if (!g->count)
		return;
	heading(p, title);
	for (size_t i = 0; i < shown; i++) {
		const struct group *one = &g->item[i];

		begin_item(p);
		add_cell(p, one->name, 60);
		buf_str(p->out, "  ");
		add_money(p, one);
		buf_str(p->out, ", ");
		words_count(p->out, one->sessions, "session");
		buf_format(p->out, ", %lld tokens out\n", (long long)one->output);
	}
	if (g->count > shown) {
		begin_item(p);
		buf_format(p->out, "and %zu more\n", g->count - shown);
	}
}

static void add_next(const struct page *p)
{
	AUTO_STRS struct strs commands = {0};

	report_next(p->report, &commands);
	if (commands.count)
		heading(p, "What to type next");
	for (size_t i = 0; i < commands.count; i++) {
		buf_str(p->out, p->markdown ? "    " : "  ");
		words_line(p->out, commands.item[i], strlen(commands.item[i]), 300);
		buf_char(p->out, '\n');
	}
}

/* A copy in order of cost: the groups themselves are looked up by their index. */
static struct groups sorted(const struct groups *g)
{
	struct groups copy = {.count = g->count};

	copy.item = mem_zero(MAX(g->count, (size_t)1), sizeof *g->item);
	memcpy(copy.item, g->item, g->count * sizeof *g->item);
	qsort(copy.item, copy.count, sizeof *copy.item, dearest_first);
	return copy;
}

void report_text(const struct report *r, bool markdown, struct buf *out)
{
	const struct page p = {r, markdown, out};
	struct groups stories = sorted(&r->stories), models = sorted(&r->models);

	add_head(&p);
	add_gates(&p);
	add_list(&p, REPORT_WAITING, "Waits for you");
	add_list(&p, REPORT_LOST, "Lost");
	add_list(&p, REPORT_FAILED, "Failed");
	add_runs(&p);
	add_groups(&p, &stories, "By story");
	add_groups(&p, &models, "By model");
	add_next(&p);
	free(stories.item);
	free(models.item);
}

static void print_group(const char *kind, const struct group *g)
{
	out_json(json_pack("{s:s, s:s?, s:I, s:I, s:o, s:I, s:I, s:I}", "kind", kind, "name",
		g->name, "sessions", (json_int_t)g->sessions, "succeeded", (json_int_t)g->succeeded,
		"cost_usd", g->unknown == g->sessions ? json_null() : json_real(g->cost),
		"unknown_cost", (json_int_t)g->unknown, "input", (json_int_t)g->input, "output",
		(json_int_t)g->output));
}

static void print_list(const struct report *r, enum report_list list, const char *kind)
{
	for (size_t i = 0; i < r->all.count; i++) {
		const struct record *one = &r->all.item[i];
		AUTO_BUF struct buf words = {0};
		json_t *j;

		if (!report_holds(r, list, one))
			continue;
		j = record_json(one);
		record_last_words(one, &words);
		json_object_set_new(j, "kind", json_string(kind));
		json_object_set_new(j, "last_words", json_stringn(words.text, words.length));
		out_json(j);
	}
}

static void print_head(const struct report *r)
{
	char from[TIME_SIZE], to[TIME_SIZE];

	out_json(json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:I, s:I}", "kind",
		"report", "since", format_time(from, r->since), "until", format_time(to, r->until),
		"sessions", (json_int_t)r->total.sessions, "succeeded",
		(json_int_t)r->total.succeeded, "failed", (json_int_t)r->failed, "retried",
		(json_int_t)r->retried, "lost", (json_int_t)r->lost, "live", (json_int_t)r->live,
		"cost_usd",
		r->total.unknown == r->total.sessions ? json_null() : json_real(r->total.cost),
		"unknown_cost", (json_int_t)r->total.unknown, "stories_done",
		(json_int_t)r->merged));
}

static void print_run(const struct run *r)
{
	char time[TIME_SIZE];

	out_json(json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "kind", "run", "run", r->id,
		"plan", r->plan, "state", report_run_state(r), "started",
		format_time(time, r->started), "tasks", (json_int_t)r->tasks, "succeeded",
		(json_int_t)r->succeeded, "failed", (json_int_t)r->failed));
}

void report_json(const struct report *r)
{
	AUTO_STRS struct strs commands = {0};

	print_head(r);
	print_list(r, REPORT_WAITING, "waiting");
	print_list(r, REPORT_LOST, "lost");
	print_list(r, REPORT_FAILED, "failed");
	for (size_t i = 0; i < r->gates; i++)
		out_json(json_pack("{s:s, s:s, s:s?}", "kind", "gate", "gate", r->gate[i].id,
			"question", r->gate[i].question));
	for (size_t i = 0; i < r->runs; i++)
		print_run(&r->run[i]);
	for (size_t i = 0; i < r->stories.count; i++)
		print_group("story", &r->stories.item[i]);
	for (size_t i = 0; i < r->models.count; i++)
		print_group("model", &r->models.item[i]);
	report_next(r, &commands);
	for (size_t i = 0; i < commands.count; i++)
		out_json(json_pack("{s:s, s:s}", "kind", "next", "command", commands.item[i]));
}
