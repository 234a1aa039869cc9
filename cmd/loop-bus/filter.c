#include "filter.h"

#include "mem.h"
#include "pattern.h"

#include <errno.h>
#include <math.h>

enum relation { EQUAL,
	NOT_EQUAL,
	LESS,
	LESS_EQUAL,
	MORE,
	MORE_EQUAL };

struct condition {
	char *path;
	enum relation relation;
	char *value; /* JSON */
};

/* The longer ones first: "<=" is not "<" with a value "=…". */
static const struct {
	const char *text;
	enum relation relation;
} relations[] = {
	{"!=", NOT_EQUAL},
	{"<=", LESS_EQUAL},
	{">=", MORE_EQUAL},
	{"=", EQUAL},
	{"<", LESS},
	{">", MORE},
};

static int add_pattern(struct strs *list, const char *pattern, char separator, const char *name,
	struct err *e)
{
	if (!pattern_valid(pattern, separator))
		return err_set(e, -EINVAL,
			"%s pattern '%.100s': words with %s; * is one word, ** at the end the rest",
			name, pattern, separator == PATTERN_TYPE ? "dots" : "slashes");
	strs_add(list, pattern);
	return 0;
}

int filter_add_type(struct filter *f, const char *pattern, struct err *e)
{
	return add_pattern(&f->types, pattern, PATTERN_TYPE, "type", e);
}

int filter_add_subject(struct filter *f, const char *pattern, struct err *e)
{
	return add_pattern(&f->subjects, pattern, PATTERN_SUBJECT, "subject", e);
}

static void add_condition(struct filter *f, char *path, enum relation relation, char *value)
{
	f->where = mem_grow(f->where, f->count, &f->capacity, sizeof *f->where);
	f->where[f->count++] = (struct condition){path, relation, value};
}

int filter_add_equal(struct filter *f, const char *path, struct span value, struct err *e)
{
	if (!*path || value.n > EVENT_MAX)
		return err_set(e, -EINVAL, "where: not a path of fields with a value");
	add_condition(f, mem_string(path), EQUAL, mem_substring(value.p, value.n));
	return 0;
}

/* JSON as it is; any other text is meant as a string. */
static char *json_value(const char *text)
{
	struct buf quoted = {0};
	const char *what;
	size_t at;

	if (jscan_check(text, strlen(text), &at, &what) == 0)
		return mem_string(text);
	buf_json(&quoted, text, strlen(text));
	return buf_take(&quoted);
}

int filter_add_where(struct filter *f, const char *text, struct err *e)
{
	size_t n = strcspn(text, "=<>!");

	for (size_t i = 0; n && i < countof(relations); i++) {
		size_t length = strlen(relations[i].text);

		if (strncmp(text + n, relations[i].text, length) != 0)
			continue;
		add_condition(f, mem_substring(text, n), relations[i].relation,
			json_value(text + n + length));
		return 0;
	}
	return err_set(e, -EINVAL, "condition '%.100s': must be as data.success=false or "
				   "data.ms>1000",
		text);
}

void filter_clear(struct filter *f)
{
	for (size_t i = 0; i < f->count; i++) {
		free(f->where[i].path);
		free(f->where[i].value);
	}
	free(f->where);
	strs_clear(&f->types);
	strs_clear(&f->subjects);
	*f = (struct filter){0};
}

bool filter_wants_all(const struct filter *f)
{
	return !f->types.count && !f->subjects.count && !f->count && f->least == BACKGROUND;
}

static bool matches_any(const struct strs *patterns, char separator, struct span string)
{
	AUTO_BUF struct buf resolved = {0};
	struct span text;

	if (!patterns->count)
		return true;
	if (string.n < 2)
		return false;
	text = (struct span){string.p + 1, string.n - 2};
	if (memchr(text.p, '\\', text.n)) {
		if (jscan_text(string, &resolved) < 0)
			return false;
		text = (struct span){resolved.text, resolved.length};
	}
	for (size_t i = 0; i < patterns->count; i++)
		if (pattern_match(patterns->item[i], separator, text.p, text.n))
			return true;
	return false;
}

enum priority view_priority(const struct event_view *v)
{
	enum priority p = NORMAL;
	char name[16] = "";

	if (v->priority.n > 2 && v->priority.n - 2 < sizeof name)
		memcpy(name, v->priority.p + 1, v->priority.n - 2);
	if (priority_parse(name, &p) < 0)
		return NORMAL;
	return p;
}

static double number(struct span value)
{
	char text[64];

	snprintf(text, sizeof text, "%.*s", (int)MIN(value.n, sizeof text - 1), value.p);
	return strtod(text, NULL);
}

/* Below, at or above 0 as the one is less than, equal to or more than the other; NAN: neither. */
static double compare(struct span a, struct span b)
{
	AUTO_BUF struct buf left = {0}, right = {0};
	char kind = jscan_kind(a);

	if (kind != jscan_kind(b))
		return (double)NAN;
	if (kind == '0')
		return number(a) - number(b);
	if (kind != '"')
		return a.n == b.n && memcmp(a.p, b.p, a.n) == 0 ? 0 : (double)NAN;
	if (jscan_text(a, &left) < 0 || jscan_text(b, &right) < 0)
		return (double)NAN;
	return strcmp(left.text, right.text);
}

static bool holds(const struct condition *c, struct span line)
{
	struct span value, want = {c->value, strlen(c->value)};
	double order;

	if (!jscan_path(line, c->path, &value))
		return c->relation == NOT_EQUAL;
	order = compare(value, want);
	switch (c->relation) {
	case EQUAL: return order == 0;
	case NOT_EQUAL: return !(order == 0);
	case LESS: return order < 0;
	case LESS_EQUAL: return order <= 0;
	case MORE: return order > 0;
	case MORE_EQUAL: return order >= 0;
	default: return false;
	}
}

bool filter_matches(const struct filter *f, const struct event_view *v, struct span line)
{
	if (!matches_any(&f->types, PATTERN_TYPE, v->type) ||
		!matches_any(&f->subjects, PATTERN_SUBJECT, v->subject))
		return false;
	if (f->least > BACKGROUND && view_priority(v) < f->least)
		return false;
	for (size_t i = 0; i < f->count; i++)
		if (!holds(&f->where[i], line))
			return false;
	return true;
}
