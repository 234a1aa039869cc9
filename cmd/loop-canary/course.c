#include "course.h"

enum verdict course_judge(struct course *c, const struct plan *plan, size_t check,
	const struct answer *said, struct buf *words)
{
	const struct check *k = &plan->check[check];
	struct windows *w = &c->windows[check];
	const double before = w->sum.samples;
	struct answer a = *said;
	enum verdict v;

	a.looks = c->looks;
	a.sum = k->window ? &w->sum : NULL;
	a.adds = c->held - w->held >= k->window;
	v = judge(k, &a, plan->step[c->step].min_samples, words);
	if (w->sum.samples > before)
		w->held = c->held;
	return v;
}

static enum action failed(struct course *c, const struct plan *plan, struct buf *why)
{
	c->passes = c->inconclusives = c->errors = c->suspicions = 0;
	if (++c->failures <= plan->failure_limit)
		return ACTION_WAIT;
	buf_str(why, "a check failed");
	return ACTION_ROLL_BACK;
}

static enum action in_error(struct course *c, const struct plan *plan, struct buf *why)
{
	c->passes = 0;
	if (++c->errors <= plan->error_limit)
		return ACTION_WAIT;
	buf_format(why, "checks did not work %lld times in a row", (long long)c->errors);
	return ACTION_ROLL_BACK;
}

/* Chance, perhaps; but not for as long as a human would be asked. */
static enum action suspected(struct course *c, const struct plan *plan, struct buf *why)
{
	enum action then;

	c->passes = c->errors = 0;
	if (++c->suspicions < plan->inconclusive_limit)
		return ACTION_WAIT;
	then = failed(c, plan, why);
	if (why->length)
		buf_format(why, ", %lld times in a row", (long long)plan->inconclusive_limit);
	return then;
}

static enum action go_on(const struct course *c, const struct plan *plan)
{
	return c->step + 1 < plan->step_count ? ACTION_ADVANCE : ACTION_PROMOTE;
}

static enum action degraded(struct course *c, const struct plan *plan, struct buf *why)
{
	c->passes = c->errors = c->suspicions = 0;
	if (++c->inconclusives < plan->inconclusive_limit)
		return ACTION_WAIT;
	buf_format(why, "neither good nor bad %lld times in a row", (long long)c->inconclusives);
	c->inconclusives = 0;
	switch ((enum on_inconclusive)plan->on_inconclusive) {
	case ON_HOLD: return ACTION_PAUSE;
	case ON_ROLLBACK: return ACTION_ROLL_BACK;
	case ON_PROCEED: break;
	}
	return go_on(c, plan);
}

static enum action passed(struct course *c, const struct plan *plan)
{
	c->inconclusives = c->errors = c->suspicions = 0;
	if (++c->passes < plan->success_needed || c->held < plan->step[c->step].hold)
		return ACTION_WAIT;
	return go_on(c, plan);
}

enum action course_take(
	struct course *c, const struct plan *plan, enum verdict v, struct buf *why)
{
	switch (v) {
	case VERDICT_PASS: return passed(c, plan);
	case VERDICT_FEW: break; /* time will tell: it is no sign of trouble */
	case VERDICT_DEGRADED: return degraded(c, plan, why);
	case VERDICT_SUSPECT: return suspected(c, plan, why);
	case VERDICT_ERROR: return in_error(c, plan, why);
	case VERDICT_FAIL: return failed(c, plan, why);
	}
	c->passes = c->errors = 0;
	return ACTION_WAIT;
}
