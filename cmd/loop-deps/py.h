/*
 * py: the parts of the Python scanner. The text is NUL-terminated (and padded),
 * so that looking at one byte more is always allowed.
 */
#ifndef PY_H
#define PY_H

#include "text.h"

enum {
	PY_BLOCKS = 100,  /* CPython's own bound of indentation */
	PY_STRINGS = 150, /* and of f-strings in f-strings */
};

/* A compound statement whose block is open. */
struct py_block {
	uint32_t column; /* of its first word */
	uint8_t flags;	 /* of imports in it: its own and those of the blocks around it */
	uint8_t other;	 /* flags of its own that its else has */
};

/* An f-string in one of whose replacement fields the scanner is. */
struct py_string {
	uint32_t depth; /* open brackets around it */
	uint32_t specs; /* format specifications open, one in the other */
	char quote;
	bool triple, raw;
};

struct py {
	const char *p, *end;
	struct imports *out;
	struct place place;
	uint32_t depth;	 /* open brackets */
	bool fresh;	 /* at the start of a statement */
	bool defining;	 /* the last word was def */
	uint32_t column; /* of the line's first word */
	uint32_t blocks, strings;
	struct py_block block[PY_BLOCKS];
	struct py_string string[PY_STRINGS];
	const char *checking; /* a second name of TYPE_CHECKING */
};

/* Character classes. */
enum {
	PY_WORD = 1,
	PY_DIGIT = 2,
	PY_BLANK = 4,
	PY_END = 8, /* of a line, or of the text */
	PY_QUOTE = 16,
};
extern const uint8_t py_class[256];

static inline bool py_is(char c, int classes)
{
	return py_class[(unsigned char)c] & classes;
}

static inline const char *py_word_end(const char *p)
{
	while (py_is(*p, PY_WORD | PY_DIGIT))
		p++;
	return p;
}

static inline bool py_word_is(const char *word, const char *end, const char *text)
{
	size_t n = (size_t)(end - word);

	return strlen(text) == n && memcmp(word, text, n) == 0;
}

/* Behind blanks, continued lines and, in brackets, line ends and comments. */
const char *py_skip(const struct py *, const char *p, bool in_brackets);

/* Behind the string whose quote is at p (no f-string); or where its line ends without one. */
const char *py_string_end(const struct py *, const char *p);

/* Statements, the first word read: each leaves p behind what it understood. */
void py_import(struct py *);
void py_from(struct py *);

/* A call that imports, p behind the function's name; p is not moved. */
void py_call(struct py *, const char *p);

/* Blocks: a line ends those that its first column is not in; a first word opens one. */
void py_blocks_end(struct py *);
void py_block_word(struct py *, const char *word, const char *end);
static inline uint8_t py_flags(const struct py *s)
{
	return s->blocks ? s->block[s->blocks - 1].flags : 0;
}

#endif
