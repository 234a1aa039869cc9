/*
 * Where something stands in the user's own file. For a plan in its own form
 * that is known: tasks are slices of the file. For an imported one the item is
 * found again by its "at", and in it the string or number that was meant; so
 * reading pays nothing for places.
 */
#include "plan.h"

#include "parse.h"

#include <stdarg.h>

enum { ERRORS_KEPT = 100 };

/* The line of this number, from 1; in a file of JSON lines, empty lines do not count. */
static bool nth_line(struct span source, int64_t number, bool skip_empty, struct span *line)
{
	const char *p = source.p, *end = source.p + source.n, *newline;

	for (; p < end; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (!newline)
			newline = end;
		if (skip_empty && strspn(p, " \t\r") >= (size_t)(newline - p))
			continue;
		if (--number == 0) {
			*line = (struct span){p, (size_t)(newline - p)};
			return true;
		}
	}
	return false;
}

static bool nth_item(struct span array, int64_t number, struct span *item)
{
	struct span key;
	struct jscan walk;

	if (jscan_open(&walk, array) < 0 || walk.object)
		return false;
	while (jscan_next(&walk, &key, item) > 0)
		if (number-- == 0)
			return true;
	return false;
}

/* One step of a pointer: a member of an object or an item of an array. */
static bool step_down(struct span *value, const char *word)
{
	int64_t number;

	if (jscan_kind(*value) == '[')
		return parse_int(word, 0, INT32_MAX, &number) == 0 &&
			nth_item(*value, number, value);
	return jscan_kind(*value) == '{' && jscan_get(*value, word, value);
}

bool source_item(struct span source, enum form form, const char *at, struct span *item)
{
	AUTO_FREE char *path = mem_string(at);
	char *rest = path, *word;
	int64_t number;

	*item = source;
	if (form != FORM_JSON) {
		word = strsep(&rest, "/"); /* empty: before the first slash */
		word = strsep(&rest, "/");
		if (!word || parse_int(word, 0, INT32_MAX, &number) < 0 ||
			!nth_line(source, number + 1, form == FORM_LINES, item))
			return false;
	} else {
		strsep(&rest, "/");
	}
	while (rest && (word = strsep(&rest, "/")))
		if (!step_down(item, word))
			return false;
	return true;
}

static bool same_number(struct span number, const char *text)
{
	return strlen(text) == number.n && memcmp(number.p, text, number.n) == 0;
}

/* The first string or number in a value whose text this is; bounded by the depth of valid JSON. */
static bool find_word(struct span value, const char *text, struct span *found)
{
	struct span key, member;
	struct jscan walk;
	char kind = jscan_kind(value);

	if (kind == '"' || kind == '0') {
		*found = value;
		return kind == '"' ? jscan_is(value, text) : same_number(value, text);
	}
	if ((kind != '{' && kind != '[') || jscan_open(&walk, value) < 0)
		return false;
	while (jscan_next(&walk, &key, &member) > 0) {
		*found = key;
		if (walk.object && jscan_is(key, text))
			return true;
		if (find_word(member, text, found))
			return true;
	}
	return false;
}

/* An imported task's value, looked up in the item it came from. */
static const char *find_source(struct plan *p, const struct task *t, struct span at)
{
	struct span source = {p->source.text, p->source.length}, item, found;
	const char *where = t ? plan_text(p, task_get(p, t, M_AT)) : NULL;
	AUTO_BUF struct buf word = {0};
	const char *hit;

	if (!where || !source_item(source, p->form, where, &item))
		return source.p;
	if (jscan_kind(at) == '"')
		jscan_text(at, &word);
	else
		buf_add(&word, at.p, MIN(at.n, (size_t)64));
	if (p->form == FORM_MARKDOWN) {
		hit = memmem(item.p, item.n, word.text, word.length);
		return hit ? hit : item.p;
	}
	return find_word(item, word.text, &found) ? found.p : item.p;
}

static size_t place(struct plan *p, const struct task *t, struct span at)
{
	const char *p_at = p->imported ? find_source(p, t, at) : at.p;

	if (p_at < p->source.text || p_at > p->source.text + p->source.length)
		return 0;
	return (size_t)(p_at - p->source.text);
}

static void PRINTF_LIKE(5, 0) say(struct plan *p, enum severity severity, const struct task *t,
	struct span at, const char *format, va_list args)
{
	static void (*const add[])(struct diags *, size_t, const char *, ...) = {
		[DIAG_ERROR] = diag_error, [DIAG_WARNING] = diag_warning, [DIAG_NOTE] = diag_note};
	char text[1024];

	if (p->diags.errors + p->diags.warnings >= ERRORS_KEPT && severity != DIAG_NOTE)
		p->unsaid++;
	if (p->unsaid)
		return;
	vsnprintf(text, sizeof text, format, args);
	add[severity](&p->diags, place(p, t, at), "%s", text);
}

void plan_error(
	struct plan *p, const struct task *t, struct span at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(p, DIAG_ERROR, t, at, format, args);
	va_end(args);
}

void plan_warning(
	struct plan *p, const struct task *t, struct span at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(p, DIAG_WARNING, t, at, format, args);
	va_end(args);
}

void plan_note(
	struct plan *p, const struct task *t, struct span at, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say(p, DIAG_NOTE, t, at, format, args);
	va_end(args);
}
