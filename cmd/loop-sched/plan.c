/* The plan's own form is read in one walk over its text, which stays where it is. */
#include "plan.h"

#include "field.h"
#include "parse.h"

#include <errno.h>

const char *plan_text(struct plan *p, struct span string)
{
	AUTO_BUF struct buf text = {0};

	if (!string.n)
		return NULL;
	if (!memchr(string.p, '\\', string.n)) /* no escapes: what stands between the quotes */
		return arena_substring(&p->arena, string.p + 1, string.n - 2);
	if (jscan_text(string, &text) < 0)
		return NULL;
	return arena_substring(&p->arena, text.text, text.length);
}

struct task *plan_task(const struct plan *p, const char *id)
{
	return map_get(&p->by_id, id);
}

bool plan_named(const struct plan *p, struct span name, struct group *out)
{
	const struct task *t = map_get_n(&p->by_id, name.p + 1, name.n - 2);
	const struct group *g = map_get_n(&p->groups, name.p + 1, name.n - 2);

	if (t)
		*out = (struct group){.first = plan_index(p, t), .count = 1};
	else if (g)
		*out = *g;
	return t || g;
}

bool task_joined(const struct task *t)
{
	return t->group && t->index && t->group->fanned;
}

uint32_t plan_index(const struct plan *p, const struct task *t)
{
	return (uint32_t)(t - p->task);
}

static const struct {
	const char *word;
	enum when when;
} conditions[] = {
	{"succeeded", WHEN_SUCCEEDED},
	{"failed", WHEN_FAILED},
	{"done", WHEN_DONE},
	{"skipped", WHEN_SKIPPED},
	{"any", WHEN_ANY},
};

int need_read(struct span value, struct span *name, enum when *when)
{
	struct span word;

	*when = WHEN_OK;
	*name = value;
	if (jscan_kind(value) == '"')
		return 0;
	if (jscan_kind(value) != '{' || !jscan_get(value, "task", name) || jscan_kind(*name) != '"')
		return -EINVAL;
	if (!jscan_get(value, "when", &word))
		return 0;
	for (size_t i = 0; i < countof(conditions); i++) {
		if (!jscan_is(word, conditions[i].word))
			continue;
		*when = conditions[i].when;
		return 0;
	}
	return -EINVAL;
}

struct span task_get(const struct plan *p, const struct task *t, enum member m)
{
	struct span value = {0};

	if (t->has & 1U << m)
		jscan_get(t->text, member_name(m), &value);
	else if (p->defaults_have & 1U << m)
		jscan_get(p->defaults_text, member_name(m), &value);
	return value;
}

bool task_has(const struct plan *p, const struct task *t, enum member m)
{
	return (t->has | p->defaults_have) & 1U << m;
}

/* The recipe that this task is filling: the defaults until it has a member of its own. */
static struct recipe *own_recipe(struct plan *p, struct task *t)
{
	struct recipe *r = (struct recipe *)(uintptr_t)t->recipe;

	if (r != &p->defaults)
		return r;
	r = arena_new(&p->arena, sizeof *r);
	*r = p->defaults;
	t->recipe = r;
	return r;
}

static void read_member(struct plan *p, struct task *t, struct span key, struct span value)
{
	static const struct field *const tables[] = {task_fields, recipe_fields, NULL};
	const struct field *f = field_find(task_fields, key);
	bool own = f != NULL, right;

	if (!f)
		f = field_find(recipe_fields, key);
	if (!f) {
		field_unknown(p, t, "a task", key, tables);
		return;
	}
	if (own)
		right = field_read(p, t, f, value, t);
	else
		right = field_read(p, t, f, value, f->member ? NULL : own_recipe(p, t));
	if (f->member && right)
		t->has |= 1U << f->member;
	if (f->kind == KIND_RETRY)
		own_recipe(p, t)->own_retry = true;
}

static void read_task(struct plan *p, struct span text)
{
	struct span key, value;
	struct jscan walk;
	struct task *t;

	if (jscan_kind(text) != '{' || jscan_open(&walk, text) < 0) {
		plan_error(p, NULL, text, "a task must be an object");
		return;
	}
	if (p->count == PLAN_TASKS) {
		plan_error(p, NULL, text, "more than %d tasks", PLAN_TASKS);
		return;
	}
	p->task = mem_grow(p->task, p->count, &p->capacity, sizeof *p->task);
	t = &p->task[p->count];
	*t = (struct task){.text = text, .recipe = &p->defaults, .priority = PRIORITY_NONE};
	if (p->imported && jscan_get(text, "at", &value)) /* first: errors are placed by it */
		t->has |= 1U << M_AT;
	while (jscan_next(&walk, &key, &value) > 0)
		read_member(p, t, key, value);
	if (!t->id && !jscan_get(text, "id", &value))
		plan_error(p, t, text, "a task needs an id");
	t->fans = t->has & 1U << M_FOREACH && jscan_kind(task_get(p, t, M_FOREACH)) != '[';
	if (t->id && t->has & 1U << M_FOREACH && !t->fans)
		plan_expand(p, *t);
	else
		p->count += t->id != NULL;
}

