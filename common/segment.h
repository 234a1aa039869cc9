/*
 * segment: the files that the journal is made of. events.jsonl is the newest,
 * events.FIRST.jsonl are older ones, FIRST being the position of their first
 * byte. Only the journal's own modules use this.
 */
#ifndef SEGMENT_H
#define SEGMENT_H

#include "base.h"

#define SEGMENT_NEWEST "events.jsonl"

/* What every line begins with; the id, a quote and the record follow. */
#define SEGMENT_HEAD "{\"specversion\":\"1.0\",\"id\":\""

enum { SEGMENT_NAME_SIZE = 40 };
char *segment_name(char out[SEGMENT_NAME_SIZE], int64_t first); /* of an older one; returns out */

/* The id that a line begins with, -1 if it does not begin as a line of the journal does. */
int64_t segment_line_id(const char *line, size_t length);

/*
 * Open for reading; -ENOENT also where what has the name of an older one is no file. A power
 * cut can leave an older one empty.
 */
int segment_open_newest(int dir) MUST_CHECK;
int segment_open_older(int dir, int64_t first) MUST_CHECK;

/* The older segments by the position of their first byte, ascending. */
struct segments {
	int64_t *first;
	size_t count, capacity;
};

int segments_list(int dir, struct segments *) MUST_CHECK;
void segments_clear(struct segments *);

/*
 * The position of the first byte of the newest segment, open as fd: what its
 * first line says, else where the segment before it ends, else what the first
 * whole line says. -errno.
 */
int64_t segment_base(int dir, int fd) MUST_CHECK;

/*
 * Opens the segment that holds a position, or whose end it is; a descriptor, its
 * first position and whether it is the newest. -ERANGE: before the oldest or
 * behind the end; -ENOENT: there is no journal.
 */
int segment_open(int dir, int64_t position, int64_t *base, bool *newest) MUST_CHECK;

#endif
