#include "jscan.h"

#include <errno.h>

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

/* Behind the string that opens at p; NULL if it has no end. */
static const char *skip_string(const char *p, const char *end)
{
	for (p++; (p = memchr(p, '"', (size_t)(end - p))); p++) {
		size_t backslashes = 0;

		while (p[-1 - (ptrdiff_t)backslashes] == '\\')
			backslashes++;
		if (backslashes % 2 == 0)
			return p + 1;
	}
	return NULL;
}

/* The characters that matter when brackets are counted. */
static const signed char nesting[256] = {
	['{'] = 1, ['['] = 1, ['}'] = -1, [']'] = -1, ['"'] = 2};

static const char *skip_container(const char *p, const char *end)
{
	for (int depth = 0; p < end;) {
		signed char n = nesting[(unsigned char)*p];

		if (n == 2) {
			p = skip_string(p, end);
			if (!p)
				return NULL;
			continue;
		}
		p++;
		depth += n;
		if (n < 0 && depth == 0)
			return p;
	}
	return NULL;
}

/* Behind the value at p; NULL if it is cut off. */
static const char *skip_value(const char *p, const char *end)
{
	if (*p == '"')
		return skip_string(p, end);
	if (*p == '{' || *p == '[')
		return skip_container(p, end);
	while (p < end && *p != ',' && *p != '}' && *p != ']' && (unsigned char)*p > ' ')
		p++;
	return p;
}

char jscan_kind(struct span value)
{
	const char *end = value.p + value.n, *p = skip_space(value.p, end);

	if (p == end)
		return 0;
	if (*p == '-' || (*p >= '0' && *p <= '9'))
		return '0';
	return strchr("{[\"tfn", *p) ? *p : 0;
}

int jscan_open(struct jscan *s, struct span value)
{
	char kind = jscan_kind(value);

	if (kind != '{' && kind != '[')
		return -EINVAL;
	s->end = value.p + value.n;
	s->p = skip_space(value.p, s->end) + 1;
	s->object = kind == '{';
	return 0;
}

/* Takes one value off the walk. */
static bool take(struct jscan *s, struct span *value)
{
	const char *p = skip_space(s->p, s->end);

	s->p = p < s->end ? skip_value(p, s->end) : NULL;
	if (!s->p || s->p == p)
		return s->p = s->end, false;
	*value = (struct span){p, (size_t)(s->p - p)};
	return true;
}

int jscan_next(struct jscan *s, struct span *key, struct span *value)
{
	s->p = skip_space(s->p, s->end);
	if (s->p < s->end && *s->p == ',')
		s->p = skip_space(s->p + 1, s->end);
	if (s->p == s->end)
		return -EINVAL;
	if (*s->p == (s->object ? '}' : ']'))
		return 0;
	*key = (struct span){s->p, 0};
	if (s->object) {
		if (*s->p != '"' || !take(s, key))
			return -EINVAL;
		s->p = skip_space(s->p, s->end);
		if (s->p == s->end || *s->p++ != ':')
			return -EINVAL;
	}
	return take(s, value) ? 1 : -EINVAL;
}

static bool get(struct span object, const char *name, size_t n, struct span *value)
{
	struct jscan s;
	struct span key;

	if (jscan_open(&s, object) < 0 || !s.object)
		return false;
	while (jscan_next(&s, &key, value) > 0)
		if (jscan_is_n(key, name, n))
			return true;
	return false;
}

bool jscan_get(struct span object, const char *key, struct span *value)
{
	return get(object, key, strlen(key), value);
}

bool jscan_path(struct span object, const char *path, struct span *value)
{
	for (*value = object;; path++) {
		size_t n = strcspn(path, ".");

		if (!get(*value, path, n, value))
			return false;
		path += n;
		if (!*path)
			return true;
	}
}

bool jscan_is_n(struct span string, const char *text, size_t n)
{
	AUTO_BUF struct buf plain = {0};

	if (string.n < n + 2 || *string.p != '"') /* escapes only make it longer */
		return false;
	if (!memchr(string.p, '\\', string.n))
		return string.n - 2 == n && memcmp(string.p + 1, text, n) == 0;
	return jscan_text(string, &plain) == 0 && plain.length == n &&
		memcmp(plain.text, text, n) == 0;
}

bool jscan_is(struct span string, const char *text)
{
	return jscan_is_n(string, text, strlen(text));
}

static unsigned hex4(const char *p)
{
	unsigned value = 0;

	for (int i = 0; i < 4; i++) {
		int digit = p[i] <= '9' ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10;

		value = value * 16 + (unsigned)digit;
	}
	return value;
}

static void add_utf8(struct buf *out, unsigned code)
{
	static const unsigned limit[] = {0x80, 0x800, 0x10000};
	static const unsigned head[] = {0, 0xc0, 0xe0, 0xf0};
	size_t more = 0;
	char text[4];

	while (more < countof(limit) && code >= limit[more])
		more++;
	for (size_t i = more; i > 0; i--, code >>= 6)
		text[i] = (char)(0x80 | (code & 0x3f));
	text[0] = (char)(head[more] | code);
	buf_add(out, text, more + 1);
}

/* The character escaped behind the backslash at p; returns what follows it, NULL if cut off. */
static const char *add_escaped(struct buf *out, const char *p, const char *end)
{
	static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
	const char *name = strchr(names, p[1]);
	unsigned code;

	if (p[1] != 'u') {
		buf_char(out, p[1] && name ? values[name - names] : p[1]);
		return p + 2;
	}
	if (end - p < 6)
		return NULL;
	code = hex4(p + 2);
	p += 6;
	if (code >= 0xd800 && code < 0xdc00 && end - p >= 6) {
		code = 0x10000 + ((code - 0xd800) << 10) + ((hex4(p + 2) - 0xdc00) & 0x3ff);
		p += 6;
	}
	add_utf8(out, code);
	return p;
}

int jscan_text(struct span string, struct buf *out)
{
	const char *p, *end;

	if (string.n < 2 || *string.p != '"' || string.p[string.n - 1] != '"')
		return -EINVAL;
	p = string.p + 1;
	end = string.p + string.n - 1;
	while (p < end) {
		const char *escape = memchr(p, '\\', (size_t)(end - p));

		if (!escape)
			break;
		buf_add(out, p, (size_t)(escape - p));
		p = end - escape < 2 ? NULL : add_escaped(out, escape, end);
		if (!p)
			return -EINVAL;
	}
	buf_add(out, p, (size_t)(end - p));
	return 0;
}

int jscan_int(struct span number, int64_t *out)
{
	bool negative = number.n && *number.p == '-';
	int64_t value = 0;

	if (number.n == negative)
		return -EINVAL;
	for (size_t i = negative; i < number.n; i++) {
		int digit = number.p[i] - '0';

		if (digit < 0 || digit > 9)
			return -EINVAL;
		/* Counted downwards: the least number has no positive counterpart. */
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_sub_overflow(value, digit, &value))
			return -ERANGE;
	}
	if (!negative && value == INT64_MIN)
		return -ERANGE;
	*out = negative ? value : -value;
	return 0;
}
