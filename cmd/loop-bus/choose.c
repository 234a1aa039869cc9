#include "choose.h"

#include "clock.h"
#include "die.h"
#include "parse.h"

#include <errno.h>

struct choice choice = {.priority = -1};

const char *const priority_choices[] = {"critical", "high", "normal", "low", "background", NULL};

static void add_all(struct filter *f, char *const *item, size_t count,
	int (*add)(struct filter *, const char *, struct err *))
{
	struct err e = {0};

	for (size_t i = 0; i < count; i++)
		if (add(f, item[i], &e) < 0)
			die_usage("%s", e.text);
}

void choose(struct filter *f, const struct args *types)
{
	add_all(f, choice.types.item, choice.types.count, filter_add_type);
	add_all(f, choice.subjects.item, choice.subjects.count, filter_add_subject);
	add_all(f, choice.where.item, choice.where.count, filter_add_where);
	if (types)
		add_all(f, types->item, types->count, filter_add_type);
	if (choice.priority >= 0 &&
		priority_parse(priority_choices[choice.priority], &f->least) < 0)
		die_usage("--priority: '%s'", priority_choices[choice.priority]);
}

static int64_t time_option(const char *name, const char *text, int64_t missing)
{
	int64_t ns = missing;

	if (text && parse_time(text, clock_real(), &ns) < 0)
		die_usage("--%s: '%s' is neither a time such as 2026-11-20T09:01:02Z nor an age "
			  "such as 10m",
			name, text);
	return ns;
}

void choose_times(int64_t *since, int64_t *until)
{
	*since = time_option("since", choice.since, INT64_MIN);
	*until = time_option("until", choice.until, INT64_MAX);
}

int64_t view_time(const struct event_view *v)
{
	int64_t ns;

	if (v->time.n < 2 || parse_rfc3339(v->time.p + 1, v->time.n - 2, &ns) < 0)
		return INT64_MIN;
	return ns;
}

bool wanted(const struct filter *f, const struct journal_line *line, struct event_view *v)
{
	return event_view(line->text, line->length, v) == 0 &&
		filter_matches(f, v, (struct span){line->text, line->length});
}

void must_find_state(struct state *s)
{
	struct err e = {0};
	int r = state_find(s, &e);

	if (r < 0)
		die_err(r, &e);
}

static void report_damage(void *context, int64_t position, const char *why)
{
	uint64_t *reported = context;

	if (!(*reported)++)
		warn("at %lld: %s; stepped over", (long long)position, why);
}

struct journal_reader *open_journal(const struct state *s, const char *from, const char *meant)
{
	static uint64_t reported;
	struct journal_reader *r;
	struct err e = {0};
	int64_t id = 0;
	enum journal_from place = JOURNAL_FROM_ID;
	int code;

	if (!from)
		from = meant;
	if (strcmp(from, "now") == 0)
		place = JOURNAL_FROM_NOW;
	else if (strcmp(from, "start") == 0)
		place = JOURNAL_FROM_START;
	else if (parse_int(from, 0, INT64_MAX, &id) < 0)
		die_usage("--from: '%s' is neither now nor start nor an id", from);
	code = journal_reader_new(&r, s, place, id, &e);
	if (code < 0)
		die(code == -ERANGE ? EX_NOINPUT : die_status(code), "%s", e.text);
	journal_on_damage(r, report_damage, &reported);
	return r;
}

void close_journal(struct journal_reader *r)
{
	if (journal_damaged(r) > 1)
		warn("%llu damaged lines were stepped over",
			(unsigned long long)journal_damaged(r));
	journal_reader_free(r);
}
