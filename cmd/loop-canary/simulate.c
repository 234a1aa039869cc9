/*
 * What would become of releases whose true error rates are known: the same decisions as in
 * earnest, with samples drawn by chance and no time passing. Small samples lie, and this is how
 * much.
 */
#include "commands.h"

#include "course.h"
#include "die.h"
#include "id.h"

static const char *rates = "1,5,8,12,20";
static int64_t runs = 1000, samples = 100, seed;
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

enum { CHECKS_A_ROLLOUT = 10000 };

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

struct tally {
	int64_t samples, errors;
};

/* What comes in between two checks: the share of the traffic that the weight is. */
static void draw(struct tally *t, int64_t weight, double rate, uint64_t *random)
{
	double share = (double)samples * (double)weight / 100;
	int64_t n = (int64_t)share;

	n += chance(random) < share - (double)n;
	t->samples += n;
	for (int64_t i = 0; i < n; i++)
		t->errors += chance(random) < rate;
}

static enum verdict look(
	const struct plan *plan, const struct course *c, const struct tally *t)
{
	const struct check errors = {
		.limit = plan->check[0].limit, .limit_count = plan->check[0].limit_count};
	AUTO_BUF struct buf text = {0};
	AUTO_BUF struct buf words = {0};
	struct answer a = {.looks = c->looks};

	buf_format(&text, "{\"samples\":%lld,\"errors\":%lld}", (long long)t->samples,
		(long long)t->errors);
	a.text = text.text;
	a.length = text.length;
	return judge(&errors, &a, plan->step[c->step].min_samples, &words);
}

static enum fate roll(const struct plan *plan, double rate, uint64_t *random)
{
	struct course c = {0};
	struct tally t = {0};

	for (int i = 0; i < CHECKS_A_ROLLOUT; i++) {
		AUTO_BUF struct buf why = {0};

		draw(&t, plan->step[c.step].weight, rate, random);
		c.held += plan->every;
		c.looks++;
		switch (course_take(&c, plan, look(plan, &c, &t), &why)) {
		case ACTION_WAIT: break;
		case ACTION_PROMOTE: return FATE_PROMOTED;
		case ACTION_ROLL_BACK: return FATE_ROLLED_BACK;
		case ACTION_PAUSE: return FATE_PAUSED;
		case ACTION_ADVANCE:
			c = (struct course){.step = c.step + 1};
			t = (struct tally){0};
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
	int64_t fate[FATE_COUNT] = {0};

	for (int64_t i = 0; i < runs; i++)
		fate[roll(plan, rate / 100, random)]++;
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
