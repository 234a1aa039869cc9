/*
 * Two tables say what the file holds: the settings with their bounds and
 * defaults, and the plain numbers. Both are read and written from them.
 */
#include "breaker_file.h"

#include "clock.h"
#include "json.h"

#include <errno.h>

static const char *const state_names[] = {
	[BREAKER_CLOSED] = "closed",
	[BREAKER_OPEN] = "open",
	[BREAKER_HALF_OPEN] = "half_open",
	[BREAKER_HELD] = "held",
	[BREAKER_OBSERVED] = "observed",
};

#define DAY (24 * 3600 * NS_PER_S)

static const struct setting {
	const char *name;
	size_t offset;
	bool duration;
	int64_t min, max, normal;
} settings[] = {
	{"consecutive", offsetof(struct breaker_settings, consecutive), false, 1, 1000000, 5},
	{"window", offsetof(struct breaker_settings, window), false, 1, BREAKER_WINDOW_MAX, 20},
	{"min_calls", offsetof(struct breaker_settings, min_calls), false, 1, BREAKER_WINDOW_MAX,
		5},
	{"max_age", offsetof(struct breaker_settings, max_age), true, NS_PER_MS, 31 * DAY,
		900 * NS_PER_S},
	{"cooldown", offsetof(struct breaker_settings, cooldown), true, NS_PER_MS, 31 * DAY,
		60 * NS_PER_S},
	{"cooldown_cap", offsetof(struct breaker_settings, cooldown_cap), true, NS_PER_MS, 31 * DAY,
		1800 * NS_PER_S},
	{"probes", offsetof(struct breaker_settings, probes), false, 1, 1000, 2},
	{"lease", offsetof(struct breaker_settings, lease), true, NS_PER_MS, 31 * DAY,
		60 * NS_PER_S},
};

static const double normal_rate = 0.5;

static const struct number {
	const char *section, *name; /* section NULL: of the file itself */
	size_t offset;
} numbers[] = {
	{NULL, "generation", offsetof(struct breaker_file, generation)},
	{NULL, "reopened", offsetof(struct breaker_file, reopened)},
	{NULL, "passed", offsetof(struct breaker_file, passed)},
	{"totals", "ok", offsetof(struct breaker_file, totals.ok)},
	{"totals", "failed", offsetof(struct breaker_file, totals.failed)},
	{"totals", "ignored", offsetof(struct breaker_file, totals.ignored)},
	{"totals", "late", offsetof(struct breaker_file, totals.late)},
	{"totals", "lost", offsetof(struct breaker_file, totals.lost)},
	{"totals", "opened", offsetof(struct breaker_file, totals.opened)},
};

static int64_t *at(void *base, size_t offset)
{
	return (void *)((char *)base + offset);
}

static int64_t get(const void *base, size_t offset)
{
	return *(const int64_t *)(const void *)((const char *)base + offset);
}

const char *breaker_state_name(enum breaker_state s)
{
	return state_names[s];
}

int breaker_settings_check(const struct breaker_settings *s, struct err *e)
{
	if (!(s->rate >= 0 && s->rate <= 1))
		return err_set(e, -EINVAL, "rate: must be between 0 and 1");
	for (size_t i = 0; i < countof(settings); i++) {
		const struct setting *k = &settings[i];
		int64_t value = get(s, k->offset), unit = k->duration ? NS_PER_S : 1;

		if (value && (value < k->min || value > k->max))
			return err_set(e, -EINVAL, "%s: must be between %g and %g%s", k->name,
				(double)k->min / (double)unit, (double)k->max / (double)unit,
				k->duration ? " seconds" : "");
	}
	return 0;
}

void breaker_settings_merge(struct breaker_settings *into, const struct breaker_settings *s)
{
	if (s->rate > 0)
		into->rate = s->rate;
	for (size_t i = 0; i < countof(settings); i++)
		if (get(s, settings[i].offset))
			*at(into, settings[i].offset) = get(s, settings[i].offset);
}

void breaker_file_new(struct breaker_file *f, const struct breaker_settings *s)
{
	*f = (struct breaker_file){.generation = 1, .since = clock_real(), .told = true};
	f->settings.rate = normal_rate;
	for (size_t i = 0; i < countof(settings); i++)
		*at(&f->settings, settings[i].offset) = settings[i].normal;
	breaker_settings_merge(&f->settings, s);
}

