#include "unit.h"

#include "clock.h"
#include "io.h"
#include "pace.h"

#include <fcntl.h>

/* The kernel's word, as we would like it. */
static void set_pressure(const char *what, const char *avg10)
{
	char text[64];
	int n = snprintf(
		text, sizeof text, "some avg10=%s avg60=0.00 avg300=0.00 total=1\n", avg10);

	CHECK_INT(io_replace(AT_FDCWD, what, text, (size_t)n, 0600), 0);
}

static void second(struct pace *p, int64_t *now, bool waiting)
{
	*now += NS_PER_S;
	clock_set(*now, 0);
	pace_tick(p, waiting);
}

TEST(pace_grows_while_work_waits_and_the_machine_has_room)
{
	int64_t now = 1000 * NS_PER_S;
	struct pace p;

	clock_set(now, 0);
	pace_init(&p, 1, 3);
	p.pressure = ".";
	CHECK_INT(p.now, 1);
	second(&p, &now, false);
	CHECK_INT(p.now, 1);
	second(&p, &now, true);
	CHECK_INT(p.now, 2);
	pace_tick(&p, true); /* not before its time */
	CHECK_INT(p.now, 2);
	set_pressure("cpu", "95.00");
	second(&p, &now, true);
	CHECK_INT(p.now, 2);
	set_pressure("cpu", "5.00");
	second(&p, &now, true);
	second(&p, &now, true);
	CHECK_INT(p.now, 3);
}

TEST(pace_halves_on_short_memory_and_on_limits)
{
	int64_t now = 1000 * NS_PER_S;
	struct pace p;

	clock_set(now, 0);
	pace_init(&p, 2, 16);
	p.pressure = ".";
	for (int i = 0; i < 14; i++)
		second(&p, &now, true);
	CHECK_INT(p.now, 16);
	pace_status(&p, 1);
	CHECK_INT(p.now, 16);
	pace_status(&p, 113);
	pace_status(&p, 114); /* the same wave of refusals */
	CHECK_INT(p.now, 8);
	now += 10 * NS_PER_S;
	set_pressure("memory", "40.00");
	second(&p, &now, true);
	CHECK_INT(p.now, 4);
	now += 10 * NS_PER_S;
	second(&p, &now, true);
	now += 10 * NS_PER_S;
	second(&p, &now, true);
	CHECK_INT(p.now, 2); /* never below the least */
}

TEST(pace_fixed)
{
	struct pace p;

	pace_init(&p, 0, 5);
	CHECK_INT(p.now, 5);
	CHECK(p.next == NS_FOREVER);
	pace_status(&p, 113);
	CHECK_INT(p.now, 5);
}
