/* The report for programs: JSON lines, each with its kind. */
#include "out.h"
#include "parse.h"
#include "report.h"

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
