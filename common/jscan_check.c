/*
 * The strict validator: one pass, recursive because the depth is bounded. Eight
 * bytes of a string are looked at at once. Keys are remembered only to find
 * those that come twice: a few are compared as they come, many are sorted at
 * the end of their object, so that no text costs quadratic time.
 */
#include "jscan.h"

#include "mem.h"

#include <endian.h>
#include <errno.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { KEYS_COMPARED = 32, /* more keys than this are sorted instead */
	KEYS_AT_HAND = 64 };

struct check {
	const char *p, *end;
	const char *fault, *what;
	/* The keys of all open objects, escapes resolved: the innermost's are the last. */
	struct span *key;
	size_t keys, capacity;
	struct span first_keys[KEYS_AT_HAND];
	struct strs resolved; /* the texts of keys that had escapes */
};

static bool fail(struct check *c, const char *at, const char *what)
{
	c->fault = at;
	c->what = what;
	return false;
}

static inline void skip_space(struct check *c)
{
	while (c->p < c->end &&
		(*c->p == ' ' || *c->p == '\n' || *c->p == '\t' || *c->p == '\r'))
		c->p++;
}

/*
 * The top bit of every byte that needs a look inside a string: controls, quote,
 * backslash, anything beyond ASCII. Bytes above the lowest one found may be marked
 * falsely (a borrow went through them); the lowest is always right.
 */
static inline uint64_t special_bytes(uint64_t word)
{
	const uint64_t ones = UINT64_MAX / 255;
	uint64_t control = word - ones * 0x20;
	uint64_t quote = (word ^ ones * '"') - ones;
	uint64_t backslash = (word ^ ones * '\\') - ones;

	return (control | quote | backslash | word) & ones * 0x80;
}

#ifdef __SSE2__
/* The same for sixteen bytes: a bit each; as signed numbers what is beyond ASCII is below 0x20. */
static inline unsigned special_bits(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	__m128i outside = _mm_cmplt_epi8(v, _mm_set1_epi8(0x20));
	__m128i quote = _mm_cmpeq_epi8(v, _mm_set1_epi8('"'));
	__m128i backslash = _mm_cmpeq_epi8(v, _mm_set1_epi8('\\'));

	return (unsigned)_mm_movemask_epi8(_mm_or_si128(outside, _mm_or_si128(quote, backslash)));
}

static inline const char *skip_wide(const char *p, const char *end)
{
	for (; end - p >= 16; p += 16) {
		unsigned found = special_bits(p);

		if (found)
			return p + __builtin_ctz(found);
	}
	return p;
}
#else
static inline const char *skip_wide(const char *p, const char *end UNUSED)
{
	return p;
}
#endif

