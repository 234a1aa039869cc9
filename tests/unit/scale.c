/* How many workers a load asks for. */
#include "loop-pool/scale.h"
#include "unit.h"

static const struct scale_rules rules = {.min = 2,
	.max = 10,
	.up = 10,
	.down = 2,
	.age = NS_FOREVER,
	.drain = NS_FOREVER,
	.cooldown = 30 * NS_PER_S};

static struct scale fresh(const struct scale_rules *r)
{
	struct scale s;

	scale_init(&s, r);
	return s;
}

TEST(scale_depth)
{
	static const struct {
		int64_t ready, workers, want;
	} cases[] = {{0, 0, 2}, {20, 2, 2}, {21, 2, 3}, {55, 2, 6}, {1000000, 2, 10}, {5, 10, 10}};

	for (size_t i = 0; i < countof(cases); i++) {
		struct scale s = fresh(&rules);
		const struct load l = {
			.now = NS_PER_S, .ready = cases[i].ready, .claimed = cases[i].workers};
		const char *why;

		CHECK(scale_want(&s, &l, cases[i].workers, &why) == cases[i].want);
	}
}

TEST(scale_age_and_drain)
{
	struct scale_rules r = rules;
	struct load l = {.now = NS_PER_S,
		.ready = 5,
		.claimed = 2,
		.age = 61 * NS_PER_S,
		.rate = 0.1};
	const char *why = "";
	struct scale s;

	r.age = 60 * NS_PER_S;
	s = fresh(&r);
	CHECK(scale_want(&s, &l, 2, &why) == 3 && strcmp(why, "age") == 0);
	r.age = NS_FOREVER;
	r.drain = 10 * NS_PER_S;
	s = fresh(&r);
	CHECK(scale_want(&s, &l, 2, &why) == 6 && strcmp(why, "drain") == 0);
	l.rate = 1e-300;
	CHECK(scale_want(&s, &l, 2, &why) == 10);
}

TEST(scale_down_one_at_a_time_after_a_while)
{
	struct scale s = fresh(&rules);
	struct load l = {.claimed = 1};
	const char *why;
	int64_t workers = 10, last = 0;

	for (l.now = NS_PER_S; l.now < 1000 * NS_PER_S; l.now += 5 * NS_PER_S) {
		int64_t want = scale_want(&s, &l, workers, &why);

		CHECK(want == workers || want == workers - 1);
		if (want < workers)
			CHECK(l.now - last >= 30 * NS_PER_S);
		if (want < workers)
			last = l.now;
		workers = want;
	}
	CHECK(workers == 2);
}

/* Ready items that come and go faster than the cooldown leave the pool as it is. */
TEST(scale_does_not_flap)
{
	struct scale s = fresh(&rules);
	struct load l = {.claimed = 1};
	const char *why;
	int64_t workers = 5;

	for (int i = 0; i < 200; i++) {
		l.now += 5 * NS_PER_S;
		l.ready = i % 4 == 0 ? 12 : 0;
		CHECK(scale_want(&s, &l, workers, &why) == workers);
	}
	/* And none goes while all are at work. */
	l.ready = 0;
	l.claimed = 5;
	for (int i = 0; i < 200; i++) {
		l.now += 5 * NS_PER_S;
		CHECK(scale_want(&s, &l, workers, &why) == workers);
	}
}
