/* loop-stat: counts, rates and percentiles over events. */
#include "stat.h"

#include "clock.h"
#include "die.h"
#include "mem.h"
#include "opt.h"
#include "parse.h"
#include "pattern.h"

static const char *by, *since;
static bool json, prometheus, follow, watch;
static struct question question = {.late = 60 * NS_PER_S, .since = INT64_MIN};
static int64_t groups_max = 1000;

static const struct opt options[] = {
	{.name = "window",
		.letter = 'w',
		.arg = "D",
		.help = "one line a window of this length",
		.duration = &question.length},
	{.name = "late",
		.arg = "D",
		.help = "how late an event may come (1m)",
		.duration = &question.late},
	{.name = "by",
		.letter = 'b',
		.arg = "PATH,...",
		.help = "group by these members, as type,subject,data.agent",
		.string = &by},
	{.name = "value",
		.arg = "PATH",
		.help = "the number (data.value, else data.ms)",
		.string = &question.value},
	{.name = "type",
		.letter = 't',
		.arg = "PATTERN",
		.help = "only events of these types",
		.string = &question.type},
	{.name = "subject",
		.letter = 's',
		.arg = "PATTERN",
		.help = "only events about these subjects",
		.string = &question.subject},
	{.name = "since",
		.arg = "TIME",
		.help = "a time, or an age such as 10m",
		.string = &since},
	{.name = "groups",
		.arg = "N",
		.help = "further groups are one (1000)",
		.number = &groups_max,
		.min = 1,
		.max = 1000000},
	{.name = "follow",
		.letter = 'f',
		.help = "go on with the journal; prints each window as it closes",
		.flag = &follow},
	{.name = "watch", .help = "show the newest window in place", .flag = &watch},
	{.name = "json", .help = "print JSON lines", .flag = &json},
	{.name = "prometheus", .help = "print Prometheus' text format", .flag = &prometheus},
	{0},
};

static void print(const struct windows *w, const struct window *window)
{
	static bool headed;
	AUTO_BUF struct buf b = {0};

	if (watch)
		return;
	if (!json && !prometheus && !headed)
		print_head(w, &b);
	headed = true;
	if (json)
		print_json(w, window, &b);
	else if (prometheus)
		print_prometheus(w, window, &b);
	else
		print_text(w, window, &b);
	fwrite(b.text, 1, b.length, stdout);
	if (follow)
		fflush(stdout);
}

static void split_by(void)
{
	char *rest = mem_string(by), *path;

	while ((path = strsep(&rest, ","))) {
		if (!*path || question.by_count == LABELS_MAX)
			die_usage("--by: '%s' has to be 1 to %d paths", by, LABELS_MAX);
		question.by[question.by_count++] = path;
	}
}

static void check_options(const struct args *args)
{
	if (by)
		split_by();
	if (since && parse_time(since, clock_real(), &question.since) < 0)
		die_usage("--since: '%s' is neither a time nor an age", since);
	if (question.type && !pattern_valid(question.type, PATTERN_TYPE))
		die_usage("--type: '%s' is no pattern such as story.*", question.type);
	if (question.subject && !pattern_valid(question.subject, PATTERN_SUBJECT))
		die_usage("--subject: '%s' is no pattern such as shop/**", question.subject);
	if (json + prometheus + watch > 1)
		die_usage("--json, --prometheus and --watch exclude each other");
	if (prometheus && (question.length || follow))
		die_usage("--prometheus tells totals: without --window and --follow");
	if ((follow || watch) && args->count)
		die_usage("--follow and --watch are of the journal, not of files");
	if (follow && !watch && !question.length)
		die_usage("--follow needs a --window");
	if (watch && !isatty(STDOUT_FILENO))
		die_usage("--watch needs a terminal");
	question.groups_max = (size_t)groups_max;
}

/* The newest window where the one before stood. */
static void redraw(const struct windows *w)
{
	static size_t rows;
	AUTO_BUF struct buf b = {0};

	if (rows)
		buf_format(&b, "\033[%zuA\033[J", rows);
	rows = 0;
	if (w->count) {
		print_head(w, &b);
		print_text(w, &w->open[w->count - 1], &b);
		rows = w->open[w->count - 1].count + 1;
	}
	fwrite(b.text, 1, b.length, stdout);
	fflush(stdout);
}

static int run(const struct args *args)
{
	struct windows w = {.question = &question, .closed = print};

	check_options(args);
	for (size_t i = 0; i < args->count; i++)
		read_file(&w, args->item[i]);
	if (!args->count)
		read_journal(&w, follow || watch, watch ? redraw : NULL);
	windows_end(&w);
	if (w.late)
		warn("%llu events came too late for their window: see --late",
			(unsigned long long)w.late);
	if (w.odd)
		warn("%llu lines are no events: passed over", (unsigned long long)w.odd);
	return EXIT_SUCCESS;
}

static const struct command stat_command = {
	.name = "loop-stat",
	.synopsis = "[OPTIONS] [FILE...]",
	.brief = "Counts, rates and percentiles over events.",
	.options = options,
	.run = run,
};

int main(int argc, char **argv)
{
	return opt_main(&stat_command, argc, argv);
}
