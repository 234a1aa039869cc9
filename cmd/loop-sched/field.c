#include "field.h"

#include "breaker.h"
#include "parse.h"
#include "question.h"

/* Where a value goes: into a struct, nowhere, or nowhere but to be looked up. */
#define AT(type, name) offsetof(struct type, name), NO_MEMBER
#define NOT_KEPT FIELD_NOT_KEPT, NO_MEMBER
#define LATER(member) FIELD_NOT_KEPT, member

const struct field plan_fields[] = {
	{"name", KIND_TEXT, NOT_KEPT},
	{"description", KIND_IGNORED, NOT_KEPT},
	{"source", KIND_TEXT, NOT_KEPT},
	{"branch", KIND_TEXT, NOT_KEPT},
	{"defaults", KIND_OBJECT, NOT_KEPT},
	{"resources", KIND_OBJECT, NOT_KEPT},
	{"breakers", KIND_OBJECT, NOT_KEPT},
	{"tasks", KIND_ARRAY, NOT_KEPT},
	{"other", KIND_OBJECT, NOT_KEPT},
	{0},
};

/* Of the task itself. */
const struct field task_fields[] = {
	{"id", KIND_ID, AT(task, id)},
	{"needs", KIND_NEEDS, AT(task, needs)},
	{"title", KIND_TEXT, LATER(M_TITLE)},
	{"priority", KIND_PRIORITY, AT(task, priority)},
	{"files", KIND_NAMES, LATER(M_FILES)},
	{"description", KIND_IGNORED, NOT_KEPT},
	{"notes", KIND_IGNORED, NOT_KEPT},
	{"criteria", KIND_NAMES, NOT_KEPT},
	{"phase", KIND_TEXT, LATER(M_PHASE)},
	{"foreach", KIND_FOREACH, LATER(M_FOREACH)},
	{"items", KIND_ARRAY, LATER(M_ITEMS)},
	{"gate", KIND_GATE, LATER(M_GATE)},
	{"when", KIND_COMMAND, LATER(M_WHEN)},
	{"final", KIND_BOOL, AT(task, final)},
	{"pivot", KIND_BOOL, AT(task, pivot)},
	{"estimate", KIND_DURATION, AT(task, estimate)},
	{"done", KIND_BOOL, AT(task, done)},
	{"at", KIND_TEXT, LATER(M_AT)},
	{"other", KIND_OBJECT, NOT_KEPT},
	{0},
};

/* Of the task or of the plan's defaults. */
const struct field recipe_fields[] = {
	{"run", KIND_COMMAND, LATER(M_RUN)},
	{"agent", KIND_TEXT, LATER(M_AGENT)},
	{"prompt", KIND_TEXT, LATER(M_PROMPT)},
	{"verify", KIND_NAMES, LATER(M_VERIFY)},
	{"retry", KIND_RETRY, AT(recipe, retry)},
	{"resources", KIND_OBJECT, LATER(M_RESOURCES)},
	{"breaker", KIND_TEXT, LATER(M_BREAKER)},
	{"cache", KIND_CACHE, LATER(M_CACHE)},
	{"undo", KIND_COMMAND, LATER(M_UNDO)},
	{"timeout", KIND_DURATION, AT(recipe, timeout)},
	{"deadline", KIND_DURATION, AT(recipe, deadline)},
	{"stall", KIND_DURATION, AT(recipe, stall)},
	{"env", KIND_OBJECT, LATER(M_ENV)},
	{"dir", KIND_TEXT, LATER(M_DIR)},
	{0},
};

const struct field retry_fields[] = {
	{"attempts", KIND_COUNT, AT(retry, attempts)},
	{"base", KIND_DURATION, AT(retry, backoff.base)},
	{"factor", KIND_FACTOR, AT(retry, backoff.factor)},
	{"cap", KIND_DURATION, AT(retry, backoff.cap)},
	{"jitter", KIND_JITTER, AT(retry, backoff.jitter)},
	{"on", KIND_ARRAY, AT(retry, on)},
	{"never_on", KIND_ARRAY, AT(retry, never_on)},
	{0},
};

const struct field cache_fields[] = {
	{"inputs", KIND_NAMES, NOT_KEPT},
	{"outputs", KIND_NAMES, NOT_KEPT},
	{"env", KIND_NAMES, NOT_KEPT},
	{"ttl", KIND_DURATION, 0, NO_MEMBER},
	{0},
};

const struct field gate_fields[] = {
	{"question", KIND_TEXT, AT(question, text)},
	{"choices", KIND_NAMES, AT(question, choices)},
	{"text", KIND_BOOL, AT(question, open)},
	{"deadline", KIND_DURATION, AT(question, deadline)},
	{"default", KIND_TEXT, AT(question, fallback)},
	{0},
};

