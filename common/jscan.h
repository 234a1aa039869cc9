/*
 * jscan: JSON looked at where it stands, without a tree and without a library:
 * a strict validator (RFC 8259) and a walk over one level of an object or
 * array that lends the text of each member. What the journal, the bus and the
 * stream route is validated once, looked at with this, and forwarded as the
 * bytes that came. Trees are jansson's (json.h).
 */
#ifndef JSCAN_H
#define JSCAN_H

#include "buf.h"

enum { JSON_DEPTH_MAX = 100 }; /* what jq 1.6 can read back with room to spare */

/* A piece of somebody else's text. */
struct span {
	const char *p;
	size_t n;
};

/*
 * Exactly one value with white space around it. Refused besides what RFC 8259
 * forbids: invalid UTF-8, lone surrogates, \u0000, a BOM, nesting deeper than
 * JSON_DEPTH_MAX, and (in objects at any depth) a key that comes twice. 0, or
 * -EINVAL with *at the offset of the fault and *what a phrase for people.
 */
int jscan_check(const char *text, size_t length, size_t *at, const char **what) MUST_CHECK;

/* The same with another bound of the nesting, for what will stand inside something else. */
int jscan_check_depth(const char *text, size_t length, int depth, size_t *at, const char **what)
	MUST_CHECK;

/* Behind the string whose opening quote is the first byte; NULL if there is none that is valid. */
const char *jscan_string_end(const char *text, const char *end);

/* The kind of a valid value: one of "{[\"0tfn" by its first character ('0' is any number), or 0. */
char jscan_kind(struct span value);

/* A walk over the members of one object or array of valid text. */
struct jscan {
	const char *p, *end;
	bool object;
};

/* -EINVAL if the value is neither an object nor an array. */
int jscan_open(struct jscan *, struct span value);

/*
 * 1 and the next member (key with its quotes; empty in an array), 0 at the end, -EINVAL
 * where the text turns out not to be valid. Safe on any text, right on valid text only.
 */
int jscan_next(struct jscan *, struct span *key, struct span *value);

/* The value of an object's key; false if it has none. A dotted path goes down: "data.success". */
bool jscan_get(struct span object, const char *key, struct span *value);
bool jscan_path(struct span object, const char *path, struct span *value);

/* Whether a JSON string equals this text once its escapes are resolved. */
bool jscan_is(struct span string, const char *text);
bool jscan_is_n(struct span string, const char *text, size_t n);

/* A JSON string's text, escapes resolved, added to the buffer; -EINVAL if it is not a string. */
int jscan_text(struct span string, struct buf *out);

/* A whole number; -EINVAL if it is none, -ERANGE if it does not fit. */
int jscan_int(struct span number, int64_t *out);

#endif
