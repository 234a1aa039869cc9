/*
 * plan: a rollout as its file tells it: steps of growing weight, the commands that set and take
 * back, the checks that watch, and how much is borne.
 */
#ifndef PLAN_H
#define PLAN_H

#include "diag.h"

enum { PLAN_FILE_MAX = 1 << 20,
	STEPS_MAX = 100,
	CHECKS_MAX = 50,
	LIMITS_MAX = 20 };

struct step {
	int64_t weight; /* percent: 1 to 100 */
	int64_t hold;	/* ns that it is watched for at least */
	int64_t min_samples;
};

/* Of a number that a check tells. */
struct limit {
	char *metric;
	double pass, fail; /* good below pass, bad above fail; between them it is degraded */
	bool higher;	   /* the other way round: good above pass, bad below fail */
};

struct check {
	char *name, *command;
	struct limit *limit;
	size_t limit_count;
	int64_t window; /* ns: it tells of the last so long, not of all since the step began; 0 */
};

enum on_inconclusive { ON_HOLD, /* pause, for a human */
	ON_ROLLBACK,
	ON_PROCEED };

struct plan {
	char *name, *target;
	char *apply, *rollback, *promote; /* sh -c; promote may be NULL */
	struct step *step;
	size_t step_count;
	struct check *check;
	size_t check_count;
	int64_t every, timeout, check_timeout, deadline; /* ns; deadline 0: none */
	int64_t failure_limit, inconclusive_limit, error_limit, success_needed;
	int64_t attempts; /* of a command that sets, promotes or takes back */
	int on_inconclusive;
};

/* Every error in one pass; the plan is whole if there is none. */
void plan_parse(struct plan *, const char *text, size_t length, struct diags *);
void plan_clear(struct plan *);

#endif
