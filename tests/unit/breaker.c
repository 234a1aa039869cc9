#include "unit.h"

#include "breaker.h"
#include "buf.h"
#include "clock.h"
#include "io.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#define MINUTE (60 * NS_PER_S)

static struct state state;
static struct breaker breaker;
static int64_t now = 1800000000 * NS_PER_S;

static void later(int64_t ns)
{
	now += ns;
	clock_set(now, now);
}

/* A breaker in a state directory of its own, at a time that stands still. */
static void begin(const struct breaker_settings *s)
{
	struct err e = {0};

	CHECK_INT(setenv("LOOP_DIR", "state", 1), 0);
	CHECK_INT(state_open(&state, &e), 0);
	CHECK_INT(breaker_init(&breaker, &state, "api", s, &e), 0);
	later(0);
}

static void end(void)
{
	state_close(&state);
}

static struct permit permit(void)
{
	struct permit p;
	struct err e = {0};

	CHECK_INT(breaker_allow(&breaker, &p, &e), 1);
	return p;
}

/* When to ask again. */
static int64_t refusal(void)
{
	struct permit p;
	struct err e = {0};

	CHECK_INT(breaker_allow(&breaker, &p, &e), 0);
	return p.again;
}

static int record(const struct permit *p, enum outcome o)
{
	struct err e = {0};

	return breaker_record(&breaker, p, o, 0, &e);
}

static void call(enum outcome o)
{
	struct permit p = permit();

	CHECK_INT(record(&p, o), 1);
}

static void calls(int n, enum outcome o)
{
	while (n--)
		call(o);
}

static struct breaker_view view(void)
{
	struct breaker_view v;
	struct err e = {0};

	CHECK_INT(breaker_read(&breaker, &v, &e), 0);
	return v;
}

static void state_is(enum breaker_state s)
{
	CHECK_STR(breaker_state_name(view().state), breaker_state_name(s));
}

TEST(breaker_opens_at_the_rate_and_not_before_enough_calls)
{
	begin(&(struct breaker_settings){.consecutive = 100});
	call(OUTCOME_OK);
	call(OUTCOME_OK);
	call(OUTCOME_FAILED);
	call(OUTCOME_FAILED);
	state_is(BREAKER_CLOSED); /* two of four, but four are too few */
	call(OUTCOME_OK);
	state_is(BREAKER_CLOSED); /* two of five */
	call(OUTCOME_FAILED);
	state_is(BREAKER_OPEN); /* three of six */
	CHECK(refusal() > now);
	end();
}

TEST(breaker_opens_after_failures_in_a_row_in_spite_of_the_rate)
{
	begin(&(struct breaker_settings){.consecutive = 4});
	calls(16, OUTCOME_OK);
	calls(3, OUTCOME_FAILED);
	state_is(BREAKER_CLOSED);
	call(OUTCOME_FAILED);
	state_is(BREAKER_OPEN);
	CHECK_STR(view().why, "4 failures in a row");
	end();
}

TEST(breaker_forgets_what_is_old_or_beyond_the_window)
{
	begin(&(struct breaker_settings){.rate = 0.9, .window = 6, .max_age = MINUTE});
	calls(3, OUTCOME_FAILED);
	calls(4, OUTCOME_OK);
	CHECK_INT(view().calls, 6);
	CHECK_INT(view().failures, 2);
	later(2 * MINUTE);
	CHECK_INT(view().calls, 0);
	calls(3, OUTCOME_FAILED);
	CHECK_INT(view().calls, 3);
	state_is(BREAKER_CLOSED);
	end();
}

static void open_it(void)
{
	calls(5, OUTCOME_FAILED);
	state_is(BREAKER_OPEN);
}

