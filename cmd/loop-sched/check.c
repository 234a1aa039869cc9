/* What the plan's tasks ask for and could never get; and the figures of a sound plan. */
#include "plan.h"

#include "commands.h"
#include "parse.h"
#include "figures.h"

/* A bit a kind of ending: those under which a need is met. */
static unsigned endings(enum when when)
{
	enum { SUCCEEDED = 1,
		FAILED = 2,
		SKIPPED = 4,
		OTHER = 8 };
	static const unsigned met[] = {
		[WHEN_OK] = SUCCEEDED | SKIPPED,
		[WHEN_SUCCEEDED] = SUCCEEDED,
		[WHEN_FAILED] = FAILED,
		[WHEN_DONE] = SUCCEEDED | FAILED,
		[WHEN_SKIPPED] = SKIPPED,
		[WHEN_ANY] = SUCCEEDED | FAILED | SKIPPED | OTHER,
	};

	return met[when];
}

/* Two needs of one task that no single ending meets: it can never run. Edges of a task are
 * neighbours, and those worth comparing are few. */
static void check_contradictions(struct plan *p)
{
	for (uint32_t i = 1; i < p->edges; i++) {
		const struct dag_edge *e = &p->edge[i];

		if (p->edge_when[i] == WHEN_OK)
			continue;
		for (uint32_t j = i; j-- && p->edge[j].to == e->to;) {
			const struct task *t = &p->task[e->to];

			if (p->edge[j].from != e->from ||
				endings(p->edge_when[i]) & endings(p->edge_when[j]))
				continue;
			plan_error(p, t, t->needs,
				"'%s' can never run: no ending of '%s' meets both of its needs",
				t->id, p->task[e->from].id);
		}
	}
}

void plan_check(struct plan *p)
{
	for (uint32_t i = 0; i < p->count; i++) {
		const struct task *t = &p->task[i];

		if (t->recipe->own_retry && t->recipe->retry.attempts > 1 && t->recipe->run.n &&
			!t->recipe->undo.n)
			plan_warning(p, t, t->text,
				"'%s' is tried again after a failure; nothing undoes what it did",
				t->id);
	}
	check_contradictions(p);
}
