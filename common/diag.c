#include "diag.h"

#include "mem.h"

#include <stdarg.h>

static void PRINTF_LIKE(4, 0) add(
	struct diags *d, enum severity severity, size_t offset, const char *format, va_list args)
{
	char text[1024];

	vsnprintf(text, sizeof text, format, args);
	d->item = mem_grow(d->item, d->count, &d->capacity, sizeof *d->item);
	d->item[d->count] = (struct diag){.offset = offset,
		.order = d->count,
		.severity = severity,
		.text = mem_string(text)};
	d->count++;
	d->errors += severity == DIAG_ERROR;
	d->warnings += severity == DIAG_WARNING;
}

void diag_error(struct diags *d, size_t offset, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(d, DIAG_ERROR, offset, format, args);
	va_end(args);
}

void diag_warning(struct diags *d, size_t offset, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(d, DIAG_WARNING, offset, format, args);
	va_end(args);
}

void diag_note(struct diags *d, size_t offset, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add(d, DIAG_NOTE, offset, format, args);
	va_end(args);
}

/* The line and column (from 1) of an offset. */
static void text_place(
	const char *text, size_t length, size_t offset, unsigned *line, unsigned *column)
{
	const char *p = text, *at = text + MIN(offset, length), *next;

	for (*line = 1; (next = memchr(p, '\n', (size_t)(at - p))); p = next + 1)
		++*line;
	*column = (unsigned)(at - p) + 1;
}

static int by_place(const void *left, const void *right)
{
	const struct diag *const *pa = left, *const *pb = right;
	const struct diag *a = *pa, *b = *pb;

	if (a->offset != b->offset)
		return a->offset < b->offset ? -1 : 1;
	return a->order < b->order ? -1 : 1;
}

static void format_one(
	const struct diag *d, const char *name, const char *text, size_t length, struct buf *out)
{
	static const char *const words[] = {
		[DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note"};
	unsigned line, column;

	text_place(text, length, d->offset, &line, &column);
	buf_escape(out, name, strlen(name));
	buf_format(out, ":%u:%u: %s: ", line, column, words[d->severity]);
	buf_escape(out, d->text, strlen(d->text));
	buf_char(out, '\n');
}

void diags_format(
	struct diags *d, const char *name, const char *text, size_t length, struct buf *out)
{
	AUTO_FREE const struct diag **heads = mem_zero(d->count, sizeof(struct diag *));
	size_t n = 0;

	for (size_t i = 0; i < d->count; i++)
		if (i == 0 || d->item[i].severity != DIAG_NOTE)
			heads[n++] = &d->item[i];
	qsort(heads, n, sizeof *heads, by_place);
	for (size_t i = 0; i < n; i++) {
		const struct diag *last = d->item + d->count;

		format_one(heads[i], name, text, length, out);
		for (const struct diag *note = heads[i] + 1;
			note < last && note->severity == DIAG_NOTE; note++)
			format_one(note, name, text, length, out);
	}
}

void diags_clear(struct diags *d)
{
	for (size_t i = 0; i < d->count; i++)
		free(d->item[i].text);
	free(d->item);
	*d = (struct diags){0};
}
