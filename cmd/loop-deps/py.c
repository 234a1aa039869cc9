/*
 * The Python scanner's loop: tokens are told apart only as far as is needed to
 * know where statements start and where strings and comments are. An f-string
 * is text with replacement fields in it, which are code again (PEP 701); a
 * stack of the strings that are open takes the place of recursion.
 */
#include "py.h"

enum { W = PY_WORD,
	D = PY_DIGIT,
	B = PY_BLANK,
	E = PY_END,
	Q = PY_QUOTE };

const uint8_t py_class[256] = {
	[0] = E,
	['\n'] = E,
	['\r'] = E,
	[' '] = B,
	['\t'] = B,
	['\f'] = B,
	['"'] = Q,
	['\''] = Q,
	['0'] = CLASS_10(D),
	['A'] = CLASS_26(W),
	['_'] = W,
	['a'] = CLASS_26(W),
	CLASS_HIGH(W),
};

/* The end of the line that p is in: at its \n or \r, or at the text's end. */
static const char *end_of_line(const struct py *s, const char *p)
{
	while (!py_is(*p, PY_END) || (*p == '\0' && p < s->end))
		p++;
	return p;
}

/* Behind the line end at p. */
static const char *next_line(const char *p)
{
	return p + (*p == '\r' && p[1] == '\n' ? 2 : 1);
}

const char *py_skip(const struct py *s, const char *p, bool in_brackets)
{
	while (p < s->end) {
		if (py_is(*p, PY_BLANK))
			p++;
		else if (*p == '\\' && (p[1] == '\n' || p[1] == '\r'))
			p = next_line(p + 1);
		else if (in_brackets && (*p == '\n' || *p == '\r'))
			p++;
		else if (in_brackets && *p == '#')
			p = end_of_line(s, p);
		else
			break;
	}
	return p;
}

static bool is_triple(const char *p)
{
	return p[1] == *p && p[2] == *p;
}

/* Behind the next quote of this kind, three where triple, that no backslash stands before. */
static const char *triple_end(const struct py *s, const char *p, char quote)
{
	for (; p < s->end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == quote && is_triple(p))
			return p + 3;
	}
	return s->end;
}

const char *py_string_end(const struct py *s, const char *p)
{
	char quote = *p;

	if (is_triple(p))
		return triple_end(s, p + 3, quote);
	for (p++; p < s->end; p++) {
		if (*p == quote)
			return p + 1;
		if (*p == '\n' || *p == '\r')
			return p;
		if (*p == '\\')
			p = next_line(p + 1) - 1;
	}
	return s->end;
}

/* Behind a backslash in an f-string; a brace there opens a field all the same. */
static const char *escaped(const struct py *s, const struct py_string *f, const char *p)
{
	const char *close;

	if (!f->raw && *p == 'N' && p[1] == '{') {
		close = memchr(p, '}', (size_t)(s->end - p));
		return close ? close + 1 : s->end;
	}
	return *p == '{' || *p == '}' ? p : next_line(p);
}

/* The text of the innermost f-string, up to its end or to the code of its next field. */
static void string_text(struct py *s)
{
	struct py_string *f = &s->string[s->strings - 1];
	const char *p = s->p;

	s->depth = f->depth;
	while (p < s->end) {
		char c = *p++;

		if (c == f->quote && (!f->triple || is_triple(p - 1))) {
			p += f->triple ? 2 : 0;
			break;
		}
		if (!f->triple && (c == '\n' || c == '\r')) {
			p--; /* never closed: the line ends it */
			break;
		}
		if (c == '\\') {
			p = escaped(s, f, p);
		} else if (c == '{' && *p == '{' && !f->specs) {
			p++;
		} else if (c == '{') {
			s->depth = f->depth + 1;
			s->p = p;
			return;
		} else if (c == '}' && f->specs) {
			f->specs--;
		}
	}
	s->p = MIN(p, s->end);
	s->strings--;
}

/* Whether the scanner is in a field of an f-string and in no bracket inside it. */
static bool in_field(const struct py *s)
{
	return s->strings && s->depth == s->string[s->strings - 1].depth + 1;
}

