#include "lines.h"

char *lines_room(struct lines *l, size_t room)
{
	buf_drop(&l->rest, l->taken);
	l->scanned -= l->taken;
	l->taken = 0;
	return buf_reserve(&l->rest, room);
}

void lines_fed(struct lines *l, size_t length)
{
	l->rest.length += length;
	l->rest.text[l->rest.length] = '\0';
}

/* A line without an end in sight that is too long already: forget it, keep skipping. */
static void skip_long(struct lines *l)
{
	if (l->rest.length - l->taken > l->max) {
		if (!l->skipping)
			l->oversize++;
		l->skipping = true;
	}
	if (l->skipping)
		l->rest.length = l->taken;
	l->scanned = l->rest.length;
}

bool lines_next(struct lines *l, char **line, size_t *length)
{
	while (l->scanned < l->rest.length) {
		char *from = l->rest.text + l->scanned;
		char *end = memchr(from, '\n', l->rest.length - l->scanned);
		bool skipped = l->skipping;

		if (!end)
			break;
		*line = l->rest.text + l->taken;
		*length = (size_t)(end - *line);
		l->taken = l->scanned = (size_t)(end + 1 - l->rest.text);
		l->skipping = false;
		if (skipped)
			continue;
		if (*length <= l->max)
			return true;
		l->oversize++;
	}
	skip_long(l);
	return false;
}

bool lines_rest(struct lines *l, char **line, size_t *length)
{
	if (l->skipping || l->rest.length == l->taken)
		return false;
	*line = l->rest.text + l->taken;
	*length = l->rest.length - l->taken;
	l->taken = l->scanned = l->rest.length;
	return true;
}

void lines_clear(struct lines *l)
{
	buf_clear(&l->rest);
	*l = (struct lines){.max = l->max};
}