TEST(breaker_lets_one_probe_through_and_two_close_it)
{
	struct permit first;

	begin(&(struct breaker_settings){0});
	open_it();
	later(2 * MINUTE);
	first = permit();
	state_is(BREAKER_HALF_OPEN);
	refusal();
	CHECK_INT(record(&first, OUTCOME_OK), 1);
	state_is(BREAKER_HALF_OPEN);
	CHECK_INT(record(&first, OUTCOME_OK), 0); /* the lease was given back */
	call(OUTCOME_OK);
	state_is(BREAKER_CLOSED);
	CHECK_INT(view().calls, 0);
	end();
}

TEST(breaker_cools_down_twice_as_long_after_a_failed_probe_up_to_the_cap)
{
	const int64_t cap = 5 * MINUTE;

	begin(&(struct breaker_settings){.cooldown = MINUTE, .cooldown_cap = cap});
	open_it();
	for (int i = 0; i < 6; i++) {
		int64_t want = MIN(MINUTE << i, cap), left = refusal() - now;

		CHECK(left >= want - want / 5 - NS_PER_MS && left <= want + want / 5 + NS_PER_MS);
		later(left);
		call(OUTCOME_FAILED);
	}
	CHECK_INT(view().reopened, 6);
	later(30 * MINUTE);
	calls(2, OUTCOME_OK);
	state_is(BREAKER_CLOSED);
	CHECK_INT(view().reopened, 0);
	end();
}

TEST(breaker_drops_late_outcomes)
{
	struct permit early;

	begin(&(struct breaker_settings){0});
	early = permit();
	open_it();
	CHECK_INT(record(&early, OUTCOME_OK), 0);
	later(2 * MINUTE);
	call(OUTCOME_OK);
	CHECK_INT(record(&early, OUTCOME_FAILED), 0);
	state_is(BREAKER_HALF_OPEN);
	call(OUTCOME_OK);
	CHECK_INT(record(&early, OUTCOME_FAILED), 0);
	CHECK_INT(view().calls, 0);
	end();
}

TEST(breaker_takes_a_silent_probe_for_a_failure)
{
	struct permit probe;
	struct err e = {0};

	begin(&(struct breaker_settings){.lease = 10 * NS_PER_S});
	open_it();
	later(2 * MINUTE);
	probe = permit();
	for (int i = 0; i < 5; i++) {
		later(8 * NS_PER_S);
		CHECK_INT(breaker_renew(&breaker, &probe, &e), 1);
		refusal();
	}
	later(11 * NS_PER_S);
	refusal();
	state_is(BREAKER_OPEN);
	CHECK_STR(view().why, "a probe was lost");
	CHECK_INT(breaker_renew(&breaker, &probe, &e), 0);
	CHECK_INT(record(&probe, OUTCOME_OK), 0);
	end();
}

TEST(breaker_takes_a_probe_whose_process_is_gone_for_a_failure)
{
	pid_t child;

	begin(&(struct breaker_settings){0});
	open_it();
	later(2 * MINUTE);
	child = fork();
	if (child == 0) {
		permit();
		kill(getpid(), SIGKILL);
	}
	CHECK_INT(waitpid(child, NULL, 0), child);
	state_is(BREAKER_HALF_OPEN);
	CHECK_INT(view().prober.pid, child);
	CHECK(refusal() > now + MINUTE);
	state_is(BREAKER_OPEN);
	end();
}

TEST(breaker_gives_an_ignored_probe_to_the_next)
{
	begin(&(struct breaker_settings){0});
	open_it();
	later(2 * MINUTE);
	call(OUTCOME_IGNORED);
	state_is(BREAKER_HALF_OPEN);
	calls(2, OUTCOME_OK);
	state_is(BREAKER_CLOSED);
	end();
}

TEST(breaker_stays_open_until_the_hint)
{
	struct permit p;
	struct err e = {0};
	int64_t until;

	begin(&(struct breaker_settings){.consecutive = 1});
	p = permit();
	until = now + 3600 * NS_PER_S;
	CHECK_INT(breaker_record(&breaker, &p, OUTCOME_FAILED, until, &e), 1);
	CHECK_INT(refusal(), until);
	end();
}

