#include "unit.h"

#include "backoff.h"

TEST(backoff_grows_and_is_capped)
{
	struct backoff b = {
		.base = 100, .cap = 1000, .factor = 2, .jitter = JITTER_NONE};
	static const int64_t want[] = {100, 200, 400, 800, 1000, 1000};

	for (unsigned i = 0; i < countof(want); i++)
		CHECK_INT(backoff_delay(&b, i + 1), want[i]);
	CHECK_INT(backoff_delay(&b, 4000000000), 1000);
	b.factor = 1;
	CHECK_INT(backoff_delay(&b, 50), 100);
}

TEST(backoff_jitter_stays_in_its_bounds)
{
	struct backoff b = {.base = 1000000, .cap = 1000000, .factor = 2};
	bool spread = false;
	int64_t first = backoff_delay(&b, 1);

	for (int i = 0; i < 200; i++) {
		int64_t delay;

		b.jitter = JITTER_EQUAL;
		delay = backoff_delay(&b, 1);
		CHECK(delay >= 500000 && delay <= 1000000);
		spread |= delay != first;
		b.jitter = JITTER_FULL;
		delay = backoff_delay(&b, 1);
		CHECK(delay >= 0 && delay <= 1000000);
	}
	CHECK(spread);
}

TEST(backoff_jitter_names)
{
	enum jitter j;

	CHECK_INT(jitter_parse("full", &j), 0);
	CHECK_INT(j, JITTER_FULL);
	CHECK_INT(jitter_parse("none", &j), 0);
	CHECK_INT(j, JITTER_NONE);
	CHECK(jitter_parse("some", &j) < 0);
}
