/*
 * text: what both scanners need: the place of an offset, string literals
 * decoded, an import put on the list.
 */
#ifndef TEXT_H
#define TEXT_H

#include "buf.h"
#include "scan.h"

/* Runs of one value in a table by character: ten digits, 26 letters, a row of 16. */
#define CLASS_10(x) x, x, x, x, x, x, x, x, x, x
#define CLASS_16(x) CLASS_10(x), x, x, x, x, x, x
#define CLASS_26(x) CLASS_16(x), CLASS_10(x)

/* All that is no ASCII. */
#define CLASS_HIGH(x)                                                                           \
	[0x80] = CLASS_16(x), [0x90] = CLASS_16(x), [0xa0] = CLASS_16(x), [0xb0] = CLASS_16(x), \
	[0xc0] = CLASS_16(x), [0xd0] = CLASS_16(x), [0xe0] = CLASS_16(x), [0xf0] = CLASS_16(x)

enum { SPEC_MAX = 4096 }; /* a longer literal names no file or package */

/* A position that only moves on, so that all places of a text cost one pass. */
struct place {
	const char *at, *line_start;
	uint32_t line;
	bool separators; /* U+2028 and U+2029 end lines, as in ECMAScript */
};

/*
 * The inside of a string literal with its escapes resolved, added to out. False
 * if it is longer than SPEC_MAX or holds a NUL.
 */
bool literal_decode(struct buf *out, const char *text, size_t length);

/* The import is given its place: that of the byte at, which is not before the last one's. */
void import_add(struct imports *, struct place *, const char *at, struct import);

/* The piece of text as a string of the list's arena. */
const char *import_text(struct imports *, const char *text, size_t length);

#endif