TEST(breaker_is_not_stuck_when_the_clock_is_set_back)
{
	begin(&(struct breaker_settings){.cooldown = MINUTE});
	open_it();
	later(-24 * 3600 * NS_PER_S);
	CHECK(refusal() <= now + 2 * MINUTE);
	later(2 * MINUTE);
	permit();
	end();
}

TEST(breaker_held_and_observed_stay)
{
	struct err e = {0};

	begin(&(struct breaker_settings){0});
	CHECK_INT(breaker_force(&breaker, BREAKER_HELD, 0, "by hand", &e), 0);
	later(1000 * MINUTE);
	CHECK_INT(refusal(), NS_FOREVER);
	CHECK_INT(breaker_force(&breaker, BREAKER_OBSERVED, 0, "by hand", &e), 0);
	calls(10, OUTCOME_FAILED);
	state_is(BREAKER_OBSERVED);
	CHECK_INT(view().failures, 10);
	CHECK_INT(breaker_force(&breaker, BREAKER_CLOSED, 0, "by hand", &e), 0);
	CHECK_INT(view().calls, 0);
	CHECK_INT(breaker_force(&breaker, BREAKER_OPEN, now + MINUTE, "by hand", &e), 0);
	CHECK_INT(refusal(), now + MINUTE);
	end();
}

TEST(breaker_settings_said_once_hold_for_all)
{
	const struct breaker_settings none = {0}, window = {.window = 9};
	struct breaker_view v;
	struct err e = {0};

	begin(&(struct breaker_settings){.rate = 0.25, .cooldown = 7 * MINUTE});
	call(OUTCOME_OK);
	CHECK_INT(breaker_init(&breaker, &state, "api", &window, &e), 0);
	call(OUTCOME_OK);
	CHECK_INT(breaker_init(&breaker, &state, "api", &none, &e), 0);
	v = view();
	CHECK(v.settings.rate > 0.249 && v.settings.rate < 0.251);
	CHECK_INT(v.settings.cooldown, 7 * MINUTE);
	CHECK_INT(v.settings.window, 9);
	CHECK_INT(v.settings.probes, 2);
	end();
}

TEST(breaker_refuses_names_and_settings_out_of_bounds)
{
	static const struct breaker_settings wrong[] = {
		{.rate = 1.5},
		{.rate = -1},
		{.window = BREAKER_WINDOW_MAX + 1},
		{.probes = -1},
		{.cooldown = 1},
	};
	static const char *const names[] = {"", "../x", ".x", "a/b", "a\nb"};
	const struct breaker_settings none = {0};
	struct err e = {0};

	begin(&none);
	for (size_t i = 0; i < countof(wrong); i++)
		CHECK_INT(breaker_init(&breaker, &state, "x", &wrong[i], &e), -EINVAL);
	for (size_t i = 0; i < countof(names); i++)
		CHECK_INT(breaker_init(&breaker, &state, names[i], &none, &e), -EINVAL);
	end();
}

static void put(const char *text)
{
	CHECK_INT(io_replace(state.dir, "breakers/api.json", text, strlen(text), 0600), 0);
}