static void string(struct py *s, bool formatted, bool raw)
{
	bool triple = is_triple(s->p);

	s->fresh = false;
	if (!formatted || s->strings == PY_STRINGS) {
		s->p = py_string_end(s, s->p);
		return;
	}
	s->string[s->strings++] = (struct py_string){
		.depth = s->depth, .quote = *s->p, .triple = triple, .raw = raw};
	s->p += triple ? 3 : 1;
	string_text(s);
}

/* Whether the word is a string's prefix; says what kind of string it makes. */
static bool is_prefix(const char *word, size_t n, bool *formatted, bool *raw)
{
	*formatted = *raw = false;
	for (size_t i = 0; i < n; i++) {
		char c = word[i] | ' ';

		if (!strchr("rbuft", c))
			return false;
		*formatted |= c == 'f' || c == 't';
		*raw |= c == 'r';
	}
	return n <= 2;
}

static void first_word(struct py *s, const char *word)
{
	size_t n = (size_t)(s->p - word);

	s->fresh = false;
	if (n == 6 && memcmp(word, "import", 6) == 0)
		py_import(s);
	else if (n == 4 && memcmp(word, "from", 4) == 0)
		py_from(s);
	else
		py_block_word(s, word, s->p);
}

static void word(struct py *s)
{
	const char *w = s->p, *e = py_word_end(w);
	bool formatted, raw, named = s->defining;
	size_t n = (size_t)(e - w);

	s->p = e;
	s->defining = false;
	if (py_is(*e, PY_QUOTE) && is_prefix(w, n, &formatted, &raw))
		string(s, formatted, raw);
	else if (s->fresh && !s->depth)
		first_word(s, w);
	if ((n == 10 && memcmp(w, "__import__", n) == 0) ||
		(n == 13 && memcmp(w, "import_module", n) == 0))
		if (!named)
			py_call(s, e);
}

/* At the start of a line: the blocks that end before it, unless it holds nothing. */
static void line_start(struct py *s)
{
	uint32_t column = 0;

	for (; py_is(*s->p, PY_BLANK); s->p++) {
		column = *s->p == '\t' ? (column | 7) + 1 : column + 1;
		if (*s->p == '\f')
			column = 0;
	}
	s->fresh = true;
	if (*s->p == '#' || py_is(*s->p, PY_END))
		return;
	s->column = column;
	py_blocks_end(s);
}

static void line_end(struct py *s)
{
	s->p = next_line(s->p);
	if (!s->depth)
		line_start(s);
}

static void bracket(struct py *s, char c)
{
	s->fresh = false;
	if (c == '(' || c == '[' || c == '{') {
		s->depth++;
	} else if (c == '}' && in_field(s)) {
		string_text(s);
	} else if (s->depth) {
		s->depth--;
	}
}

/* What is neither a word nor a blank, a string or a comment. */
static void sign(struct py *s)
{
	char c = *s->p++;

	switch (c) {
	case '(':
	case ')':
	case '[':
	case ']':
	case '{':
	case '}':
		bracket(s, c);
		break;
	case ':':
		if (in_field(s)) {
			s->string[s->strings - 1].specs++;
			string_text(s);
		}
		s->fresh = !s->depth;
		break;
	case ';':
		s->fresh = !s->depth;
		break;
	case '\\':
		if (*s->p == '\n' || *s->p == '\r')
			s->p = next_line(s->p);
		break;
	default:
		s->fresh = false;
	}
}

static void scan(struct py *s)
{
	while (s->p < s->end) {
		uint8_t class = py_class[(unsigned char)*s->p];

		if (class == PY_BLANK) {
			s->p++;
		} else if (class == PY_WORD) {
			word(s);
		} else if (class == PY_DIGIT) {
			s->p = py_word_end(s->p);
			s->fresh = false;
		} else if (class == PY_QUOTE) {
			string(s, false, false);
		} else if (*s->p == '#') {
			s->p = end_of_line(s, s->p);
		} else if (*s->p == '\n' || *s->p == '\r') {
			line_end(s);
		} else {
			sign(s);
		}
	}
}

void scan_python(const char *text, size_t length, struct imports *out)
{
	struct py s = {.p = text, .end = text + length, .out = out};

	s.place = (struct place){.at = text, .line_start = text, .line = 1};
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		s.p = s.place.line_start = s.place.at = text + 3;
	line_start(&s);
	scan(&s);
}
