#include "unit.h"

#include "mem.h"
#include "stats.h"

enum { MANY = 20000 };

static uint64_t seed = 42;

/* From 0 up to 1. */
static double chance(void)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (double)(seed >> 11) / 9007199254740992.0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double uniform(void)
{
	return 1000 * chance();
}

/* From a nanosecond to a day, each power of ten as likely as the other. */
static double wide(void)
{
	double x = 1e-9;

	for (int tens = (int)(14 * chance()); tens > 0; tens--)
		x *= 10;
	return x * (1 + 9 * chance());
}

/* All that a double can be. */
static double huge(void)
{
	double x = 1e-300;

	for (int tens = (int)(600 * chance()); tens > 0; tens--)
		x *= 10;
	return chance() < 0.5 ? x : -x;
}

static double both_signs(void)
{
	return (chance() - 0.5) * 100;
}

static double few_values(void)
{
	return (int)(4 * chance()) - 1;
}

static double distance(double a, double b)
{
	return a > b ? a - b : b - a;
}

TEST(stats_quantiles_are_as_near_as_they_say)
{
	static double (*const sources[])(void) = {uniform, wide, huge, both_signs, few_values};
	static const double quantiles[] = {0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1};
	AUTO_FREE double *exact = mem_zero(MANY, sizeof *exact);

	for (size_t s = 0; s < countof(sources); s++) {
		struct sketch sketch = {0};

		for (int i = 0; i < MANY; i++) {
			exact[i] = sources[s]();
			CHECK(sketch_add(&sketch, exact[i]));
		}
		qsort(exact, MANY, sizeof *exact, by_size);
		for (size_t i = 0; i < countof(quantiles); i++) {
			double want = exact[(size_t)(quantiles[i] * (MANY - 1))];
			double is = sketch_quantile(&sketch, quantiles[i]);

			CHECK(distance(is, want) <= STATS_ERROR * distance(want, 0));
		}
		CHECK(distance(sketch.min, exact[0]) <= 0);
		CHECK(distance(sketch.max, exact[MANY - 1]) <= 0);
		sketch_clear(&sketch);
	}
}

TEST(stats_quantiles_of_few_are_those_of_the_nearest_rank)
{
	static const struct {
		int count;
		double q, want;
	} cases[] = {{1, 0.99, 1}, {2, 0.5, 1}, {2, 0.51, 2}, {10, 0.95, 10}, {10, 0.9, 9},
		{100, 0.99, 99}, {101, 0.99, 100}, {50, 0.99, 50}, {3, 0, 1}, {3, 1, 3}};

	for (size_t i = 0; i < countof(cases); i++) {
		struct sketch s = {0};

		for (int x = 1; x <= cases[i].count; x++)
			CHECK(sketch_add(&s, x));
		CHECK_INT(sketch_quantile(&s, cases[i].q), cases[i].want);
		sketch_clear(&s);
	}
}

TEST(stats_memory_is_bounded_whatever_comes)
{
	struct sketch s = {0};

	for (double x = 1e-300; x < 1e300; x *= 3) {
		CHECK(sketch_add(&s, x));
		CHECK(sketch_add(&s, -x));
	}
	CHECK(!sketch_add(&s, __builtin_nan("")));
	CHECK(!sketch_add(&s, __builtin_inf()));
	CHECK(!sketch_add(&s, -__builtin_inf()));
	CHECK((s.positive.size + s.negative.size) * (int)sizeof(uint64_t) <= 2 * 1024 * 1024);
	CHECK(distance(sketch_quantile(&s, 0), s.min) <= 0.5 * distance(s.min, 0) || s.min < 0);
	sketch_clear(&s);
}

TEST(stats_of_nothing_and_of_one)
{
	struct sketch s = {0};

	CHECK(sketch_quantile(&s, 0.5) <= 0);
	CHECK(sketch_mean(&s) <= 0);
	sketch_add(&s, 7.25);
	for (double q = 0; q <= 1; q += 0.25)
		CHECK(distance(sketch_quantile(&s, q), 7.25) <= 0);
	CHECK(distance(sketch_mean(&s), 7.25) <= 0);
	sketch_clear(&s);
}
