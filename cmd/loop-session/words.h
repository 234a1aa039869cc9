/*
 * words: text for people, all of it safe for a terminal: one line of somebody
 * else's text, money, and columns.
 */
#ifndef WORDS_H
#define WORDS_H

#include "buf.h"
#include "parse.h"

/*
 * Text from outside as one line: white space of any kind is one space, control
 * characters are escaped, and what goes beyond max characters is cut off ("…").
 */
void words_line(struct buf *, const char *text, size_t length, size_t max);

/* "$0.42", or "unknown": what nobody told is not nothing. */
char *words_dollars(char out[DOLLARS_SIZE], bool known, double dollars);

/* "1 session", "2 sessions". */
void words_count(struct buf *, int64_t n, const char *noun);

/* Rows of cells; zeroed, but for the number of columns, is empty. */
struct table {
	size_t columns;
	unsigned right; /* the bit of each column of numbers */
	struct strs cells;
};

void table_cell(struct table *, const char *text); /* made safe, cut at 60 characters */
void table_format(struct table *, const char *format, ...) PRINTF_LIKE(2, 3);
void table_print(const struct table *, const char *indent, struct buf *out);
void table_clear(struct table *);

#endif
