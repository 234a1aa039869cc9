/* The commands list and latest: which sessions there are. */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "out.h"
#include "parse.h"
#include "words.h"

#include <errno.h>

static struct filter_words wanted;
static bool as_json, as_path;

static const char *const state_choices[] = {"any", "starting", "running", "waiting", "verifying",
	"ended", "lost", "unreadable", NULL};

const struct opt list_options[] = {
	{"run", 0, "RUN", "of this run", .string = &wanted.run},
	{"since", 0, "TIME", "not ended before", .string = &wanted.since},
	{"until", 0, "TIME", "begun before", .string = &wanted.until},
	{"state", 0, "STATE", "in this state", .choice = &wanted.state, .choices = state_choices},
	{"reason", 0, "REASON", "ended so", .string = &wanted.reason},
	{"agent", 'a', "AGENT", "of this agent", .string = &wanted.agent},
	{"number", 'n', "N", "the newest N", .number = &wanted.most},
	{"json", 0, NULL, "JSON lines", .flag = &as_json},
	{0},
};

const struct opt latest_options[] = {
	{"run", 0, "RUN", "of this run", .string = &wanted.run},
	{"agent", 'a', "AGENT", "of this agent", .string = &wanted.agent},
	{"path", 0, NULL, "the session's folder", .flag = &as_path},
	{0},
};

void open_state(struct state *state)
{
	struct err e = {0};
	int r = state_find(state, &e);

	if (r == -ENOENT)
		die(EXIT_NO, "no sessions: %s", e.text);
	if (r < 0)
		die_err(r, &e);
}

static int64_t time_of(const char *option, const char *text)
{
	int64_t ns = 0;

	if (text && parse_time(text, clock_real(), &ns) < 0)
		die_usage("%s: '%s' is neither a time nor an age", option, text);
	return ns;
}

void filter_make(struct filter *f, const struct filter_words *w)
{
	*f = (struct filter){.run = w->run,
		.reason = w->reason,
		.agent = w->agent,
		.state = w->state,
		.most = w->most,
		.since = time_of("--since", w->since),
		.until = time_of("--until", w->until)};
}

static void read_wanted(struct records *all)
{
	struct state state;
	struct filter f;

	filter_make(&f, &wanted);
	open_state(&state);
	records_read(all, &state, &f);
	state_close(&state);
}

static void add_row(struct table *t, const struct record *r)
{
	char text[DURATION_SIZE], cost[DOLLARS_SIZE];
	int64_t ns = record_duration(r);

	table_cell(t, r->id);
	table_cell(t, record_state_name(r->state));
	table_cell(t, r->agent);
	table_cell(t, *r->subject ? r->subject : "-");
	table_cell(t, *r->reason ? r->reason : "-");
	table_cell(t, r->started ? format_duration(text, clock_real() - r->started) : "?");
	table_cell(t, ns < 0 ? "?" : format_duration(text, ns));
	table_cell(t, words_dollars(cost, r->cost_known, r->cost));
}

static void print_table(const struct records *all)
{
	static const char *const heads[] = {"SESSION", "STATE", "AGENT", "SUBJECT", "REASON", "AGE",
		"TOOK", "COST"};
	struct table t = {.columns = countof(heads), .right = 7u << 5};
	AUTO_BUF struct buf out = {0};

	for (size_t i = 0; i < countof(heads); i++)
		table_cell(&t, heads[i]);
	for (size_t i = 0; i < all->count; i++)
		add_row(&t, &all->item[i]);
	table_print(&t, "", &out);
	out_text(&out);
	table_clear(&t);
}

int list_run(const struct args *args)
{
	struct records all = {0};
	bool found;

	args_none(args);
	read_wanted(&all);
	found = all.count > 0;
	for (size_t i = 0; as_json && i < all.count; i++)
		out_json(record_json(&all.item[i]));
	if (!as_json && found)
		print_table(&all);
	records_clear(&all);
	return found ? 0 : EXIT_NO;
}

int latest_run(const struct args *args)
{
	struct records all = {0};
	struct state state;
	struct filter f;

	args_none(args);
	wanted.most = 1;
	filter_make(&f, &wanted);
	open_state(&state);
	records_read(&all, &state, &f);
	if (!all.count)
		die(EXIT_NO, "no such session in %s", state.path);
	if (as_path)
		printf("%s/sessions/%s\n", state.path, all.item[0].id);
	else
		puts(all.item[0].id);
	records_clear(&all);
	state_close(&state);
	return 0;
}
