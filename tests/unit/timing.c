#include "clock.h"
#include "loop-spawn/timing.h"
#include "unit.h"

static const struct clocks limits = {.start = 30 * NS_PER_S,
	.silence = 60 * NS_PER_S,
	.tool = 300 * NS_PER_S,
	.attempt = 3600 * NS_PER_S,
	.linger = 5 * NS_PER_S};

static int64_t cpu_time;

static int64_t cpu(void *context UNUSED)
{
	return cpu_time;
}

static void at(int64_t seconds)
{
	clock_set(1000 * NS_PER_S + seconds * NS_PER_S, 0);
}

static enum expired expired(struct timing *t, int64_t seconds)
{
	at(seconds);
	return timing_expired(t, cpu, NULL);
}

TEST(timing_runs_the_clock_of_the_step)
{
	struct timing t;

	at(0);
	timing_start(&t, &limits);
	CHECK_INT(expired(&t, 29), NOT_EXPIRED);
	CHECK_INT(expired(&t, 30), EXPIRED_SILENCE);
	at(10);
	timing_heard(&t);
	CHECK_INT(expired(&t, 69), NOT_EXPIRED);
	CHECK_INT(expired(&t, 70), EXPIRED_SILENCE);
	timing_step(&t, STEP_TOOL);
	CHECK_INT(expired(&t, 309), NOT_EXPIRED);
	timing_step(&t, STEP_LINGER);
	CHECK_INT(expired(&t, 309), EXPIRED_LINGER);
	CHECK_INT(expired(&t, 3600), EXPIRED_ATTEMPT);
}

TEST(timing_gives_a_tree_that_computes_six_times_more)
{
	struct timing t;
	int given = 0;

	at(0);
	timing_start(&t, &limits);
	timing_heard(&t);
	cpu_time = 0;
	for (int64_t s = 1; s < 600; s++) {
		cpu_time += NS_PER_S;
		if (expired(&t, s) == EXPIRED_SILENCE) {
			given = (int)s;
			break;
		}
	}
	CHECK_INT(given, 60 + 6 * 30);
}

TEST(timing_counts_no_time_in_which_we_were_stopped)
{
	struct timing t;

	at(0);
	timing_start(&t, &limits);
	timing_heard(&t);
	CHECK_INT(expired(&t, 40), NOT_EXPIRED);
	at(7240);
	timing_woke(&t, 7200 * NS_PER_S);
	CHECK_INT(timing_expired(&t, cpu, NULL), NOT_EXPIRED);
	CHECK_INT(timing_silent(&t), 40 * NS_PER_S);
	CHECK_INT(expired(&t, 7259), NOT_EXPIRED);
	cpu_time = 0;
	CHECK_INT(expired(&t, 7260), EXPIRED_SILENCE);
	CHECK_INT(expired(&t, 7200 + 3600), EXPIRED_ATTEMPT);
}
