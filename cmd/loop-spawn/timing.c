#include "timing.h"

#include "clock.h"

enum { EXTENSIONS_MAX = 6,
	BUSY_SHARE = 20 }; /* a twentieth of one CPU is more than an idle runtime needs */

const char *step_name(enum step step)
{
	static const char *const names[] = {
		[STEP_START] = "start",
		[STEP_MODEL] = "model",
		[STEP_TOOL] = "tool",
		[STEP_LINGER] = "linger"};

	return names[step];
}

void timing_start(struct timing *t, const struct clocks *limits)
{
	*t = (struct timing){.limits = *limits};
	t->began = t->last = clock_now();
}

void timing_heard(struct timing *t)
{
	t->last = clock_now();
	t->allowance = 0;
	t->mark_time = 0;
	t->extensions = 0;
	if (t->step == STEP_START)
		t->step = STEP_MODEL;
}

void timing_step(struct timing *t, enum step step)
{
	if (t->step == step || (t->step == STEP_START && step == STEP_MODEL))
		return;
	t->step = step;
	t->mark_time = 0;
}

void timing_woke(struct timing *t, int64_t gap)
{
	t->began += gap;
	t->last += gap;
	if (t->mark_time)
		t->mark_time += gap;
}

int64_t timing_silent(const struct timing *t)
{
	return clock_now() - t->last;
}

static int64_t running_limit(const struct timing *t)
{
	const int64_t limits[] = {
		[STEP_START] = t->limits.start,
		[STEP_MODEL] = t->limits.silence,
		[STEP_TOOL] = t->limits.tool,
		[STEP_LINGER] = t->limits.linger};

	return limits[t->step];
}

static int64_t later(int64_t from, int64_t duration)
{
	int64_t sum;

	return duration <= 0 || __builtin_add_overflow(from, duration, &sum) ? NS_FOREVER : sum;
}

static int64_t silence_deadline(const struct timing *t)
{
	int64_t limit = running_limit(t);

	return limit ? later(t->last, limit + t->allowance) : NS_FOREVER;
}

/* Half of the limit before the deadline: where the CPU time is noted. */
static int64_t mark_moment(const struct timing *t)
{
	int64_t deadline = silence_deadline(t);

	return deadline == NS_FOREVER || t->step == STEP_LINGER ? NS_FOREVER
								: deadline - running_limit(t) / 2;
}

int64_t timing_next(const struct timing *t)
{
	int64_t next = MIN(silence_deadline(t), later(t->began, t->limits.attempt));

	return t->mark_time ? next : MIN(next, mark_moment(t));
}

static void mark(struct timing *t, int64_t now, int64_t cpu)
{
	t->mark_time = now;
	t->mark_cpu = cpu;
}

/* Whether the tree has computed since the mark; if so it gets half its limit more. */
static bool extend(struct timing *t, int64_t now, int64_t cpu)
{
	if (!t->mark_time || t->extensions >= EXTENSIONS_MAX ||
		cpu - t->mark_cpu < (now - t->mark_time) / BUSY_SHARE)
		return false;
	t->extensions++;
	t->allowance += running_limit(t) / 2;
	mark(t, now, cpu);
	return true;
}

enum expired timing_expired(struct timing *t, int64_t (*cpu)(void *), void *context)
{
	int64_t now = clock_now();

	if (now >= later(t->began, t->limits.attempt))
		return EXPIRED_ATTEMPT;
	if (now >= silence_deadline(t)) {
		if (t->step == STEP_LINGER)
			return EXPIRED_LINGER;
		return extend(t, now, cpu(context)) ? NOT_EXPIRED : EXPIRED_SILENCE;
	}
	if (!t->mark_time && now >= mark_moment(t))
		mark(t, now, cpu(context));
	return NOT_EXPIRED;
}