const struct field breaker_fields[] = {
	{"rate", KIND_RATE, AT(breaker_settings, rate)},
	{"consecutive", KIND_COUNT, AT(breaker_settings, consecutive)},
	{"window", KIND_COUNT, AT(breaker_settings, window)},
	{"min_calls", KIND_COUNT, AT(breaker_settings, min_calls)},
	{"cooldown", KIND_DURATION, AT(breaker_settings, cooldown)},
	{"probes", KIND_COUNT, AT(breaker_settings, probes)},
	{0},
};

const struct field *field_find(const struct field *table, struct span key)
{
	for (; table->name; table++)
		if (key.p[1] == table->name[0] && strlen(table->name) == key.n - 2 &&
			memcmp(key.p + 1, table->name, key.n - 2) == 0)
			return table;
	return NULL;
}

static const struct field *const with_members[] = {task_fields, recipe_fields};

const char *member_name(enum member m)
{
	for (size_t i = 0; i < countof(with_members); i++)
		for (const struct field *f = with_members[i]; f->name; f++)
			if (f->member == m)
				return f->name;
	return "";
}

/* How a list of field names is said: "a task has: id needs title …". */
static void list_fields(struct buf *b, const struct field *const tables[])
{
	for (; *tables; tables++)
		for (const struct field *f = *tables; f->name; f++)
			buf_format(b, " %s", f->name);
}

void field_unknown(struct plan *p, const struct task *t, const char *whose, struct span key,
	const struct field *const tables[])
{
	AUTO_BUF struct buf name = {0}, all = {0};
	struct nearest near = {0};

	jscan_text(key, &name);
	near.word = name.text;
	for (size_t i = 0; tables[i]; i++)
		for (const struct field *f = tables[i]; f->name; f++)
			nearest_try(&near, f->name);
	if (near.best) {
		plan_error(p, t, key, "unknown key '%s'; did you mean '%s'?", name.text, near.best);
		return;
	}
	plan_error(p, t, key, "unknown key '%s'", name.text);
	list_fields(&all, tables);
	plan_note(p, t, key, "%s has:%s", whose, all.text);
}

static bool all_strings(struct span array)
{
	struct span key, value;
	struct jscan walk;

	if (jscan_kind(array) != '[' || jscan_open(&walk, array) < 0)
		return false;
	while (jscan_next(&walk, &key, &value) > 0)
		if (jscan_kind(value) != '"')
			return false;
	return true;
}

static bool read_duration(struct plan *p, struct span value, int64_t *out)
{
	double seconds;

	if (jscan_kind(value) == '"')
		return parse_duration(plan_text(p, value), out) == 0;
	if (jscan_kind(value) != '0')
		return false;
	seconds = strtod(value.p, NULL); /* the text goes on behind the number, and is JSON */
	if (!(seconds >= 0 && seconds < 9e9))
		return false;
	*out = (int64_t)(seconds * 1e9);
	return true;
}

static bool read_priority(struct span value, int32_t *out)
{
	static const char *const words[] = {"critical", "high", "normal", "low", "medium"};
	static const int32_t levels[] = {0, 1, 2, 3, 2};
	int64_t number;

	for (size_t i = 0; i < countof(words); i++) {
		if (!jscan_is(value, words[i]))
			continue;
		*out = levels[i];
		return true;
	}
	if (jscan_int(value, &number) < 0 || number < INT32_MIN || number >= PRIORITY_NONE)
		return false;
	*out = (int32_t)number;
	return true;
}

uint32_t object_read(struct plan *p, const struct task *t, const char *whose,
	const struct field *table, struct span value, void *base)
{
	const struct field *const tables[] = {table, NULL};
	struct span key, member;
	struct jscan walk;
	uint32_t has = 0;

	if (jscan_kind(value) != '{' || jscan_open(&walk, value) < 0) {
		plan_error(p, t, value, "%s: must be an object", whose);
		return 0;
	}
	while (jscan_next(&walk, &key, &member) > 0) {
		const struct field *f = field_find(table, key);

		if (!f)
			field_unknown(p, t, whose, key, tables);
		else if (field_read(p, t, f, member, base) && f->member)
			has |= 1U << f->member;
	}
	return has;
}

static bool read_needs(struct span value)
{
	struct span key, item, name;
	struct jscan walk;
	enum when when;

	if (jscan_kind(value) != '[' || jscan_open(&walk, value) < 0)
		return false;
	while (jscan_next(&walk, &key, &item) > 0)
		if (need_read(item, &name, &when) < 0)
			return false;
	return true;
}

static bool read_id(struct plan *p, const struct task *t, struct span value, const char **out)
{
	const char *text = jscan_kind(value) == '"' ? plan_text(p, value) : NULL;

	if (!text)
		plan_error(p, t, value, "id: must be a string");
	else if (!name_valid(text))
		plan_error(p, t, value,
			"id: '%s' is not a name: letters, digits and ._:@+- only, at most 128",
			text);
	else
		*out = text;
	return *out != NULL;
}

