#include "text.h"

#include <errno.h>
#include <strings.h>

struct span span_of(const struct buf *b)
{
	return (struct span){b->text ? b->text : "", b->length};
}

bool span_is(struct span s, const char *text)
{
	return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

struct span span_trim(struct span s)
{
	while (s.n && (*s.p == ' ' || *s.p == '\t'))
		s = (struct span){s.p + 1, s.n - 1};
	while (s.n && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
		s.n--;
	return s;
}

struct span span_cut(struct span *rest, char separator)
{
	const char *at = rest->n ? memchr(rest->p, separator, rest->n) : NULL;
	struct span part = {rest->p, at ? (size_t)(at - rest->p) : rest->n};
	size_t taken = part.n + (at != NULL);

	*rest = (struct span){rest->p + taken, rest->n - taken};
	return part;
}

bool list_has(struct span list, const char *word)
{
	while (list.n)
		if (span_is(span_trim(span_cut(&list, ',')), word))
			return true;
	return false;
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int escape_at(struct span s, size_t i)
{
	if (i + 2 >= s.n || hex_digit(s.p[i + 1]) < 0 || hex_digit(s.p[i + 2]) < 0)
		return -1;
	return hex_digit(s.p[i + 1]) * 16 + hex_digit(s.p[i + 2]);
}

/* Escapes and plus signs resolved. */
static void unescape(struct span s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		int c = s.p[i] == '%' ? escape_at(s, i) : -1;

		if (c >= 0)
			i += 2;
		else
			c = s.p[i] == '+' ? ' ' : s.p[i];
		buf_char(out, (char)c);
	}
}

static bool text_clean(const char *text, size_t n)
{
	while (n) {
		size_t length = utf8_length(text, n);

		if (!length || (unsigned char)*text < ' ' || *text == 0x7f)
			return false;
		text += length;
		n -= length;
	}
	return true;
}

int query_get(struct span query, const char *name, struct buf *out)
{
	while (query.n) {
		struct span value = span_cut(&query, '&');
		struct span key = span_cut(&value, '=');
		AUTO_BUF struct buf plain = {0};
		size_t from = out->length;

		unescape(key, &plain);
		if (plain.length != strlen(name) || memcmp(plain.text, name, plain.length) != 0)
			continue;
		unescape(value, out);
		buf_add(out, "", 0);
		return text_clean(out->text + from, out->length - from) ? 1 : -EINVAL;
	}
	return 0;
}
