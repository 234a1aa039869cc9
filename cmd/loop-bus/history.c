/*
 * history and replay: what happened, as it stands in the journal. The newest
 * events are found from the journal's end backwards, so that asking for ten
 * costs ten, however long the journal is.
 */
#include "commands.h"

#include "choose.h"
#include "clock.h"
#include "die.h"
#include "io.h"

enum { NEWEST = 1000,
	OUT_SIZE = 64 * 1024 };

static struct {
	int64_t number;
	bool all, reverse;
	struct strs grep;
	const char *speed;
} options = {.number = -1};

const struct opt history_options[] = {
	{.name = "number",
		.letter = 'n',
		.arg = "N",
		.help = "the newest N (1000)",
		.number = &options.number},
	{.name = "all", .letter = 'a', .help = "not only the newest", .flag = &options.all},
	{.name = "reverse", .letter = 'r', .help = "the newest first", .flag = &options.reverse},
	OPT_TYPE,
	OPT_SUBJECT,
	OPT_WHERE,
	OPT_PRIORITY,
	OPT_SINCE,
	OPT_UNTIL,
	{.name = "grep",
		.letter = 'g',
		.arg = "TEXT",
		.help = "events whose line holds this text",
		.strings = &options.grep},
	{0},
};

const struct opt replay_options[] = {
	{.name = "speed",
		.arg = "FACTOR",
		.help = "so many times as fast as it happened (1); 0: at once",
		.string = &options.speed},
	OPT_TYPE,
	OPT_SUBJECT,
	OPT_WHERE,
	OPT_PRIORITY,
	OPT_FROM,
	OPT_SINCE,
	OPT_UNTIL,
	{0},
};

struct search {
	struct filter filter;
	int64_t since, until;
};

static bool greps(const struct journal_line *line)
{
	for (size_t i = 0; i < options.grep.count; i++)
		if (!memmem(line->text, line->length, options.grep.item[i],
			    strlen(options.grep.item[i])))
			return false;
	return true;
}

static bool found(const struct search *s, const struct journal_line *line, int64_t *when)
{
	struct event_view v;

	if (!greps(line) || !wanted(&s->filter, line, &v))
		return false;
	*when = s->since > INT64_MIN || s->until < INT64_MAX ? view_time(&v) : 0;
	return (s->since == INT64_MIN || *when >= s->since) &&
		(s->until == INT64_MAX || *when < s->until);
}

static void must_write(struct buf *out)
{
	int r = io_write(STDOUT_FILENO, out->text, out->length);

	if (r < 0)
		die(EX_IOERR, "standard output: %s", strerror(-r));
	out->length = 0;
}

static void print_line(struct buf *out, const struct journal_line *line)
{
	buf_add(out, line->text, line->length);
	buf_char(out, '\n');
	if (out->length >= OUT_SIZE)
		must_write(out);
}

static void check_read(int more)
{
	if (more < 0)
		die(EX_IOERR, "the journal: %s", strerror(-more));
}

/* Prints matches from the reader's place, on or back, so many at most; how many they were. */
static size_t walk(const struct search *s, struct journal_reader *r,
	int (*step)(struct journal_reader *, struct journal_line *), size_t limit, struct buf *out)
{
	struct journal_line line;
	size_t count = 0;
	int more = 0;
	int64_t when;

	while (count < limit && (more = step(r, &line)) > 0) {
		if (!found(s, &line, &when))
			continue;
		count++;
		if (out)
			print_line(out, &line);
	}
	check_read(more);
	return count;
}

/* The newest in the order of the journal: back to the oldest of them, then as many on. */
static size_t print_newest(const struct search *s, struct journal_reader *r, size_t limit,
	struct buf *out)
{
	return walk(s, r, journal_read, walk(s, r, journal_read_back, limit, NULL), out);
}

static void open_search(struct search *s, const struct args *args)
{
	*s = (struct search){0};
	choose(&s->filter, args);
	choose_times(&s->since, &s->until);
}

int history_main(const struct args *args)
{
	size_t limit = options.number >= 0 ? (size_t)options.number : NEWEST;
	AUTO_BUF struct buf out = {0};
	struct journal_reader *r;
	struct search s;
	struct state state;
	size_t count;

	open_search(&s, args);
	if (options.all)
		limit = SIZE_MAX;
	must_find_state(&state);
	r = open_journal(&state, options.all && !options.reverse ? "start" : "now", NULL);
	if (options.reverse)
		count = walk(&s, r, journal_read_back, limit, &out);
	else if (options.all)
		count = walk(&s, r, journal_read, limit, &out);
	else
		count = print_newest(&s, r, limit, &out);
	must_write(&out);
	close_journal(r);
	filter_clear(&s.filter);
	state_close(&state);
	return count ? EXIT_SUCCESS : EXIT_NO;
}

static double parse_speed(const char *text)
{
	char *end;
	double speed = text ? strtod(text, &end) : 1;

	if (text && (*end || end == text || !(speed >= 0 && speed < 1e9)))
		die_usage("--speed: '%s' is not a number", text);
	return speed;
}

/* Sleeps until an event's turn: its distance to the first one, so many times as fast. */
static void await_turn(int64_t when, double speed, int64_t *first, int64_t *start)
{
	int64_t due;

	if (speed <= 0 || when == INT64_MIN)
		return;
	if (*first == INT64_MIN) {
		*first = when;
		*start = clock_now();
	}
	due = *start + (int64_t)((double)(when - *first) / speed);
	if (due > clock_now())
		clock_sleep(due - clock_now());
}

int replay_main(const struct args *args)
{
	double speed = parse_speed(options.speed);
	int64_t first = INT64_MIN, start = 0, when;
	AUTO_BUF struct buf out = {0};
	struct journal_reader *r;
	struct journal_line line;
	struct event_view v;
	struct search s;
	struct state state;
	int more;

	open_search(&s, args);
	must_find_state(&state);
	r = open_journal(&state, choice.from, "start");
	while ((more = journal_read(r, &line)) > 0) {
		if (!found(&s, &line, &when) || event_view(line.text, line.length, &v) < 0)
			continue;
		await_turn(view_time(&v), speed, &first, &start);
		print_line(&out, &line);
		if (speed > 0)
			must_write(&out);
	}
	check_read(more);
	must_write(&out);
	close_journal(r);
	filter_clear(&s.filter);
	state_close(&state);
	return EXIT_SUCCESS;
}
