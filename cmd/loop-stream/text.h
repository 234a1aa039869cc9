/*
 * text: the pieces of a head, lent: spans compared, cut and unescaped.
 */
#ifndef TEXT_H
#define TEXT_H

#include "jscan.h"

/* What a buffer holds. */
struct span span_of(const struct buf *);

/* Whether a span is this text, without regard to case. */
bool span_is(struct span, const char *text);

/* Without the spaces and tabs around it. */
struct span span_trim(struct span);

/* Cuts the part in front of the separator off *rest; all of it where there is none. */
struct span span_cut(struct span *rest, char separator);

/* Whether a comma-separated list holds this word, without regard to case. */
bool list_has(struct span list, const char *word);

/* The value of a hexadecimal digit; -1 if it is none. */
int hex_digit(char);

/* The byte of the escape (%2F) that starts here; -1 if it is none. */
int escape_at(struct span, size_t at);

/*
 * The first value of a name in a query, its escapes resolved, added to the
 * buffer: 1, or 0 if the query has no such name. -EINVAL for text that is no
 * UTF-8 or holds control characters.
 */
int query_get(struct span query, const char *name, struct buf *out);

#endif
