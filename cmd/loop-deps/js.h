/*
 * js: the parts of the scanner of JavaScript and TypeScript. The text is
 * NUL-terminated (and padded), so that looking at one byte more is always
 * allowed.
 */
#ifndef JS_H
#define JS_H

#include "text.h"

/* What stands before the next token, as far as it decides what "/", "{" and "<" mean. */
enum js_before {
	JS_START,    /* a statement may start */
	JS_OPERATOR, /* an expression must follow */
	JS_OPERAND,  /* an expression may end here */
	JS_DOT,	     /* a property's name must follow */
};

enum js_frame_kind {
	JS_PAREN,
	JS_BRACKET,
	JS_BLOCK,     /* braces around statements or members */
	JS_OBJECT,    /* braces of an object literal or a destructuring */
	JS_BODY,      /* braces of a function or class that is an expression */
	JS_TEMPLATE,  /* ${ } in a template */
	JS_CONTAINER, /* { } in JSX */
	JS_ELEMENT,   /* a JSX element */
};

/* Something that is open. */
struct js_frame {
	uint8_t kind;
	bool control;	       /* parentheses of if, for, while …: a statement follows */
	bool function;	       /* braces of a function */
	bool types;	       /* braces of an interface */
	bool in_tag;	       /* an element: in its opening tag, not among its children */
	uint8_t pending;       /* enum js_pending: a body is to come */
	uint16_t conditionals; /* "?" whose ":" is to come */
	uint32_t angles;       /* of type arguments in a tag */
};

enum js_pending {
	JS_NO_BODY,
	JS_DECLARATION,
	JS_EXPRESSION,
	JS_INTERFACE,
};

struct js {
	const char *p, *end;
	struct imports *out;
	struct place place;
	unsigned dialect;
	enum js_before before;
	char token;	    /* the last one: its first character, 'a' a word, '>' also of "=>" */
	bool arrow;	    /* it is "=>" */
	bool newline;	    /* a line end stands behind it */
	bool async;	    /* it is the word async */
	uint8_t word;	    /* enum js_word: which, if it is a word and no property */
	uint8_t outer;	    /* enum js_before that stood before the word async */
	uint32_t functions; /* bodies open */
	uint32_t braces;    /* open */
	size_t length;	    /* of the text */
	size_t wasted;	    /* bytes looked at for the ends of regular expressions that were none */
	struct js_frame *frame;
	size_t depth, capacity;
};

enum { JS_REACH = 512 }; /* how far ahead an ambiguity is looked at: so the scan stays linear */

/* Character classes. */
enum {
	JS_LETTER = 1, /* and $ and _ */
	JS_DIGIT = 2,
	JS_BLANK = 4,
	JS_END = 8,   /* of a line, or of the text */
	JS_HIGH = 16, /* no ASCII */
	JS_QUOTE = 32,
	JS_ESCAPE = 64,
};
extern const uint8_t js_class[256];

static inline bool js_is(char c, int classes)
{
	return js_class[(unsigned char)c] & classes;
}

enum js_word {
	WORD_NONE,
	WORD_ASYNC,
	WORD_AWAIT,
	WORD_BLOCK,    /* else do try finally: a statement follows */
	WORD_CLASS,    /* class */
	WORD_CONTROL,  /* if for while with switch catch: parentheses, then a statement */
	WORD_DEFAULT,  /* default */
	WORD_EXPORT,   /* export */
	WORD_FUNCTION, /* function */
	WORD_IMPORT,   /* import */
	WORD_INTERFACE,
	WORD_NEW,
	WORD_OF,
	WORD_OPERATOR, /* return typeof case …: an expression follows */
	WORD_REQUIRE,  /* require */
	WORD_TYPEOF,
	WORD_TYPE, /* as satisfies extends …: a type follows, if anything does */
};

enum js_word js_word(const char *word, size_t length);

/* Tokens. Each returns the place behind it; what is not closed ends where the text does. */
const char *js_skip(const struct js *, const char *p); /* blanks, line ends, comments */
const char *js_line_end(const struct js *, const char *p);
const char *js_comment_end(const struct js *, const char *p); /* of one with stars */
const char *js_word_end(const char *p);			      /* escapes included */
const char *js_string_end(const struct js *, const char *p);

/* Of one character that is no ASCII; p if it is no blank. */
const char *js_blank_end(const char *p);

/* Behind the parentheses that open at p; NULL if they do not close within JS_REACH bytes. */
const char *js_parens_end(const struct js *, const char *p);

/* NULL if there is none on its line; what looking for it in vain may cost is bounded. */
const char *js_regex_end(struct js *, const char *p);

static inline bool js_word_is(const char *word, const char *end, const char *text)
{
	size_t n = (size_t)(end - word);

	return strlen(text) == n && memcmp(word, text, n) == 0;
}

struct js_frame *js_push(struct js *, enum js_frame_kind);
static inline struct js_frame *js_top(const struct js *s)
{
	return &s->frame[s->depth - 1]; /* the first is the text itself */
}

/* The words that import, p behind the word; they move p on if they understand what follows. */
bool js_import(struct js *);
bool js_export(struct js *);
void js_require(struct js *);

/* The triple-slash references at the top of a text, from p on. */
void js_references(struct js *, const char *p);

/* Whether a "<" at p, where an expression must stand, opens an element; and the scan of one. */
bool js_opens_element(struct js *, const char *p);
void js_element(struct js *);

#endif
