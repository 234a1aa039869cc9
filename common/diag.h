/*
 * diag: what is wrong in a text that has places (plans, routes, rollouts):
 * collected in one pass, said in the order of the text as
 * "prd.json:12:7: error: unknown need 'US-04'; did you mean 'US-004'?".
 */
#ifndef DIAG_H
#define DIAG_H

#include "buf.h"

enum severity { DIAG_ERROR,
	DIAG_WARNING,
	DIAG_NOTE };

struct diag {
	size_t offset; /* in bytes, into the text */
	size_t order;
	enum severity severity;
	char *text;
};

/* Zeroed is empty. */
struct diags {
	struct diag *item;
	size_t count, capacity, errors, warnings;
};

/*
 * A note belongs to the error or warning before it and stays behind it, wherever its
 * own place is.
 */
void diag_error(struct diags *, size_t offset, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_warning(struct diags *, size_t offset, const char *format, ...) PRINTF_LIKE(3, 4);
void diag_note(struct diags *, size_t offset, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * One line each, sorted by place; name is the file's, as the user gave it. Columns
 * count bytes from 1.
 */
void diags_format(
	struct diags *, const char *name, const char *text, size_t length, struct buf *out);
void diags_clear(struct diags *);

#endif