static void read_tasks(struct plan *p, struct span tasks)
{
	struct span key, value;
	struct jscan walk;

	if (jscan_kind(tasks) != '[' || jscan_open(&walk, tasks) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0)
		read_task(p, value);
}

static void read_document(struct plan *p, struct span text)
{
	static const struct field *const tables[] = {plan_fields, NULL};
	struct span key, value;
	struct jscan walk;

	if (jscan_get(text, "defaults", &value) && jscan_kind(value) == '{') {
		p->defaults_text = value;
		p->defaults_have =
			object_read(p, NULL, "defaults", recipe_fields, value, &p->defaults);
	}
	jscan_open(&walk, text);
	while (jscan_next(&walk, &key, &value) > 0) {
		const struct field *f = field_find(plan_fields, key);

		if (f)
			field_read(p, NULL, f, value, NULL);
		else
			field_unknown(p, NULL, "a plan", key, tables);
	}
	if (jscan_get(text, "name", &value) && jscan_kind(value) == '"')
		p->name = plan_text(p, value);
	if (jscan_get(text, "resources", &value) && jscan_kind(value) == '{')
		p->resources = value;
	if (jscan_get(text, "breakers", &value) && jscan_kind(value) == '{')
		p->breakers = value;
	if (jscan_get(text, "tasks", &value))
		read_tasks(p, value);
}

static void read_line(struct plan *p, struct span line)
{
	const char *what;
	size_t at;

	if (jscan_check(line.p, line.n, &at, &what) < 0)
		plan_error(p, NULL, (struct span){line.p + at, 0}, "%s", what);
	else
		read_task(p, line);
}

static void read_lines(struct plan *p, struct span text)
{
	const char *end = text.p + text.n, *newline;

	for (const char *line = text.p; line < end; line = newline + 1) {
		newline = memchr(line, '\n', (size_t)(end - line));
		if (!newline)
			newline = end;
		if (strspn(line, " \t\r") < (size_t)(newline - line))
			read_line(p, (struct span){line, (size_t)(newline - line)});
	}
}

/* Ids come into the map when the array of tasks no longer moves. */
static void name_tasks(struct plan *p)
{
	for (uint32_t i = 0; i < p->count; i++) {
		struct task *t = &p->task[i], *first;
		struct span id = {0};

		first = map_add(&p->by_id, t->id, strlen(t->id), t);
		if (first == t && !map_get(&p->groups, t->id))
			continue;
		jscan_get(t->text, "id", &id);
		plan_error(p, t, id, "the id '%s' is there already", t->id);
		jscan_get(first->text, "id", &id);
		plan_note(p, first, id, "'%s' is first named here", t->id);
	}
}

/* Tasks that joined while the plan ran are in the plan that is kept of the run. */
static void fan_again(struct plan *p)
{
	uint32_t count = p->count;

	for (uint32_t i = 0; i < count; i++)
		if (p->task[i].fans && p->task[i].has & 1U << M_ITEMS)
			plan_fan(p, i, task_get(p, &p->task[i], M_ITEMS));
}

void plan_parse(struct plan *p, struct span text, enum form form)
{
	p->text = text;
	p->whole = form != FORM_LINES;
	p->defaults.retry =
		(struct retry){.attempts = 1, .backoff = BACKOFF_DEFAULT};
	if (form == FORM_LINES)
		read_lines(p, text);
	else
		read_document(p, text);
	fan_again(p);
	name_tasks(p);
	if (!p->count && !p->diags.errors)
		plan_error(p, NULL, (struct span){text.p, 0}, "no tasks");
}

/* FNV-1a, a word after the other. */
static uint64_t hash_add(uint64_t h, struct span text)
{
	for (size_t i = 0; i < text.n; i++)
		h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001b3);
	return h;
}

/* What the run itself changes, and where an item stood, is not what is run. */
static bool is_hashed(const struct field *f)
{
	return f->kind != KIND_IGNORED && f->offset != offsetof(struct task, done) &&
		f->member != M_AT && f->member != M_ITEMS;
}

uint64_t task_hash(const struct task *t)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);
	struct span key, value;
	struct jscan walk;

	jscan_open(&walk, t->text);
	while (jscan_next(&walk, &key, &value) > 0) {
		const struct field *f = field_find(task_fields, key);

		if (f && !is_hashed(f))
			continue;
		h = hash_add(hash_add(h, key), value);
	}
	return h;
}

uint64_t plan_hash(const struct plan *p)
{
	uint64_t h = hash_add(UINT64_C(0xcbf29ce484222325), p->resources);
	struct span defaults;

	if (p->whole && jscan_get(p->text, "defaults", &defaults))
		h = hash_add(h, defaults);
	for (uint32_t i = 0; i < p->count; i++)
		if (!task_joined(&p->task[i]))
			h = (h ^ task_hash(&p->task[i])) * UINT64_C(0x100000001b3);
	return h;
}

void plan_clear(struct plan *p)
{
	buf_clear(&p->source);
	buf_clear(&p->made);
	arena_clear(&p->arena);
	map_clear(&p->by_id);
	map_clear(&p->groups);
	dag_clear(&p->dag);
	diags_clear(&p->diags);
	free(p->task);
	free(p->edge);
	free(p->edge_when);
	free(p->order);
	*p = (struct plan){0};
}
