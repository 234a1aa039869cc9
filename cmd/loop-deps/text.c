#include "text.h"

/* Moves on to at, counting the ends of lines: \n, \r\n, \r and, where they do, separators. */
static void place_move(struct place *place, const char *at)
{
	for (const char *p = place->at; p < at; p++) {
		unsigned char c = (unsigned char)*p;

		if (c > '\r' && c != 0xe2)
			continue;
		if (c == '\n' || (c == '\r' && p[1] != '\n'))
			place->line_start = p + 1;
		else if (c == 0xe2 && place->separators && p[1] == '\x80' && (p[2] & ~1) == '\xa8')
			place->line_start = p + 3;
		else
			continue;
		place->line++;
	}
	place->at = MAX(place->at, at);
}

void import_add(struct imports *list, struct place *place, const char *at, struct import import)
{
	place_move(place, at);
	import.line = place->line;
	import.column = (uint32_t)(at - place->line_start) + 1;
	list->item = mem_grow(list->item, list->count, &list->capacity, sizeof *list->item);
	list->item[list->count++] = import;
}

const char *import_text(struct imports *list, const char *text, size_t length)
{
	return arena_substring(list->arena, text, length);
}

static int digit(char c)
{
	return c >= '0' && c <= '9'    ? c - '0'
		: c >= 'a' && c <= 'f' ? c - 'a' + 10
		: c >= 'A' && c <= 'F' ? c - 'A' + 10
				       : 99;
}

/* Up to max digits of a base; returns how many there are. */
static size_t number(const char *p, size_t max, int base, uint32_t *out)
{
	size_t n = 0;

	for (*out = 0; n < max && digit(p[n]) < base; n++)
		*out = *out * (uint32_t)base + (uint32_t)digit(p[n]);
	return n;
}

static void add_utf8(struct buf *out, uint32_t c)
{
	if (c < 0x80) {
		buf_char(out, (char)c);
	} else if (c < 0x800) {
		buf_char(out, (char)(0xc0 | c >> 6));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_char(out, (char)(0xe0 | c >> 12));
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x110000) {
		buf_char(out, (char)(0xf0 | c >> 18));
		buf_char(out, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_char(out, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_char(out, (char)(0x80 | (c & 0x3f)));
	}
}

/* \xHH, \uHHHH, \u{H…}, \UHHHHHHHH; returns the bytes behind the letter, 0 if it is none. */
static size_t hexadecimal(struct buf *out, const char *p, size_t left)
{
	size_t n, want = *p == 'x' ? 2 : 4, brace = *p == 'u' && p[1] == '{';
	uint32_t c;

	if (*p == 'U')
		want = 8;
	n = number(p + 1 + brace, MIN(brace ? 6 : want, left - 1), 16, &c);
	if (n == 0 || (!brace && n != want) || (brace && p[2 + n] != '}'))
		return 0;
	add_utf8(out, c);
	return n + 2 * brace;
}

/* One escape, p behind the backslash; returns the bytes it takes there. */
static size_t escape(struct buf *out, const char *p, size_t left)
{
	static const char from[] = "abfnrtv", to[] = "\a\b\f\n\r\t\v";
	const char *simple = memchr(from, *p, sizeof from - 1);
	uint32_t c;
	size_t n;

	if (*p == '\r' && left > 1 && p[1] == '\n')
		return 2;
	if (*p == '\n' || *p == '\r')
		return 1;
	if (*p == 'x' || *p == 'u' || *p == 'U') {
		n = hexadecimal(out, p, left);
		if (n)
			return n + 1;
	}
	n = number(p, MIN(left, 3), 8, &c);
	if (n) {
		add_utf8(out, c);
		return n;
	}
	buf_char(out, simple ? to[simple - from] : *p);
	return 1;
}

bool literal_decode(struct buf *out, const char *text, size_t length)
{
	const char *end = text + length;

	if (length > SPEC_MAX || memchr(text, '\0', length))
		return false;
	while (text < end) {
		const char *back = memchr(text, '\\', (size_t)(end - text));

		buf_add(out, text, (size_t)((back ? back : end) - text));
		if (!back || back + 1 == end)
			break;
		text = back + 1;
		text += escape(out, text, (size_t)(end - text));
	}
	return !out->length || !memchr(out->text, '\0', out->length);
}
