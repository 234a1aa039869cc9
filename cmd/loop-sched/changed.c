#include "changed.h"

#include "die.h"
#include "field.h"
#include <stdarg.h>

enum { TOLD = 20 }; /* tasks that are named one by one */

const char *const plan_changed_words[] = {"ask", "keep", "new", "fail", NULL};

struct difference {
	const struct plan *old, *new;
	bool *changed; /* of the new plan's tasks */
	uint32_t added, removed, differ, told;
	bool defaults;
};

static struct span plan_member(const struct plan *p, const char *key)
{
	struct span value;

	return p->whole && jscan_get(p->text, key, &value) ? value : (struct span){0};
}

static bool same_text(struct span a, struct span b)
{
	return a.n == b.n && (!a.n || memcmp(a.p, b.p, a.n) == 0);
}

static bool same_task(const struct task *a, const struct task *b)
{
	if (task_hash(a) != task_hash(b))
		return false;
	if (!a->index || !b->index)
		return !a->index && !b->index;
	return same_text(a->group->item[a->index - 1], b->group->item[b->index - 1]);
}

static void PRINTF_LIKE(2, 3) tell(struct difference *d, const char *format, ...)
{
	char text[512];
	va_list args;

	if (d->told++ >= TOLD)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	warn("%s", text);
}

/* The members that one of two objects has otherwise than the other. */
static void list_members(struct buf *b, struct span of, struct span other, bool missing_only)
{
	struct span key, value, there;
	struct jscan walk;

	jscan_open(&walk, of);
	while (jscan_next(&walk, &key, &value) > 0) {
		AUTO_BUF struct buf name = {0};

		if (jscan_text(key, &name) < 0 || strcmp(name.text, "at") == 0 ||
			strcmp(name.text, "items") == 0)
			continue;
		if (jscan_get(other, name.text, &there) &&
			(missing_only || same_text(value, there)))
			continue;
		buf_format(b, "%s%s", b->length ? ", " : "", name.text);
	}
}

static void compare_task(struct difference *d, uint32_t i)
{
	const struct task *now = &d->new->task[i], *then = plan_task(d->old, now->id);
	AUTO_BUF struct buf what = {0};

	if (!then) {
		d->added++;
		tell(d, "  %s is new", now->id);
		return;
	}
	d->changed[i] = d->defaults || !same_task(then, now);
	if (same_task(then, now))
		return;
	d->differ++;
	list_members(&what, now->text, then->text, false);
	list_members(&what, then->text, now->text, true);
	tell(d, "  %s has changed: %s", now->id, what.length ? what.text : "its place");
}

static void compare(struct difference *d)
{
	static const char *const keys[] = {"defaults", "resources"};

	for (size_t i = 0; i < countof(keys); i++) {
		if (same_text(plan_member(d->old, keys[i]), plan_member(d->new, keys[i])))
			continue;
		tell(d, "  the plan's %s have changed", keys[i]);
		d->defaults |= i == 0;
		d->differ++;
	}
	for (uint32_t i = 0; i < d->new->count; i++)
		compare_task(d, i);
	for (uint32_t i = 0; i < d->old->count; i++)
		if (!task_joined(&d->old->task[i]) && !plan_task(d->new, d->old->task[i].id)) {
			d->removed++;
			tell(d, "  %s is gone", d->old->task[i].id);
		}
	if (d->told > TOLD)
		warn("  and %u more", d->told - TOLD);
}

/* One letter from whoever sits there. */
static enum plan_changed ask(void)
{
	char answer[16] = "";

	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return CHANGED_FAIL;
	fprintf(stderr, "Go on with the old plan (o), the new one (n), or not at all? ");
	if (!fgets(answer, sizeof answer, stdin))
		return CHANGED_FAIL;
	return *answer == 'o' ? CHANGED_KEEP : *answer == 'n' ? CHANGED_NEW
							      : CHANGED_FAIL;
}

/* What needs something that changed is to be done again as well. */
static void spread(const struct plan *p, bool *anew)
{
	const struct dag *d = &p->dag;

	for (uint32_t k = 0; k < p->count; k++) {
		uint32_t i = p->order[k];

		for (uint32_t e = d->first_in[i]; e < d->first_in[i + 1]; e++)
			anew[i] |= anew[d->in[e]];
	}
}

/* Tasks that joined stay where what made them is as it was. */
static bool *keep_joined(const struct plan *old, struct plan *now, bool *changed)
{
	uint32_t count = now->count;

	for (uint32_t i = 0; i < count; i++) {
		const struct task *then = plan_task(old, now->task[i].id);

		if (!changed[i] && then && then->fans && then->group)
			plan_join(now, i, then->group->values);
	}
	changed = mem_resize(changed, (size_t)now->count + 1, sizeof *changed);
	memset(changed + count, 0, (now->count - count) * sizeof *changed);
	return changed;
}

static void take_new(struct run *r, struct plan *now, bool *changed)
{
	spread(now, changed);
	changed = keep_joined(&r->plan, now, changed);
	r->plan = *now; /* the old one's texts are still lent to the options */
	r->anew = changed;
	r->options.form = now->form;
	r->options.imported = now->imported;
	run_write_plan(r);
}

void plan_compare(struct run *r, enum plan_changed wish)
{
	static struct plan now; /* its tasks lead to what is in it: it must stay */
	struct difference d = {.old = &r->plan, .new = &now};

	if (!r->options.source || wish == CHANGED_KEEP)
		return;
	if (access(r->options.source, F_OK) < 0) {
		warn("%s is gone; goes on with the plan as it was", r->options.source);
		return;
	}
	plan_need(&now, r->options.source, false);
	d.changed = mem_zero((size_t)now.count + 1, sizeof *d.changed);
	if (plan_hash(&now) != plan_hash(&r->plan))
		compare(&d);
	if (!d.added && !d.removed && !d.differ) {
		free(d.changed);
		plan_clear(&now);
		return;
	}
	warn("%s: %s is not what it was: %u changed, %u new, %u gone", r->id, r->options.source,
		d.differ, d.added, d.removed);
	if (wish == CHANGED_ASK)
		wish = ask();
	if (wish == CHANGED_FAIL)
		die(EXIT_NO, "%s: nothing was run; --plan-changed=keep goes on with the plan as it "
			     "was, --plan-changed=new with what it is now",
			r->id);
	if (wish == CHANGED_NEW)
		take_new(r, &now, d.changed);
}
