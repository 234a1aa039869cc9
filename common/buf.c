#include "buf.h"

#include "mem.h"

#include <stdarg.h>

void buf_clear(struct buf *b)
{
	free(b->text);
	*b = (struct buf){0};
}

char *buf_reserve(struct buf *b, size_t room)
{
	if (room >= b->capacity - b->length || !b->capacity) {
		b->capacity = MAX(b->capacity * 2, b->length + room + 64);
		b->text = mem_resize(b->text, b->capacity, 1);
	}
	return b->text + b->length;
}

void buf_add(struct buf *b, const void *bytes, size_t length)
{
	char *end = buf_reserve(b, length);

	if (length)
		memcpy(end, bytes, length);
	b->length += length;
	b->text[b->length] = '\0';
}

void buf_str(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_format(struct buf *b, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n <= 0)
		return;
	va_start(args, format);
	vsnprintf(buf_reserve(b, (size_t)n), (size_t)n + 1, format, args);
	va_end(args);
	b->length += (size_t)n;
}

void buf_shell(struct buf *b, const char *word)
{
	buf_char(b, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_str(b, "'\\''");
		else
			buf_char(b, *word);
	}
	buf_char(b, '\'');
}

void buf_int(struct buf *b, int64_t value)
{
	char digits[24];
	char *p = digits + sizeof digits;
	uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;

	do
		*--p = (char)('0' + left % 10);
	while (left /= 10);
	if (value < 0)
		*--p = '-';
	buf_add(b, p, (size_t)(digits + sizeof digits - p));
}

void buf_drop(struct buf *b, size_t length)
{
	b->length -= length;
	if (length)
		memmove(b->text, b->text + length, b->length + 1);
}

char *buf_take(struct buf *b)
{
	char *text;

	buf_add(b, "", 0);
	text = b->text;
	*b = (struct buf){0};
	return text;
}

size_t utf8_length(const char *text, size_t n)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t length;
	unsigned char low = 0x80, high = 0xbf; /* of the second byte */

	if (!n)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3
					       : 4;
	switch (p[0]) {
	case 0xe0: low = 0xa0; break;  /* overlong */
	case 0xed: high = 0x9f; break; /* surrogates */
	case 0xf0: low = 0x90; break;  /* overlong */
	case 0xf4: high = 0x8f; break; /* beyond U+10FFFF */
	default: break;
	}
	if (n < length || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

static const char hex[] = "0123456789abcdef";

/* The character behind a backslash for c, in JSON and for people alike; 0 where there is none. */
static char short_escape(unsigned char c)
{
	switch (c) {
	case '\n': return 'n';
	case '\t': return 't';
	case '\r': return 'r';
	default: return 0;
	}
}

static void json_escape(struct buf *b, unsigned char c)
{
	char name = c == '"' || c == '\\' ? (char)c : short_escape(c);

	if (name)
		buf_add(b, (char[]){'\\', name}, 2);
	else
		buf_add(b, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

void buf_json(struct buf *b, const char *text, size_t n)
{
	size_t plain = 0; /* start of the run that can be copied as it is */

	buf_char(b, '"');
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)text[i];
		size_t length = c < 0x80 ? 1 : utf8_length(text + i, n - i);

		if (length && c >= 0x20 && c != '"' && c != '\\') {
			i += length;
			continue;
		}
		buf_add(b, text + plain, i - plain);
		if (length)
			json_escape(b, c);
		else
			buf_str(b, "\xef\xbf\xbd");
		plain = ++i;
	}
	buf_add(b, text + plain, n - plain);
	buf_char(b, '"');
}

/* Whether the character of this length at p may reach a terminal. */
static bool printable(const char *p, size_t length)
{
	unsigned char c = (unsigned char)*p;

	if (length == 1)
		return c >= 0x20 && c != 0x7f;
	return length > 1 && !(length == 2 && c == 0xc2 && (unsigned char)p[1] < 0xa0);
}

void buf_escape(struct buf *b, const char *text, size_t n)
{
	for (size_t i = 0; i < n;) {
		unsigned char c = (unsigned char)text[i];
		size_t length = utf8_length(text + i, n - i);

		if (printable(text + i, length)) {
			buf_add(b, text + i, length);
			i += length;
			continue;
		}
		if (short_escape(c))
			buf_add(b, (char[]){'\\', short_escape(c)}, 2);
		else
			buf_add(b, (char[]){'\\', 'x', hex[c >> 4], hex[c & 15]}, 4);
		i++;
	}
}

size_t escape_text(char *out, size_t size, const char *text)
{
	AUTO_BUF struct buf b = {0};
	size_t n;

	buf_escape(&b, text, strlen(text));
	n = MIN(b.length, size - 1);
	if (n)
		memcpy(out, b.text, n);
	out[n] = '\0';
	return n;
}

void strs_take(struct strs *s, char *text)
{
	s->item = mem_grow(s->item, s->count + 1, &s->capacity, sizeof *s->item);
	s->item[s->count++] = text;
	s->item[s->count] = NULL;
}

void strs_add(struct strs *s, const char *text)
{
	strs_take(s, mem_string(text));
}

void strs_format(struct strs *s, const char *format, ...)
{
	char *text;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	strs_take(s, text ? text : mem_string(""));
}

void strs_clear(struct strs *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->item[i]);
	free(s->item);
	*s = (struct strs){0};
}