/* A time; left alone where it is absent or null. */
static int get_time(const json_t *object, const char *key, int64_t *out, struct err *e)
{
	const char *text;
	int r = json_get_text(object, key, &text, e);

	if (r > 0 && (parse_rfc3339(text, strlen(text), out) < 0 || *out < 0))
		return err_set(e, -EINVAL, "%s: must be a time", key);
	return r;
}

/* A text that fits, copied; left alone where it is absent. */
static int get_copy(const json_t *object, const char *key, char *out, size_t size, struct err *e)
{
	const char *text;
	int r = json_get_text(object, key, &text, e);

	if (r > 0 && strlen(text) >= size)
		return err_set(e, -EINVAL, "%s: is too long", key);
	if (r > 0)
		snprintf(out, size, "%s", text);
	return r;
}

static int parse_state(struct breaker_file *f, const json_t *tree, struct err *e)
{
	const char *text = NULL;

	if (json_get_text(tree, "state", &text, e) > 0)
		for (size_t i = 0; i < countof(state_names); i++)
			if (strcmp(text, state_names[i]) == 0) {
				f->state = (enum breaker_state)i;
				return 0;
			}
	return err_set(e, -EINVAL, "state: must be closed, open, half_open, held or observed");
}

static int parse_settings(struct breaker_settings *s, const json_t *tree, struct err *e)
{
	json_t *object = NULL;
	int r = json_get_object(tree, "settings", &object, e);

	if (r > 0)
		r = json_get_real(object, "rate", &s->rate, e);
	for (size_t i = 0; object && r >= 0 && i < countof(settings); i++) {
		const struct setting *k = &settings[i];
		int64_t *value = at(s, k->offset);

		r = k->duration ? json_get_duration(object, k->name, value, e)
				: json_get_int(object, k->name, k->min, k->max, value, e);
		if (r > 0 && !*value)
			r = err_set(e, -EINVAL, "%s: must not be 0", k->name);
	}
	return r < 0 ? r : breaker_settings_check(s, e);
}

static int parse_numbers(struct breaker_file *f, const json_t *tree, struct err *e)
{
	json_t *section;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < countof(numbers); i++) {
		section = (json_t *)(uintptr_t)tree;
		if (numbers[i].section)
			r = json_get_object(tree, numbers[i].section, &section, e);
		if (r >= 0)
			r = json_get_int(section, numbers[i].name, 0, INT64_MAX / 2,
				at(f, numbers[i].offset), e);
	}
	return r;
}

static int parse_probe(struct probe *p, const json_t *tree, struct err *e)
{
	json_t *object = NULL;
	int64_t pid = 0, start = 0;
	int r = json_get_object(tree, "probe", &object, e);

	if (r <= 0)
		return r;
	r = get_copy(object, "lease", p->lease, sizeof p->lease, e);
	if (r >= 0)
		r = json_get_int(object, "pid", 0, INT32_MAX, &pid, e);
	if (r >= 0)
		r = json_get_int(object, "start", 0, INT64_MAX, &start, e);
	if (r >= 0)
		r = get_copy(object, "boot", p->owner.boot, sizeof p->owner.boot, e);
	if (r >= 0)
		r = get_time(object, "since", &p->since, e);
	if (r >= 0)
		r = get_time(object, "expires", &p->expires, e);
	p->owner.pid = (pid_t)pid;
	p->owner.start = (uint64_t)start;
	return r;
}

/* The newest, where there are more than we keep. */
static int parse_calls(struct breaker_file *f, const json_t *tree, struct err *e)
{
	json_t *list = NULL;
	int r = json_get_array(tree, "outcomes", &list, e);
	size_t n = json_array_size(list);

	for (size_t i = n - MIN(n, (size_t)BREAKER_WINDOW_MAX); r >= 0 && i < n; i++) {
		const json_t *item = json_array_get(list, i);
		struct call *c = &f->call[f->count++];

		r = get_time(item, "time", &c->time, e);
		if (r >= 0)
			r = json_get_bool(item, "failed", &c->failed, e);
		if (r == 0)
			r = err_set(e, -EINVAL, "outcomes: must have a time and failed");
	}
	return r;
}