/* What no program of ours writes: each has to be repaired by the next who needs it. */
TEST(breaker_repairs_a_damaged_file)
{
	static const char *const damaged[] = {
		"",
		"{",
		"[]",
		"null",
		"{\"state\":\"opne\"}",
		"{\"state\":7}",
		"{}",
		"{\"state\":\"open\",\"until\":\"soon\"}",
		"{\"state\":\"open\",\"until\":5}",
		"{\"state\":\"closed\",\"generation\":-1}",
		"{\"state\":\"closed\",\"settings\":{\"rate\":7}}",
		"{\"state\":\"closed\",\"settings\":{\"window\":0}}",
		"{\"state\":\"closed\",\"settings\":{\"cooldown\":0}}",
		"{\"state\":\"closed\",\"settings\":[]}",
		"{\"state\":\"closed\",\"outcomes\":[1]}",
		"{\"state\":\"closed\",\"outcomes\":[{\"time\":\"2026-01-01T00:00:00Z\"}]}",
		"{\"state\":\"half_open\",\"probe\":{\"lease\":\"much too long a lease\"}}",
		"{\"state\":\"half_open\",\"probe\":{\"pid\":99999999999}}",
		"{\"state\":\"closed\",\"state\":\"open\"}",
	};

	begin(&(struct breaker_settings){0});
	call(OUTCOME_OK);
	for (size_t i = 0; i < countof(damaged); i++) {
		struct breaker_view v;
		struct err e = {0};
		struct stat st;

		put(damaged[i]);
		CHECK_INT(breaker_read(&breaker, &v, &e), -EINVAL);
		CHECK(e.text[0]);
		breaker.repaired = false;
		call(OUTCOME_OK);
		CHECK(breaker.repaired);
		CHECK_INT(fstatat(state.dir, "breakers/api.json.damaged", &st, 0), 0);
		CHECK_INT(view().calls, 1);
	}
	end();
}

TEST(breaker_takes_what_a_person_may_have_written)
{
	begin(&(struct breaker_settings){0});
	call(OUTCOME_OK);
	put("{\"state\":\"half_open\"}");
	calls(2, OUTCOME_OK);
	state_is(BREAKER_CLOSED);
	put("{\"state\":\"open\",\"comment\":\"mine\",\"settings\":{\"cooldown\":\"90s\"}}");
	calls(2, OUTCOME_OK);
	state_is(BREAKER_CLOSED);
	put("{\"state\":\"half_open\",\"probe\":{\"lease\":\"a\\\"b\",\"pid\":1,\"boot\":\"x\\\"\","
	    "\"expires\":\"2100-01-01T00:00:00Z\"}}");
	CHECK(refusal() > now); /* that process is not of this boot */
	state_is(BREAKER_OPEN);
	end();
}

TEST(breaker_survives_a_failed_write)
{
	struct permit p;
	struct err e = {0};

	begin(&(struct breaker_settings){0});
	call(OUTCOME_FAILED);
	p = permit();
	fault_at(FAULT_WRITEV, 1, 1, ENOSPC);
	CHECK_INT(breaker_record(&breaker, &p, OUTCOME_FAILED, 0, &e), -ENOSPC);
	fault_none();
	CHECK(strstr(e.text, "breakers/api.json"));
	CHECK_INT(view().failures, 1);
	end();
}

TEST(breaker_transitions_are_events)
{
	AUTO_BUF struct buf text = {0};
	const char *at;

	begin(&(struct breaker_settings){0});
	open_it();
	later(2 * MINUTE);
	calls(2, OUTCOME_OK);
	CHECK_INT(io_read_file(state.dir, "events.jsonl", 1 << 16, &text), 0);
	at = strstr(text.text, "\"breaker.opened\"");
	CHECK(at);
	at = strstr(at, "\"breaker.half_open\"");
	CHECK(at);
	CHECK(strstr(at, "\"breaker.closed\""));
	end();
}

/* Killed between the file and the event: the next who writes tells it. */
TEST(breaker_event_that_is_owed_is_made_up_for)
{
	AUTO_BUF struct buf text = {0};

	begin(&(struct breaker_settings){0});
	call(OUTCOME_OK);
	put("{\"state\":\"closed\",\"told\":false,\"generation\":4}");
	calls(2, OUTCOME_OK);
	CHECK_INT(io_read_file(state.dir, "events.jsonl", 1 << 16, &text), 0);
	CHECK(strstr(text.text, "\"breaker.closed\""));
	CHECK(strchr(text.text, '\n')[1] == '\0'); /* once */
	end();
}
