/*
 * The report for people. What is said is the same in each format; how it is
 * marked up is one row of a table.
 */
#include "report.h"

#include "clock.h"
#include "mem.h"
#include "parse.h"
#include "words.h"

enum { ROWS_MAX = 30 };

/* What goes around the parts of a page; special: what else in a text would be markup. */
static const struct markup {
	const char *title, *title_end, *end;
	const char *heading, *heading_end, *list_end;
	const char *item, *line, *item_end; /* line: one more of the same item */
	const char *command, *command_end;
	const char *special, *special_in_code;
	bool entities; /* that becomes an entity of HTML; else a backslash goes before it */
} markups[] = {
	[REPORT_TEXT] = {
		.title = "",
		.title_end = "\n",
		.end = "",
		.heading = "\n",
		.heading_end = "\n",
		.list_end = "",
		.item = "  ",
		.line = "\n    ",
		.item_end = "\n",
		.command = "  ",
		.command_end = "\n",
		.special = "",
		.special_in_code = "",
	},
	[REPORT_MARKDOWN] = {
		.title = "# Report, ",
		.title_end = "\n\n",
		.end = "",
		.heading = "\n## ",
		.heading_end = "\n\n",
		.list_end = "",
		.item = "- ",
		.line = "\n    ",
		.item_end = "\n",
		.command = "    ",
		.command_end = "\n",
		.special = "\\`*_[]<>|#!&",
		.special_in_code = "",
	},
	[REPORT_HTML] = {
		.title = "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\">"
			 "<meta name=\"viewport\" content=\"width=device-width\">"
			 "<title>Report</title>\n"
			 "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;"
			 "margin:2rem auto;padding:0 1rem;color-scheme:light dark}</style>\n"
			 "<h1>Report, ",
		.title_end = "</h1>\n<p>",
		.end = "</html>\n",
		.heading = "<h2>",
		.heading_end = "</h2>\n<ul>\n",
		.list_end = "</ul>\n",
		.item = "<li>",
		.line = "<br>",
		.item_end = "</li>\n",
		.command = "<li><code>",
		.command_end = "</code></li>\n",
		.special = "<>&\"'",
		.special_in_code = "<>&\"'",
		.entities = true,
	},
};

struct page {
	const struct report *report;
	const struct markup *marks;
	struct buf *out;
};

static void heading(const struct page *p, const char *text)
{
	buf_format(p->out, "%s%s%s", p->marks->heading, text, p->marks->heading_end);
}

static void add_char(const struct page *p, const char *special, char c)
{
	bool means = strchr(special, c) != NULL;

	if (means && p->marks->entities) {
		buf_format(p->out, "&#%d;", c);
		return;
	}
	if (means)
		buf_char(p->out, '\\');
	buf_char(p->out, c);
}

/* Somebody else's text as one line; what would be markup in it loses its meaning. */
static void add_text(const struct page *p, const char *special, const char *text, size_t max)
{
	AUTO_BUF struct buf safe = {0};

	words_line(&safe, text, strlen(text), max);
	for (size_t i = 0; i < safe.length; i++)
		add_char(p, special, safe.text[i]);
}

static void add_cell(const struct page *p, const char *text, size_t max)
{
	add_text(p, p->marks->special, text, max);
}

static void begin_item(const struct page *p)
{
	buf_str(p->out, p->marks->item);
}

static void end_item(const struct page *p)
{
	buf_str(p->out, p->marks->item_end);
}

/* The end of a list of count, of which only the first are shown. */
static void end_list(const struct page *p, size_t count)
{
	if (count > ROWS_MAX) {
		begin_item(p);
		buf_format(p->out, "and %zu more", count - ROWS_MAX);
		end_item(p);
	}
	if (count)
		buf_str(p->out, p->marks->list_end);
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

	buf_format(p->out, "%s%.16s to %.16s UTC%s", p->marks->title, format_time(from, r->since),
		format_time(to, r->until), p->marks->title_end);
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
		end_item(p);
	}
	end_list(p, MIN(p->report->runs, (size_t)ROWS_MAX));
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
	record_last_words(r, &words);
	if (words.length) {
		buf_add(&words, "", 0);
		buf_format(p->out, "%slast words: ", p->marks->line);
		add_cell(p, words.text, 160);
	}
	end_item(p);
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
	end_list(p, n);
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
		end_item(p);
	}
	end_list(p, MIN(p->report->gates, (size_t)ROWS_MAX));
}

static int dearest_first(const void *left, const void *right)
{
	const struct group *a = left, *b = right;

	if (a->cost != b->cost)
		return a->cost < b->cost ? 1 : -1;
	return (a->output < b->output) - (a->output > b->output);
}

/* Whether it is more than one session that belongs to no story and is listed by its own name. */
static bool is_group(const struct group *g)
{
	return strcmp(g->name, g->newest->id) != 0;
}

static void add_group(const struct page *p, const struct group *g)
{
	begin_item(p);
	add_cell(p, g->name, 60);
	buf_str(p->out, "  ");
	add_money(p, g);
	buf_str(p->out, ", ");
	words_count(p->out, g->sessions, "session");
	buf_format(p->out, ", %lld tokens out", (long long)g->output);
	end_item(p);
}

static void add_groups(const struct page *p, const struct groups *g, const char *title)
{
	size_t n = 0;

	for (size_t i = 0; i < g->count; i++) {
		if (!is_group(&g->item[i]))
			continue;
		if (!n)
			heading(p, title);
		if (n++ < ROWS_MAX)
			add_group(p, &g->item[i]);
	}
	end_list(p, n);
}

static void add_next(const struct page *p)
{
	AUTO_STRS struct strs commands = {0};

	report_next(p->report, &commands);
	if (commands.count)
		heading(p, "What to type next");
	for (size_t i = 0; i < commands.count; i++) {
		buf_str(p->out, p->marks->command);
		add_text(p, p->marks->special_in_code, commands.item[i], 300);
		buf_str(p->out, p->marks->command_end);
	}
	end_list(p, MIN(commands.count, (size_t)ROWS_MAX));
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

void report_text(const struct report *r, enum report_format format, struct buf *out)
{
	const struct page p = {r, &markups[format], out};
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
	buf_str(out, p.marks->end);
	free(stories.item);
	free(models.item);
}