/* To the next byte that needs a look. */
static inline const char *skip_plain(const char *p, const char *end)
{
	p = skip_wide(p, end);
	while (end - p >= 8) {
		uint64_t word, found;

		memcpy(&word, p, sizeof word);
		found = special_bytes(le64toh(word));
		if (found)
			return p + __builtin_ctzll(found) / 8;
		p += 8;
	}
	while (p < end && (unsigned char)(*p - 0x20) < 0x60 && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* Four hexadecimal digits; -1 if they are not there. */
static int hex4(const char *p, const char *end)
{
	int value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = p[i], lower = (char)(c | 0x20);

		if (c >= '0' && c <= '9')
			value = value * 16 + c - '0';
		else if (lower >= 'a' && lower <= 'f')
			value = value * 16 + lower - 'a' + 10;
		else
			return -1;
	}
	return value;
}

/* Behind "\u". */
static bool check_unicode(struct check *c)
{
	int code = hex4(c->p, c->end);

	if (code < 0)
		return fail(c, c->p, "\\u without four hexadecimal digits");
	if (code == 0)
		return fail(c, c->p, "\\u0000 in a string");
	c->p += 4;
	if (code < 0xd800 || code > 0xdfff)
		return true;
	if (code >= 0xdc00 || c->end - c->p < 6 || c->p[0] != '\\' || c->p[1] != 'u')
		return fail(c, c->p - 4, "half a surrogate pair");
	code = hex4(c->p + 2, c->end);
	if (code < 0xdc00 || code > 0xdfff)
		return fail(c, c->p - 4, "half a surrogate pair");
	c->p += 6;
	return true;
}

/* At a byte of a string that is not plain and not its end. */
static bool check_special(struct check *c)
{
	size_t n;

	if (*c->p == '\\') {
		if (c->end - c->p < 2 || !c->p[1] || !strchr("\"\\/bfnrtu", c->p[1]))
			return fail(c, c->p, "a backslash that escapes nothing");
		c->p += 2;
		return c->p[-1] != 'u' || check_unicode(c);
	}
	if ((unsigned char)*c->p < 0x20)
		return fail(c, c->p, "a control character in a string");
	n = utf8_length(c->p, (size_t)(c->end - c->p));
	c->p += n;
	return n || fail(c, c->p, "a byte that is no UTF-8");
}

/* At its opening quote. */
static bool check_string(struct check *c, bool *escaped)
{
	const char *open = c->p++;

	for (;;) {
		c->p = skip_plain(c->p, c->end);
		if (c->p == c->end)
			return fail(c, open, "a string without its end");
		if (*c->p == '"')
			return c->p++, true;
		*escaped |= *c->p == '\\';
		if (!check_special(c))
			return false;
	}
}

static inline bool digit(const struct check *c)
{
	return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

static bool check_digits(struct check *c, const char *what)
{
	if (!digit(c))
		return fail(c, c->p, what);
	while (digit(c))
		c->p++;
	return true;
}

static bool check_number(struct check *c)
{
	c->p += *c->p == '-';
	if (c->p < c->end && *c->p == '0') {
		c->p++;
		if (digit(c))
			return fail(c, c->p - 1, "a number with a leading zero");
	} else if (!check_digits(c, "a number without digits")) {
		return false;
	}
	if (c->p < c->end && *c->p == '.') {
		c->p++;
		if (!check_digits(c, "a number without digits behind its point"))
			return false;
	}
	if (c->p < c->end && (*c->p | 0x20) == 'e') {
		c->p++;
		c->p += c->p < c->end && (*c->p == '+' || *c->p == '-');
		return check_digits(c, "a number without digits in its exponent");
	}
	return true;
}

static bool check_word(struct check *c, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(c->end - c->p) < n || memcmp(c->p, word, n) != 0)
		return fail(c, c->p, "a word that is not true, false or null");
	c->p += n;
	return true;
}

static inline bool same(struct span a, struct span b)
{
	return a.n == b.n && memcmp(a.p, b.p, a.n) == 0;
}

static int by_text(const void *left, const void *right)
{
	const struct span *a = left, *b = right;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	return memcmp(a->p, b->p, a->n);
}

static void keep_key(struct check *c, struct span key)
{
	if (c->keys == c->capacity) {
		struct span *old = c->key == c->first_keys ? NULL : c->key;

		c->capacity *= 2;
		c->key = mem_resize(old, c->capacity, sizeof *c->key);
		if (!old)
			memcpy(c->key, c->first_keys, sizeof c->first_keys);
	}
	c->key[c->keys++] = key;
}

/* One object's keys: where they start, and a bit for every kind of key seen: most are new by it. */
struct keys {
	size_t first;
	uint64_t seen;
};

/* The text of a key, resolved where it has escapes. */
static bool key_text(struct check *c, struct span raw, bool escaped, struct span *key)
{
	struct buf text = {0};

	*key = (struct span){raw.p + 1, raw.n - 2};
	if (!escaped)
		return true;
	if (jscan_text(raw, &text) < 0)
		return false;
	*key = (struct span){text.text, text.length};
	strs_take(&c->resolved, buf_take(&text));
	return true;
}

/* One of 64 kinds, by length and outer letters. */
static uint64_t kind_of(struct span key)
{
	unsigned first = key.n ? (unsigned char)key.p[0] : 0;
	unsigned last = key.n ? (unsigned char)key.p[key.n - 1] : 0;

	return UINT64_C(1) << (key.n * 5 + first * 3 + last) % 64;
}

static bool add_key(struct check *c, struct keys *k, const char *open, bool escaped)
{
	struct span key;
	uint64_t kind;

	if (!key_text(c, (struct span){open, (size_t)(c->p - open)}, escaped, &key))
		return fail(c, open, "a key that cannot be read");
	kind = kind_of(key);
	if ((k->seen & kind) && c->keys - k->first < KEYS_COMPARED)
		for (size_t i = k->first; i < c->keys; i++)
			if (same(c->key[i], key))
				return fail(c, open, "a key that comes twice");
	k->seen |= kind;
	keep_key(c, key);
	return true;
}

/* At the end of an object: its keys are forgotten; if they were many, they are compared first. */
static bool end_keys(struct check *c, const struct keys *k)
{
	struct span *key = c->key + k->first;
	size_t count = c->keys - k->first;

	c->keys = k->first;
	if (count <= KEYS_COMPARED)
		return true;
	qsort(key, count, sizeof *key, by_text);
	for (size_t i = 1; i < count; i++)
		if (same(key[i - 1], key[i]))
			return fail(c, c->p, "a key that comes twice in the object ending here");
	return true;
}

static bool check_value(struct check *, int depth);

static bool check_member(struct check *c, struct keys *keys, int depth)
{
	const char *open;
	bool escaped = false;

	skip_space(c);
	open = c->p;
	if (c->p == c->end || *c->p != '"')
		return fail(c, c->p, "something else where a key should be");
	if (!check_string(c, &escaped) || !add_key(c, keys, open, escaped))
		return false;
	skip_space(c);
	if (c->p == c->end || *c->p != ':')
		return fail(c, c->p, "a key without its colon");
	c->p++;
	return check_value(c, depth);
}

/* At its opening bracket. */
static bool check_container(struct check *c, int depth)
{
	struct keys keys = {.first = c->keys};
	bool object = *c->p++ == '{';
	char close = object ? '}' : ']';

	if (depth > JSON_DEPTH_MAX)
		return fail(c, c->p - 1, "nested too deep");
	skip_space(c);
	if (c->p < c->end && *c->p == close)
		return c->p++, true;
	for (;;) {
		if (!(object ? check_member(c, &keys, depth) : check_value(c, depth)))
			return false;
		skip_space(c);
		if (c->p == c->end)
			return fail(c, c->p, "an object or array without its end");
		if (*c->p == close)
			break;
		if (*c->p != ',')
			return fail(c, c->p, "something else where a comma should be");
		c->p++;
	}
	if (object && !end_keys(c, &keys))
		return false;
	c->p++;
	return true;
}

static bool check_value(struct check *c, int depth)
{
	bool escaped = false;

	skip_space(c);
	if (c->p == c->end)
		return fail(c, c->p, "nothing where a value should be");
	switch (*c->p) {
	case '{':
	case '[': return check_container(c, depth + 1);
	case '"': return check_string(c, &escaped);
	case 't': return check_word(c, "true");
	case 'f': return check_word(c, "false");
	case 'n': return check_word(c, "null");
	default: break;
	}
	if (*c->p == '-' || digit(c))
		return check_number(c);
	return fail(c, c->p, "something that is no JSON value");
}

static bool check_document(struct check *c)
{
	if (!check_value(c, 0))
		return false;
	skip_space(c);
	return c->p == c->end || fail(c, c->p, "something behind the value");
}

int jscan_check(const char *text, size_t length, size_t *at, const char **what)
{
	struct check c;
	bool good;

	c.p = text;
	c.end = text + length;
	c.key = c.first_keys;
	c.keys = 0;
	c.capacity = KEYS_AT_HAND;
	c.resolved = (struct strs){0};
	good = check_document(&c);
	if (c.key != c.first_keys)
		free(c.key);
	strs_clear(&c.resolved);
	if (good)
		return 0;
	*at = (size_t)(c.fault - text);
	*what = c.what;
	return -EINVAL;
}
