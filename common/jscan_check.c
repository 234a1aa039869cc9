/*
 * The strict validator: one pass, recursive because the depth is bounded. Each
 * function takes the place it checks from and returns the place behind what it
 * found good, or NULL, so that the place stays in a register. Many bytes of a
 * string are looked at at once. Keys are remembered only to find
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
	const char *end;
	int depth; /* the most there may be */
	const char *fault, *what;
	/* The keys of all open objects, escapes resolved: the innermost's are the last. */
	struct span *key;
	size_t keys, capacity;
	struct span first_keys[KEYS_AT_HAND];
	struct strs resolved; /* the texts of keys that had escapes */
};

static const char *fail(struct check *c, const char *at, const char *what)
{
	c->fault = at;
	c->what = what;
	return NULL;
}

static inline const char *skip_space(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
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

#endif

/* To the next byte that needs a look. */
static inline const char *skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
	for (; end - p >= 16; p += 16) {
		unsigned found = special_bits(p);

		if (found)
			return p + __builtin_ctz(found);
	}
#endif
	for (; end - p >= 8; p += 8) {
		uint64_t word, found;

		memcpy(&word, p, sizeof word);
		found = special_bytes(le64toh(word));
		if (found)
			return p + __builtin_ctzll(found) / 8;
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
static const char *check_unicode(struct check *c, const char *p)
{
	int code = hex4(p, c->end);

	if (code < 0)
		return fail(c, p, "\\u without four hexadecimal digits");
	if (code == 0)
		return fail(c, p, "\\u0000 in a string");
	p += 4;
	if (code < 0xd800 || code > 0xdfff)
		return p;
	if (code >= 0xdc00 || c->end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return fail(c, p - 4, "half a surrogate pair");
	code = hex4(p + 2, c->end);
	if (code < 0xdc00 || code > 0xdfff)
		return fail(c, p - 4, "half a surrogate pair");
	return p + 6;
}

/* At a byte of a string that is not plain and not its end. */
static const char *check_special(struct check *c, const char *p)
{
	size_t n;

	if (*p == '\\') {
		if (c->end - p < 2 || !p[1] || !strchr("\"\\/bfnrtu", p[1]))
			return fail(c, p, "a backslash that escapes nothing");
		return p[1] == 'u' ? check_unicode(c, p + 2) : p + 2;
	}
	if ((unsigned char)*p < 0x20)
		return fail(c, p, "a control character in a string");
	n = utf8_length(p, (size_t)(c->end - p));
	return n ? p + n : fail(c, p, "a byte that is no UTF-8");
}

/* At its opening quote. */
static const char *check_any_string(struct check *c, const char *open, bool *escaped)
{
	const char *p = open + 1;

	for (;;) {
		p = skip_plain(p, c->end);
		if (p == c->end)
			return fail(c, open, "a string without its end");
		if (*p == '"')
			return p + 1;
		*escaped |= *p == '\\';
		p = check_special(c, p);
		if (!p)
			return NULL;
	}
}

/* The same; most strings are short and plain, and cost no call. */
static inline const char *check_string(struct check *c, const char *open, bool *escaped)
{
#ifdef __SSE2__
	if (c->end - open > 16) {
		unsigned found = special_bits(open + 1);
		const char *p = open + 1 + __builtin_ctz(found | 1U << 16);

		if (found && *p == '"')
			return p + 1;
	}
#endif
	return check_any_string(c, open, escaped);
}

static inline bool digit(const struct check *c, const char *p)
{
	return p < c->end && *p >= '0' && *p <= '9';
}

static const char *check_digits(struct check *c, const char *p, const char *what)
{
	if (!digit(c, p))
		return fail(c, p, what);
	while (digit(c, p))
		p++;
	return p;
}

static const char *check_exponent(struct check *c, const char *p)
{
	if (p == c->end || (*p | 0x20) != 'e')
		return p;
	p++;
	p += p < c->end && (*p == '+' || *p == '-');
	return check_digits(c, p, "a number without digits in its exponent");
}

static const char *check_number(struct check *c, const char *p)
{
	p += *p == '-';
	if (p < c->end && *p == '0') {
		if (digit(c, ++p))
			return fail(c, p - 1, "a number with a leading zero");
	} else {
		p = check_digits(c, p, "a number without digits");
	}
	if (p && p < c->end && *p == '.')
		p = check_digits(c, p + 1, "a number without digits behind its point");
	return p ? check_exponent(c, p) : NULL;
}

static const char *check_word(struct check *c, const char *p, const char *word)
{
	size_t n = strlen(word);

	if ((size_t)(c->end - p) < n || memcmp(p, word, n) != 0)
		return fail(c, p, "a word that is not true, false or null");
	return p + n;
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

/* One of 64 kinds, by length, first, middle and last letter. */
static uint64_t kind_of(struct span key)
{
	const unsigned char *p = (const void *)key.p;

	if (!key.n)
		return 1;
	return UINT64_C(1) << (key.n * 5 + p[0] * 3U + p[key.n / 2] * 7U + p[key.n - 1]) % 64;
}

static bool add_key(struct check *c, struct keys *k, struct span raw, bool escaped)
{
	struct span key;
	uint64_t kind;

	if (!key_text(c, raw, escaped, &key))
		return fail(c, raw.p, "a key that cannot be read");
	kind = kind_of(key);
	if ((k->seen & kind) && c->keys - k->first < KEYS_COMPARED)
		for (size_t i = k->first; i < c->keys; i++)
			if (same(c->key[i], key))
				return fail(c, raw.p, "a key that comes twice");
	k->seen |= kind;
	keep_key(c, key);
	return true;
}

/* At the end of an object: its keys are forgotten; if they were many, they are compared first. */
static bool end_keys(struct check *c, const struct keys *k, const char *p)
{
	struct span *key = c->key + k->first;
	size_t count = c->keys - k->first;

	c->keys = k->first;
	if (count <= KEYS_COMPARED)
		return true;
	qsort(key, count, sizeof *key, by_text);
	for (size_t i = 1; i < count; i++)
		if (same(key[i - 1], key[i]))
			return fail(c, p, "a key that comes twice in the object ending here");
	return true;
}

static const char *check_value(struct check *, const char *p, int depth);

static const char *check_member(struct check *c, const char *p, struct keys *keys, int depth)
{
	bool escaped = false;
	const char *open = p;

	if (p == c->end || *p != '"')
		return fail(c, p, "something else where a key should be");
	p = check_string(c, p, &escaped);
	if (!p || !add_key(c, keys, (struct span){open, (size_t)(p - open)}, escaped))
		return NULL;
	p = skip_space(p, c->end);
	if (p == c->end || *p != ':')
		return fail(c, p, "a key without its colon");
	return check_value(c, p + 1, depth);
}

/* At its opening bracket. */
static const char *check_container(struct check *c, const char *p, int depth)
{
	struct keys keys = {.first = c->keys};
	bool object = *p == '{';
	char close = object ? '}' : ']';

	if (depth > c->depth)
		return fail(c, p, "nested too deep");
	p = skip_space(p + 1, c->end);
	if (p < c->end && *p == close)
		return p + 1;
	for (;;) {
		p = object ? check_member(c, p, &keys, depth) : check_value(c, p, depth);
		if (!p)
			return NULL;
		p = skip_space(p, c->end);
		if (p == c->end)
			return fail(c, p, "an object or array without its end");
		if (*p == close)
			break;
		if (*p != ',')
			return fail(c, p, "something else where a comma should be");
		p = skip_space(p + 1, c->end);
	}
	return object && !end_keys(c, &keys, p) ? NULL : p + 1;
}

static const char *check_value(struct check *c, const char *p, int depth)
{
	bool escaped = false;

	p = skip_space(p, c->end);
	if (p == c->end)
		return fail(c, p, "nothing where a value should be");
	switch (*p) {
	case '"': return check_string(c, p, &escaped);
	case '{':
	case '[': return check_container(c, p, depth + 1);
	case 't': return check_word(c, p, "true");
	case 'f': return check_word(c, p, "false");
	case 'n': return check_word(c, p, "null");
	default: break;
	}
	if (*p == '-' || digit(c, p))
		return check_number(c, p);
	return fail(c, p, "something that is no JSON value");
}

static bool check_document(struct check *c, const char *text)
{
	const char *p = check_value(c, text, 0);

	if (!p)
		return false;
	p = skip_space(p, c->end);
	return p == c->end || fail(c, p, "something behind the value");
}

const char *jscan_string_end(const char *text, const char *end)
{
	struct check c;
	bool escaped = false;

	c.end = end;
	return text < end && *text == '"' ? check_string(&c, text, &escaped) : NULL;
}

int jscan_check(const char *text, size_t length, size_t *at, const char **what)
{
	return jscan_check_depth(text, length, JSON_DEPTH_MAX, at, what);
}

int jscan_check_depth(const char *text, size_t length, int depth, size_t *at, const char **what)
{
	struct check c;
	bool good;

	c.end = text + length;
	c.depth = depth;
	c.key = c.first_keys;
	c.keys = 0;
	c.capacity = KEYS_AT_HAND;
	c.resolved = (struct strs){0};
	good = check_document(&c, text);
	if (c.key != c.first_keys)
		free(c.key);
	strs_clear(&c.resolved);
	if (good)
		return 0;
	*at = (size_t)(c.fault - text);
	*what = c.what;
	return -EINVAL;
}
