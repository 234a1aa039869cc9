#include "parcel.h"

#include "mem.h"
#include "parse.h"

#include <errno.h>

static const char head[] = "loop-job 1\n";

void parcel_begin(struct buf *b)
{
	buf_str(b, head);
}

void parcel_add(struct buf *b, const char *name, const void *bytes, size_t length)
{
	buf_format(b, "%s %zu\n", name, length);
	buf_add(b, bytes, length);
	buf_char(b, '\n');
}

void parcel_text(struct buf *b, const char *name, const char *text)
{
	parcel_add(b, name, text, strlen(text));
}

void parcel_number(struct buf *b, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof text, "%lld", (long long)number);
	parcel_text(b, name, text);
}

int parcel_open(struct span *rest, const char *text, size_t length)
{
	const size_t n = sizeof head - 1, kind = sizeof "loop-job " - 1;

	if (length >= n && memcmp(text, head, n) == 0) {
		*rest = (struct span){text + n, length - n};
		return 0;
	}
	return length > kind && memcmp(text, head, kind) == 0 ? -ENOTSUP : -EINVAL;
}

/* "NAME LENGTH" of a line without its newline. */
static int read_head(const char *line, size_t n, struct piece *p, size_t *length)
{
	const char *blank = memchr(line, ' ', n);
	size_t name = blank ? (size_t)(blank - line) : 0;
	char digits[24];
	int64_t number;

	if (!name || name >= sizeof p->name || n - name - 1 >= sizeof digits)
		return -EINVAL;
	snprintf(p->name, sizeof p->name, "%.*s", (int)name, line);
	snprintf(digits, sizeof digits, "%.*s", (int)(n - name - 1), blank + 1);
	if (parse_int(digits, 0, INT64_MAX, &number) < 0)
		return -EINVAL;
	*length = (size_t)number;
	return 0;
}

int parcel_next(struct span *rest, struct piece *p)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;
	size_t line = end ? (size_t)(end - rest->p) : 0, length, left;

	if (!rest->n)
		return 0;
	if (!end || read_head(rest->p, line, p, &length) < 0)
		return -EINVAL;
	left = rest->n - line - 1;
	if (length >= left || end[1 + length] != '\n')
		return -EINVAL;
	p->bytes = (struct span){end + 1, length};
	*rest = (struct span){end + length + 2, left - length - 1};
	return 1;
}

bool piece_is(const struct piece *p, const char *name)
{
	return strcmp(p->name, name) == 0;
}

int piece_number(const struct piece *p, int64_t *out)
{
	AUTO_FREE char *text = piece_text(p);

	return parse_int(text, INT64_MIN, INT64_MAX, out);
}

char *piece_text(const struct piece *p)
{
	return mem_substring(p->bytes.p, p->bytes.n);
}
