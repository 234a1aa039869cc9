/* A run's own predictions, at each quarter of its tasks, kept beside what became of them. */
#include "run.h"

#include "calibration.h"
#include "clock.h"

enum { TASKS_LEAST = 4,
	TASKS_MOST = 5000, /* above that, playing the rest through costs more than it tells */
	QUARTERS = 4 };

/* What the run knows, as those who look at it from outside see it. */
static void look(struct view *v, const struct run *r)
{
	*v = (struct view){.plan = r->plan, .alive = true, .history = r->history};
	v->fold.task = mem_zero((size_t)r->plan.count + 1, sizeof *v->fold.task);
	v->fold.jobs = r->pace.now;
	for (uint32_t i = 0; i < r->plan.count; i++) {
		const struct node *n = &r->node[i];
		struct past *past = &v->fold.task[i];

		past->state = n->state;
		past->ms = n->ms;
		if (n->job)
			past->since = clock_real() - (clock_now() - n->job->started);
	}
}

static void record(struct run *r, const struct range *left, double scale)
{
	AUTO_BUF struct buf b = {0};

	buf_format(&b, "\"predicted\",\"left_ms\":[%lld,%lld,%lld],\"scale\":%.3f",
		(long long)(left->low / NS_PER_MS), (long long)(left->mid / NS_PER_MS),
		(long long)(left->high / NS_PER_MS), scale);
	log_run(r, b.text);
}

void forecast(struct run *r)
{
	uint32_t ended = r->plan.count - r->left, quarter;
	struct range left;
	struct view v;

	if (!r->history.first || r->plan.count < TASKS_LEAST || r->undo.begun)
		return;
	quarter = ended * QUARTERS / r->plan.count;
	if (quarter <= r->quarter || quarter >= QUARTERS)
		return;
	r->quarter = quarter;
	look(&v, r);
	if (eta_range(&v, &left)) {
		range_scale(&left, r->calibration);
		record(r, &left, r->calibration);
	}
	free(v.fold.task);
}

void forecast_begin(struct run *r, struct history *h)
{
	struct calibration c;

	if (r->plan.count > TASKS_MOST) {
		history_clear(h);
		return;
	}
	r->history = *h;
	calibration_load(&c, &r->state, &r->plan, r->id);
	r->calibration = c.scale;
}
