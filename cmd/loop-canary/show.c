/* status and list. */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "parse.h"

#include <errno.h>

static bool json;

const struct opt show_options[] = {
	{.name = "json", .help = "print JSON lines", .flag = &json},
	{0},
};

static void print_words(const char *what, const struct buf *text)
{
	AUTO_BUF struct buf b = {0};

	if (!text->length)
		return;
	buf_escape(&b, text->text, text->length);
	printf("  %s: %s\n", what, b.text);
}

static void print_line(const struct record *r)
{
	char age[DURATION_SIZE];

	printf("%-20s %-16s %3lld %%  step %zu of %zu  %6s  %s\n", r->name, stage_name(r->stage),
		(long long)r->weight, r->course.step + 1, r->plan.step_count,
		format_duration(age, MAX(clock_real() - r->started, 0)), r->plan.target);
}

static void print_full(const struct record *r)
{
	const struct step *s = &r->plan.step[r->course.step];
	char held[DURATION_SIZE], hold[DURATION_SIZE];

	print_line(r);
	if (!stage_ended(r->stage))
		printf("  held for %s of %s; checks: %lld failed, %lld inconclusive, %lld broken\n",
			format_duration(held, r->course.held), format_duration(hold, s->hold),
			(long long)r->course.failures, (long long)r->course.inconclusives,
			(long long)r->course.errors);
	print_words("why", &r->why);
	print_words("checks", &r->last);
}

static void print_json(const struct record *r)
{
	AUTO_BUF struct buf b = {0};

	record_format(r, &b);
	fputs(b.text, stdout);
}

static int show(const struct state *s, const char *name, void (*print)(const struct record *))
{
	AUTO_RECORD struct record r = RECORD_NONE;
	struct err e = {0};
	int n = record_open(&r, s, name, &e);

	if (n < 0) {
		warn("%s", e.text);
		return n == -ENOENT ? EXIT_NO : die_status(n);
	}
	(json ? print_json : print)(&r);
	return EXIT_SUCCESS;
}

static int show_all(char *const *names, size_t count, const struct state *s,
	void (*print)(const struct record *))
{
	int status = EXIT_SUCCESS;

	for (size_t i = 0; i < count; i++) {
		int shown = show(s, names[i], print);

		status = MAX(status, shown);
	}
	return status;
}

static void find_state(struct state *s)
{
	struct err e = {0};
	int r = state_find(s, &e);

	if (r < 0)
		die_err(r, &e);
}

/* Those that are named, or all. */
static int show_chosen(const struct args *args, void (*print)(const struct record *))
{
	AUTO_STRS struct strs names = {0};
	struct state s;
	int status;

	find_state(&s);
	status = args->count ? 0 : records_list(&s, &names);
	if (status < 0)
		die(die_status(status), "%s/rollouts: %s", s.path, strerror(-status));
	status = args->count ? show_all(args->item, args->count, &s, print)
			     : show_all(names.item, names.count, &s, print);
	state_close(&s);
	return status;
}

int status_main(const struct args *args)
{
	return show_chosen(args, print_full);
}

int list_main(const struct args *args)
{
	return show_chosen(args, print_line);
}
