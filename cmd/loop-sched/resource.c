#include "resource.h"

struct lock_want *resource_wants(struct plan *p, const struct task *t, size_t *count)
{
	struct span demands = task_get(p, t, M_RESOURCES);
	struct lock_want *want = NULL;
	size_t capacity = 0;
	struct span key, value;
	struct jscan walk;

	*count = 0;
	jscan_open(&walk, demands);
	while (jscan_next(&walk, &key, &value) > 0) {
		struct lock_want *w;

		want = mem_grow(want, *count, &capacity, sizeof *want);
		w = &want[(*count)++];
		*w = (struct lock_want){.name = plan_text(p, key), .units = 1};
		if (jscan_int(value, &w->units) < 0)
			w->units = 1;
		w->capacity = MAX(plan_capacity(p, key), (int64_t)0);
	}
	return want;
}

int resource_take(struct lock **held, const struct state *s, struct plan *p, const struct task *t,
	struct err *e)
{
	AUTO_FREE struct lock_want *want = NULL;
	struct lock_options options = {.priority = 50, .label = t->id};
	size_t count;

	*held = NULL;
	if (!task_has(p, t, M_RESOURCES))
		return 0;
	want = resource_wants(p, t, &count);
	return count ? lock_acquire(held, s, want, count, &options, e) : 0;
}