int breaker_file_parse(struct breaker_file *f, const char *text, size_t length, struct err *e)
{
	AUTO_JSON json_t *tree = json_parse(text, length, e);
	int r;

	if (!tree)
		return -EINVAL;
	if (!json_is_object(tree))
		return err_set(e, -EINVAL, "must be an object");
	breaker_file_new(f, &(struct breaker_settings){0});
	r = parse_state(f, tree, e);
	if (r >= 0)
		r = parse_numbers(f, tree, e);
	if (r >= 0)
		r = get_time(tree, "since", &f->since, e);
	if (r >= 0)
		r = get_time(tree, "until", &f->until, e);
	if (r >= 0)
		r = get_time(tree, "hint", &f->hint, e);
	if (r >= 0)
		r = json_get_bool(tree, "told", &f->told, e);
	if (r >= 0)
		r = get_copy(tree, "why", f->why, sizeof f->why, e);
	if (r >= 0)
		r = parse_settings(&f->settings, tree, e);
	if (r >= 0)
		r = parse_probe(&f->probe, tree, e);
	if (r >= 0)
		r = parse_calls(f, tree, e);
	return MIN(r, 0);
}

/* "key": with a time, or null where there is none. */
static void add_time(struct buf *b, const char *key, int64_t ns)
{
	char text[TIME_SIZE];

	if (ns)
		buf_format(b, "\"%s\": \"%s\"", key, format_time(text, ns));
	else
		buf_format(b, "\"%s\": null", key);
}

static void add_settings(struct buf *b, const struct breaker_settings *s)
{
	buf_format(b, "  \"settings\": {\"rate\": %.9g", s->rate);
	for (size_t i = 0; i < countof(settings); i++) {
		int64_t value = get(s, settings[i].offset);

		if (settings[i].duration)
			buf_format(b, ", \"%s\": %.12g", settings[i].name, (double)value / 1e9);
		else
			buf_format(b, ", \"%s\": %lld", settings[i].name, (long long)value);
	}
	buf_str(b, "},\n");
}

static void add_numbers(struct buf *b, const struct breaker_file *f)
{
	const char *before = "  \"totals\": {";

	for (size_t i = 0; i < countof(numbers); i++) {
		const struct number *n = &numbers[i];
		long long value = (long long)get(f, n->offset);

		if (!n->section) {
			buf_format(b, "  \"%s\": %lld,\n", n->name, value);
			continue;
		}
		buf_format(b, "%s\"%s\": %lld", before, n->name, value);
		before = ", ";
	}
	buf_str(b, "},\n");
}

static void add_probe(struct buf *b, const struct probe *p)
{
	if (!p->lease[0]) {
		buf_str(b, "  \"probe\": null,\n");
		return;
	}
	buf_str(b, "  \"probe\": {\"lease\": ");
	buf_json(b, p->lease, strlen(p->lease));
	buf_format(b, ", \"pid\": %d, \"start\": %llu, \"boot\": ", (int)p->owner.pid,
		(unsigned long long)p->owner.start);
	buf_json(b, p->owner.boot, strlen(p->owner.boot));
	buf_str(b, ", ");
	add_time(b, "since", p->since);
	buf_str(b, ", ");
	add_time(b, "expires", p->expires);
	buf_str(b, "},\n");
}

static void add_calls(struct buf *b, const struct breaker_file *f)
{
	buf_str(b, "  \"outcomes\": [");
	for (size_t i = 0; i < f->count; i++) {
		buf_str(b, i ? ",\n    {" : "\n    {");
		add_time(b, "time", f->call[i].time);
		buf_format(b, ", \"failed\": %s}", f->call[i].failed ? "true" : "false");
	}
	buf_str(b, f->count ? "\n  ]\n}\n" : "]\n}\n");
}

void breaker_file_format(const struct breaker_file *f, const char *name, struct buf *b)
{
	static const struct {
		const char *key;
		size_t offset;
	} times[] = {
		{"since", offsetof(struct breaker_file, since)},
		{"until", offsetof(struct breaker_file, until)},
		{"hint", offsetof(struct breaker_file, hint)},
	};

	buf_format(b, "{\n  \"breaker\": \"%s\",\n  \"state\": \"%s\",\n", name,
		state_names[f->state]);
	for (size_t i = 0; i < countof(times); i++) {
		buf_str(b, "  ");
		add_time(b, times[i].key, get(f, times[i].offset));
		buf_str(b, ",\n");
	}
	buf_format(b, "  \"told\": %s,\n  \"why\": ", f->told ? "true" : "false");
	buf_json(b, f->why, strlen(f->why));
	buf_str(b, ",\n");
	add_numbers(b, f);
	add_probe(b, &f->probe);
	add_settings(b, &f->settings);
	add_calls(b, f);
}
