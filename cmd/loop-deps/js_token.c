/* The lexis of ECMAScript: where each token ends, and which words decide what follows. */
#include "js.h"

enum { L = JS_LETTER,
	D = JS_DIGIT,
	B = JS_BLANK,
	E = JS_END,
	H = JS_HIGH,
	Q = JS_QUOTE,
	X = JS_ESCAPE };

const uint8_t js_class[256] = {
	[0] = E,
	['\n'] = E,
	['\r'] = E,
	[' '] = B,
	['\t'] = B,
	['\f'] = B,
	['\v'] = B,
	['"'] = Q,
	['\''] = Q,
	['0'] = CLASS_10(D),
	['A'] = CLASS_26(L),
	['_'] = L,
	['$'] = L,
	['\\'] = X,
	['a'] = CLASS_26(L),
	CLASS_HIGH(H),
};

/* Sorted by length. */
static const struct {
	const char *text;
	uint8_t word;
} words[] = {
	{"as", WORD_TYPE}, {"do", WORD_BLOCK}, {"if", WORD_CONTROL}, {"in", WORD_OPERATOR},
	{"is", WORD_TYPE}, {"of", WORD_OF}, {"for", WORD_CONTROL}, {"new", WORD_NEW},
	{"try", WORD_BLOCK}, {"case", WORD_OPERATOR}, {"else", WORD_BLOCK},
	{"void", WORD_OPERATOR}, {"with", WORD_CONTROL}, {"async", WORD_ASYNC},
	{"await", WORD_AWAIT}, {"catch", WORD_CONTROL}, {"class", WORD_CLASS},
	{"infer", WORD_TYPE}, {"keyof", WORD_TYPE}, {"throw", WORD_OPERATOR},
	{"while", WORD_CONTROL}, {"yield", WORD_OPERATOR}, {"delete", WORD_OPERATOR},
	{"export", WORD_EXPORT}, {"import", WORD_IMPORT}, {"return", WORD_OPERATOR},
	{"switch", WORD_CONTROL}, {"typeof", WORD_TYPEOF}, {"default", WORD_DEFAULT},
	{"extends", WORD_TYPE}, {"finally", WORD_BLOCK}, {"require", WORD_REQUIRE},
	{"function", WORD_FUNCTION}, {"readonly", WORD_TYPE}, {"interface", WORD_INTERFACE},
	{"satisfies", WORD_TYPE}, {"implements", WORD_TYPE}, {"instanceof", WORD_OPERATOR}};

enum js_word js_word(const char *word, size_t length)
{
	/* Where in the table the words of each length start. */
	static const uint8_t first[] = {0, 0, 0, 6, 9, 13, 22, 28, 32, 34, 36, 38};

	if (length < 2 || length > 10)
		return WORD_NONE;
	for (size_t i = first[length]; i < first[length + 1]; i++)
		if (words[i].text[0] == *word && memcmp(words[i].text, word, length) == 0)
			return words[i].word;
	return WORD_NONE;
}

const char *js_blank_end(const char *p)
{
	static const char *const blanks[] = {"\xc2\xa0", "\xef\xbb\xbf", "\xe1\x9a\x80",
		"\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80"};

	for (size_t i = 0; i < countof(blanks); i++)
		if (strncmp(p, blanks[i], strlen(blanks[i])) == 0)
			return p + strlen(blanks[i]);
	if (p[0] == '\xe2' && p[1] == '\x80' && (unsigned char)p[2] >= 0x80 &&
		(unsigned char)p[2] <= 0x8a)
		return p + 3;
	return p;
}

static bool is_separator(const char *p)
{
	return p[0] == '\xe2' && p[1] == '\x80' && (p[2] & ~1) == '\xa8';
}

const char *js_line_end(const struct js *s, const char *p)
{
	for (; p < s->end && *p != '\n' && *p != '\r'; p++)
		if (*p == '\xe2' && is_separator(p))
			break;
	return p;
}

const char *js_comment_end(const struct js *s, const char *p)
{
	for (p = MIN(p + 3, s->end); (p = memchr(p, '/', (size_t)(s->end - p))); p++)
		if (p[-1] == '*')
			return p + 1;
	return s->end;
}

const char *js_skip(const struct js *s, const char *p)
{
	while (p < s->end) {
		const char *blank;

		if (js_is(*p, JS_BLANK) || *p == '\n' || *p == '\r') {
			p++;
		} else if (*p == '/' && p[1] == '/') {
			p = js_line_end(s, p);
		} else if (*p == '/' && p[1] == '*') {
			p = js_comment_end(s, p);
		} else if (js_is(*p, JS_HIGH) && (blank = js_blank_end(p)) > p) {
			p = blank;
		} else {
			break;
		}
	}
	return p;
}

/* Behind the unicode escape at p, or at p if there is none. */
static const char *escape_end(const char *p)
{
	size_t n;

	if (p[1] != 'u')
		return p;
	if (p[2] != '{')
		return strspn(p + 2, "0123456789abcdefABCDEF") >= 4 ? p + 6 : p;
	n = strspn(p + 3, "0123456789abcdefABCDEF");
	return n && p[3 + n] == '}' ? p + 4 + n : p;
}

const char *js_word_end(const char *p)
{
	for (;;) {
		const char *next;

		while (js_is(*p, JS_LETTER | JS_DIGIT))
			p++;
		if (js_is(*p, JS_HIGH))
			next = js_blank_end(p) == p ? p + 1 : p;
		else
			next = *p == '\\' ? escape_end(p) : p;
		if (next == p)
			return p;
		p = next;
	}
}

const char *js_string_end(const struct js *s, const char *p)
{
	char quote = *p;

	for (p++; p < s->end; p++) {
		if (*p == quote)
			return p + 1;
		if (*p == '\n' || *p == '\r')
			return p;
		if (*p == '\\')
			p += p[1] == '\r' && p[2] == '\n' ? 2 : 1;
	}
	return s->end;
}

const char *js_regex_end(struct js *s, const char *p)
{
	const char *start = p;
	bool class = false;

	if (s->wasted > 8 * s->length)
		return NULL;
	for (p++; p < s->end && *p != '\n' && *p != '\r'; p++) {
		if (*p == '\\' && p[1] != '\n' && p[1] != '\r')
			p++;
		else if (*p == '[')
			class = true;
		else if (*p == ']')
			class = false;
		else if (*p == '/' && !class)
			return js_word_end(p + 1);
		else if (*p == '\xe2' && is_separator(p))
			break;
	}
	s->wasted += (size_t)(p - start);
	return NULL;
}

const char *js_parens_end(const struct js *s, const char *p)
{
	const char *limit = MIN(p + JS_REACH, s->end);

	for (unsigned depth = 0; p < limit; p++) {
		depth += *p == '(';
		if (*p == ')' && --depth == 0)
			return p + 1;
	}
	return NULL;
}
