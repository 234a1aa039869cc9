/*
 * parcel: named pieces of any bytes, one behind the other, in one text that cat
 * can show. A job and its answer are sent so.
 *
 *	loop-job 1
 *	NAME LENGTH
 *	the bytes, and a newline
 *	…
 */
#ifndef PARCEL_H
#define PARCEL_H

#include "jscan.h"

void parcel_begin(struct buf *);
void parcel_add(struct buf *, const char *name, const void *bytes, size_t length);
void parcel_text(struct buf *, const char *name, const char *text);
void parcel_number(struct buf *, const char *name, int64_t);

struct piece {
	char name[140];
	struct span bytes; /* lent */
};

/* Cuts the first line off; -EINVAL: the text is no parcel, -ENOTSUP: it is a newer one. */
int parcel_open(struct span *rest, const char *text, size_t length) MUST_CHECK;

/* 1 and the next piece, 0 at the end, -EINVAL where the text is torn. */
int parcel_next(struct span *rest, struct piece *) MUST_CHECK;

bool piece_is(const struct piece *, const char *name);
int piece_number(const struct piece *, int64_t *) MUST_CHECK;
char *piece_text(const struct piece *); /* the caller frees; cut at a NUL */

#endif
