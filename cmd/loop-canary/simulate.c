/*
 * What would become of releases whose true error rates are known: the same decisions as in
 * earnest, with samples drawn by chance and no time passing. Small samples lie, and this is how
 * much.
 */
#include "commands.h"

#include "course.h"
#include "die.h"
#include "id.h"
#include "mem.h"

static const char *rates = "1,5,8,12,20";
static int64_t runs = 1000, samples = 100, seed, window = -1;
static bool json;

const struct opt simulate_options[] = {
	{.name = "rates",
		.arg = "PERCENT,...",
		.help = "true error rates (1,5,8,12,20)",
		.string = &rates},
	{.name = "samples",
		.arg = "N",
		.help = "samples between two checks at a weight of 100 % (100)",
		.number = &samples,
		.max = 1000000},
	{.name = "window",
		.arg = "D",
		.help = "the check tells of the last D alone (as the file says)",
		.duration = &window},
	{.name = "runs",
		.arg = "N",
		.help = "rollouts for each rate (1000)",
		.number = &runs,
		.min = 1,
		.max = 1000000},
	{.name = "seed", .arg = "N", .help = "the same chances again", .number = &seed},
	{.name = "json", .help = "print JSON lines", .flag = &json},
	{0},
};

enum { CHECKS_A_ROLLOUT = 10000,
	WINDOW_MAX = 100000 /* checks */ };

/* How one ended. */
enum fate { FATE_PROMOTED,
	FATE_ROLLED_BACK,
	FATE_PAUSED,
	FATE_UNDECIDED, /* still watching after so many checks */
	FATE_COUNT };

/* splitmix64 */
static double chance(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ z >> 31) >> 11) / (double)(UINT64_C(1) << 53);
}

/* How long what the first check tells goes back; 0: to the beginning of the step. */
static int64_t told_window(const struct plan *plan)
{
	return window >= 0 ? window : plan->check[0].window;
}

/* What has come in, in a step: in all, and between the last checks. */
struct traffic {
	struct tally all;
	struct tally *last; /* a ring */
	size_t room, next;
};

static void begin(struct traffic *t)
{
	t->all = (struct tally){0};
	memset(t->last, 0, t->room * sizeof *t->last);
}

/* What comes in between two checks: the share of the traffic that the weight is. */
static void draw(struct traffic *t, int64_t weight, double rate, uint64_t *random)
{
	double share = (double)samples * (double)weight / 100;
	struct tally *now = &t->last[t->next++ % t->room];
	int64_t n = (int64_t)share;

	n += chance(random) < share - (double)n;
	*now = (struct tally){.samples = (double)n};
	for (int64_t i = 0; i < n; i++)
		now->errors += chance(random) < rate;
	t->all.samples += now->samples;
	t->all.errors += now->errors;
}

/* What a check tells: of all, or of its window. */
static struct tally told(const struct plan *plan, const struct traffic *t)
{
	struct tally sum = {0};

	if (!told_window(plan))
		return t->all;
	for (size_t i = 0; i < t->room; i++) {
		sum.samples += t->last[i].samples;
		sum.errors += t->last[i].errors;
	}
	return sum;
}

static enum verdict look(const struct plan *plan, struct course *c, const struct traffic *t)
{
	AUTO_BUF struct buf text = {0};
	AUTO_BUF struct buf words = {0};
	struct tally tells = told(plan, t);
	struct answer a = {0};

	buf_format(&text, "{\"samples\":%.0f,\"errors\":%.0f}", tells.samples, tells.errors);
	a.text = text.text;
	a.length = text.length;
	return course_judge(c, plan, 0, &a, &words);
}

static enum fate roll(
	const struct plan *plan, double rate, struct traffic *t, uint64_t *random)
{
	struct course c = {0};

	begin(t);
	for (int i = 0; i < CHECKS_A_ROLLOUT; i++) {
		AUTO_BUF struct buf why = {0};

		draw(t, plan->step[c.step].weight, rate, random);
		c.held += plan->every;
		c.looks++;
		switch (course_take(&c, plan, look(plan, &c, t), &why)) {
		case ACTION_WAIT: break;
		case ACTION_PROMOTE: return FATE_PROMOTED;
		case ACTION_ROLL_BACK: return FATE_ROLLED_BACK;
		case ACTION_PAUSE: return FATE_PAUSED;
		case ACTION_ADVANCE:
			c = (struct course){.step = c.step + 1};
			begin(t);
			break;
		}
	}
	return FATE_UNDECIDED;
}

static void print(double rate, const int64_t fate[FATE_COUNT])
{
	static const char *const names[] = {"promoted", "rolled_back", "paused", "undecided"};

	if (json)
		printf("{\"rate\":%.4g", rate);
	else
		printf("%7.4g %%", rate);
	for (int i = 0; i < FATE_COUNT; i++) {
		double share = (double)fate[i] / (double)runs;

		if (json)
			printf(",\"%s\":%.4f", names[i], share);
		else
			printf("  %10.1f %%", 100 * share);
	}
	puts(json ? "}" : "");
}

static void simulate(const struct plan *plan, double rate, uint64_t *random)
{
	int64_t fate[FATE_COUNT] = {0}, checks = told_window(plan) / plan->every;
	struct traffic t = {.room = (size_t)MIN(MAX(checks, 1), WINDOW_MAX)};

	t.last = mem_zero(t.room, sizeof *t.last);
	for (int64_t i = 0; i < runs; i++)
		fate[roll(plan, rate / 100, &t, random)]++;
	free(t.last);
	print(rate, fate);
}

int simulate_main(const struct args *args)
{
	AUTO_BUF struct buf text = {0};
	uint64_t random = (uint64_t)seed;
	struct plan plan = {0};

	args_expect(args, 1, 1);
	read_plan(args->item[0], &text, &plan);
	if (!seed)
		id_random(&random, sizeof random);
	if (!json)
		printf("%9s  %12s  %12s  %12s  %12s\n", "ERRORS", "PROMOTED", "ROLLED BACK",
			"PAUSED", "UNDECIDED");
	for (const char *p = rates; *p;) {
		char *end;
		double rate = strtod(p, &end);

		if (end == p || !(rate >= 0 && rate <= 100) || (*end && *end != ','))
			die_usage("--rates: '%s' is no list of percentages", rates);
		simulate(&plan, rate, &random);
		p = *end ? end + 1 : end;
	}
	plan_clear(&plan);
	return EXIT_SUCCESS;
}
