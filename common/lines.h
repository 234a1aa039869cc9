/*
 * lines: cuts a stream of bytes into lines, however it arrives. A line longer
 * than max is dropped up to its end and counted, so that a writer of rubbish
 * costs bounded memory; a last line without its end stays as the rest.
 */
#ifndef LINES_H
#define LINES_H

#include "buf.h"

struct lines {
	size_t max;	   /* bytes, without the newline */
	struct buf rest;   /* what has no end yet */
	size_t taken;	   /* of rest, handed out already */
	size_t scanned;	   /* of rest, known to hold no newline behind taken */
	bool skipping;	   /* inside a line that was too long */
	uint64_t oversize; /* lines dropped */
};

/* Room for a read of up to room bytes; lines_fed says how many came. */
char *lines_room(struct lines *, size_t room);
void lines_fed(struct lines *, size_t length);

/*
 * The next whole line, without its newline; valid until the next lines_room. False if
 * there is none yet.
 */
bool lines_next(struct lines *, char **line, size_t *length);

/* At the end of the stream: what stands behind the last newline. False if nothing does. */
bool lines_rest(struct lines *, char **line, size_t *length);
void lines_clear(struct lines *);

#endif