/* What every kind of value must be, for the message; and, for those kept as they stand, whether one
 * is. */
static bool is_text(struct span v)
{
	return jscan_kind(v) == '"';
}

static bool is_command(struct span v)
{
	return is_text(v) || (all_strings(v) && v.n > 2);
}

static bool is_object(struct span v)
{
	return jscan_kind(v) == '{';
}

static bool is_array(struct span v)
{
	return jscan_kind(v) == '[';
}

/* An array, the id of a task, or that and a path in its output. */
static bool is_foreach(struct span v)
{
	struct span task, path;

	if (is_array(v) || (is_text(v) && v.n > 2))
		return true;
	return is_object(v) && jscan_get(v, "task", &task) && is_text(task) &&
		(!jscan_get(v, "path", &path) || is_text(path));
}

static bool set_duration(struct plan *p, struct span value, void *out)
{
	return read_duration(p, value, out);
}

static bool set_count(struct plan *p UNUSED, struct span value, void *out)
{
	int64_t number;

	if (jscan_int(value, &number) < 0 || number < 1 || number > 1000000)
		return false;
	*(int64_t *)out = number;
	return true;
}

static bool set_factor(struct plan *p UNUSED, struct span value, void *out)
{
	double factor = jscan_kind(value) == '0' ? strtod(value.p, NULL) : 0;

	if (!(factor >= 1 && factor <= 1e6))
		return false;
	*(double *)out = factor;
	return true;
}

static bool set_rate(struct plan *p UNUSED, struct span value, void *out)
{
	double rate = jscan_kind(value) == '0' ? strtod(value.p, NULL) : 0;

	*(double *)out = rate;
	return rate > 0 && rate <= 1;
}

static bool set_jitter(struct plan *p, struct span value, void *out)
{
	return is_text(value) && jitter_parse(plan_text(p, value), out) == 0;
}

static bool set_priority(struct plan *p UNUSED, struct span value, void *out)
{
	return read_priority(value, out);
}

static bool set_bool(struct plan *p UNUSED, struct span value, void *out)
{
	char is = jscan_kind(value);

	*(bool *)out = is == 't';
	return is == 't' || is == 'f';
}

static const struct {
	const char *must;
	bool (*is)(struct span);
	bool (*set)(struct plan *, struct span, void *);
} kinds[] = {
	[KIND_TEXT] = {"a string", is_text, NULL},
	[KIND_COMMAND] = {"a command: a string for sh -c, or an array of strings", is_command,
		NULL},
	[KIND_NAMES] = {"an array of strings", all_strings, NULL},
	[KIND_NEEDS] = {"an array of ids, or of {\"task\": id, \"when\": "
			"succeeded, failed, done, skipped or any}",
		read_needs, NULL},
	[KIND_OBJECT] = {"an object", is_object, NULL},
	[KIND_ARRAY] = {"an array", is_array, NULL},
	[KIND_FOREACH] = {"an array, the id of a task, or {\"task\": id, \"path\": in its output}",
		is_foreach, NULL},
	[KIND_DURATION] = {"a duration such as \"90s\", or a number of seconds", NULL,
		set_duration},
	[KIND_COUNT] = {"a whole number, at least 1", NULL, set_count},
	[KIND_FACTOR] = {"a number, at least 1", NULL, set_factor},
	[KIND_RATE] = {"a number above 0, at most 1", NULL, set_rate},
	[KIND_JITTER] = {"\"equal\", \"full\" or \"none\"", NULL, set_jitter},
	[KIND_PRIORITY] = {"a whole number, or critical, high, normal (medium) or low", NULL,
		set_priority},
	[KIND_BOOL] = {"true or false", NULL, set_bool},
};

bool field_read(
	struct plan *p, const struct task *t, const struct field *f, struct span value, void *base)
{
	bool stored = base && f->offset != FIELD_NOT_KEPT, right;
	int64_t ttl; /* loop-cache reads it again */
	void *out = stored ? (char *)base + f->offset : NULL;

	if (jscan_kind(value) == 'n' || f->kind == KIND_IGNORED)
		return false;
	if (f->kind == KIND_ID)
		return read_id(p, t, value, out);
	if (f->kind == KIND_RETRY) {
		object_read(p, t, "retry", retry_fields, value, out);
		return true;
	}
	if (f->kind == KIND_CACHE) {
		object_read(p, t, "cache", cache_fields, value, &ttl);
		return is_object(value);
	}
	if (f->kind == KIND_GATE)
		return question_read(p, t, value);
	right = kinds[f->kind].set ? kinds[f->kind].set(p, value, out) : kinds[f->kind].is(value);
	if (!right)
		plan_error(p, t, value, "%s: must be %s", f->name, kinds[f->kind].must);
	else if (kinds[f->kind].is && stored)
		*(struct span *)out = value;
	return right;
}
