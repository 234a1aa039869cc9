#include "words.h"

#include "mem.h"

#include <stdarg.h>

enum { CELL_MAX = 60 };

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

void words_line(struct buf *out, const char *text, size_t length, size_t max)
{
	const char *p = text, *end = text + length;

	while (p < end && is_blank(*p))
		p++;
	for (size_t n = 0; p < end; n++) {
		size_t step = MAX(utf8_length(p, (size_t)(end - p)), (size_t)1);
		const char *next = p + step;

		if (is_blank(*p))
			while (next < end && is_blank(*next))
				next++;
		if (is_blank(*p) && next == end)
			return;
		if (n == max) {
			buf_str(out, "…");
			return;
		}
		if (is_blank(*p))
			buf_char(out, ' ');
		else
			buf_escape(out, p, step);
		p = next;
	}
}

char *words_dollars(char out[DOLLARS_SIZE], bool known, double dollars)
{
	if (known)
		return format_dollars(out, (int64_t)(dollars * 1e6 + 0.5));
	snprintf(out, DOLLARS_SIZE, "unknown");
	return out;
}

void words_count(struct buf *out, int64_t n, const char *noun)
{
	buf_format(out, "%lld %s%s", (long long)n, noun, n == 1 ? "" : "s");
}

void table_cell(struct table *t, const char *text)
{
	struct buf cell = {0};

	words_line(&cell, text, strlen(text), CELL_MAX);
	strs_take(&t->cells, buf_take(&cell));
}

void table_format(struct table *t, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	table_cell(t, text);
}

/* Characters, each taken as one column. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xC0) != 0x80;
	return n;
}

static size_t *measure(const struct table *t)
{
	size_t *width = mem_zero(t->columns, sizeof *width);

	for (size_t i = 0; i < t->cells.count; i++) {
		size_t n = width_of(t->cells.item[i]), column = i % t->columns;

		width[column] = MAX(width[column], n);
	}
	return width;
}

static void add_spaces(struct buf *out, size_t n)
{
	while (n--)
		buf_char(out, ' ');
}

void table_print(const struct table *t, const char *indent, struct buf *out)
{
	AUTO_FREE size_t *width = measure(t);

	for (size_t i = 0; i < t->cells.count; i++) {
		size_t column = i % t->columns, room = width[column] - width_of(t->cells.item[i]);
		bool right = t->right >> column & 1, last = column + 1 == t->columns;

		buf_str(out, column ? "  " : indent);
		if (right)
			add_spaces(out, room);
		buf_str(out, t->cells.item[i]);
		if (!right && !last)
			add_spaces(out, room);
		if (last)
			buf_char(out, '\n');
	}
}

void table_clear(struct table *t)
{
	strs_clear(&t->cells);
}
