/* What the plan's tasks ask for and could never get. */
#include "plan.h"

#include "breaker.h"
#include "field.h"
#include "parse.h"
#include "question.h"

int64_t plan_capacity(const struct plan *p, struct span name)
{
	AUTO_BUF struct buf key = {0};
	struct span value;
	int64_t capacity;

	jscan_text(name, &key);
	if (!p->resources.n || !jscan_get(p->resources, key.text, &value))
		return -1;
	if (jscan_kind(value) == '{' && !jscan_get(value, "capacity", &value))
		return 1;
	return jscan_int(value, &capacity) < 0 ? -1 : capacity;
}

static bool check_name(
	struct plan *p, const struct task *t, struct span name, const char *what)
{
	if (name_valid(plan_text(p, name)))
		return true;
	plan_error(p, t, name, "a %s's name must be of letters, digits and ._:@+-", what);
	return false;
}

static void check_demands(struct plan *p, const struct task *t)
{
	struct span key, value;
	struct jscan walk;

	if (!task_has(p, t, M_RESOURCES) || jscan_open(&walk, task_get(p, t, M_RESOURCES)) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		int64_t units, capacity = plan_capacity(p, key);

		if (!check_name(p, t, key, "resource"))
			continue;
		if (jscan_int(value, &units) < 0 || units < 1)
			plan_error(p, t, value,
				"the demand for a resource must be a whole number, at least 1");
		else if (capacity >= 0 && units > capacity)
			plan_error(p, t, value, "'%s' wants %lld of %.*s, of which there are %lld",
				t->id, (long long)units, (int)MIN(key.n, (size_t)80), key.p,
				(long long)capacity);
	}
}

static void check_capacities(struct plan *p)
{
	struct span key, value, capacity;
	struct jscan walk;
	int64_t n;

	if (!p->resources.n || jscan_open(&walk, p->resources) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		capacity = value;
		if (jscan_kind(value) == '{' && !jscan_get(value, "capacity", &capacity))
			continue;
		if (jscan_int(capacity, &n) < 0 || n < 1)
			plan_error(p, NULL, capacity,
				"a resource must have a capacity: a whole number, at least 1");
	}
}

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

static void check_breakers(struct plan *p)
{
	struct span key, value;
	struct jscan walk;

	if (!p->breakers.n || jscan_open(&walk, p->breakers) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		struct breaker_settings settings = {0};

		check_name(p, NULL, key, "breaker");
		object_read(p, NULL, "a breaker", breaker_fields, value, &settings);
	}
}

/* What asks a human runs nothing, so what only a command has a use for is a mistake. */
static void check_gate(struct plan *p, const struct task *t)
{
	static const enum member senseless[] = {
		M_RUN, M_AGENT, M_PROMPT, M_VERIFY, M_CACHE, M_UNDO};

	for (size_t i = 0; t->has & 1U << M_GATE && i < countof(senseless); i++)
		if (t->has & 1U << senseless[i])
			plan_error(p, t, task_get(p, t, senseless[i]),
				"'%s' is a gate, which asks and runs nothing: it cannot have %s",
				t->id, member_name(senseless[i]));
}

void plan_check(struct plan *p)
{
	check_capacities(p);
	check_breakers(p);
	endings_check(p, NULL, p->defaults.retry.on);
	endings_check(p, NULL, p->defaults.retry.never_on);
	for (uint32_t i = 0; i < p->count; i++) {
		const struct task *t = &p->task[i];

		check_demands(p, t);
		check_gate(p, t);
		if (t->recipe->own_retry) {
			endings_check(p, t, t->recipe->retry.on);
			endings_check(p, t, t->recipe->retry.never_on);
		}
		if (t->has & 1U << M_BREAKER)
			check_name(p, t, task_get(p, t, M_BREAKER), "breaker");
		if (t->recipe->own_retry && t->recipe->retry.attempts > 1 &&
			task_has(p, t, M_RUN) && !task_has(p, t, M_UNDO))
			plan_warning(p, t, t->text,
				"'%s' is tried again after a failure; nothing undoes what it did",
				t->id);
	}
	check_contradictions(p);
}
