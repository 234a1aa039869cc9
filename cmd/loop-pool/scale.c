#include "scale.h"

void scale_init(struct scale *s, const struct scale_rules *rules)
{
	*s = (struct scale){.rules = *rules, .below = NS_FOREVER};
}

static int64_t divide_up(int64_t a, int64_t b)
{
	return a / b + (a % b != 0);
}

static void raise_to(int64_t *want, int64_t n, const char **why, const char *reason)
{
	if (n > *want) {
		*want = n;
		*why = reason;
	}
}

/* By the rules that ask for more. */
static int64_t needed(
	const struct scale *s, const struct load *l, int64_t workers, const char **why)
{
	const struct scale_rules *r = &s->rules;
	int64_t want = workers;

	if (l->ready > r->up * workers)
		raise_to(&want, divide_up(l->ready, r->up), why, "depth");
	if (l->ready && l->age > r->age)
		raise_to(&want, workers + 1, why, "age");
	if (r->drain != NS_FOREVER && l->rate > 0) {
		double seconds = (double)r->drain / (double)NS_PER_S;
		double wanted = (double)l->ready / (l->rate * seconds);

		raise_to(&want, wanted < (double)r->max ? (int64_t)wanted + 1 : r->max, why,
			"drain");
		if (l->ready == 0)
			want = MAX(workers, r->min);
	}
	return want;
}

/* Whether one fewer would do: hardly anything waits, and not all are at work. */
static bool is_idle(const struct scale *s, const struct load *l, int64_t workers)
{
	return l->ready <= s->rules.down && l->claimed < workers;
}

int64_t scale_want(struct scale *s, const struct load *l, int64_t workers, const char **why)
{
	const struct scale_rules *r = &s->rules;
	int64_t want = needed(s, l, workers, why);

	if (workers < r->min)
		raise_to(&want, r->min, why, "min");
	want = MIN(want, r->max);
	if (want > workers || !is_idle(s, l, workers)) {
		s->below = NS_FOREVER;
		return MAX(want, workers > r->max ? r->max : workers);
	}
	if (s->below == NS_FOREVER)
		s->below = l->now;
	if (workers <= r->min || l->now - s->below < r->cooldown ||
		(s->shrunk && l->now - s->shrunk < r->cooldown))
		return workers;
	s->shrunk = l->now;
	*why = "idle";
	return workers - 1;
}
