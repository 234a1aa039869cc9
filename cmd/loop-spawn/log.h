/*
 * log: a file that keeps its head and its tail. It is appended to; when it
 * grows beyond its bound its middle is left out, by lines, and the file is
 * replaced whole: whoever reads it at any moment finds a sound one.
 */
#ifndef LOG_H
#define LOG_H

#include "base.h"

struct log {
	int dir, fd;
	const char *name; /* lent */
	bool json;	  /* the line that stands for what was left out is JSON */
	int64_t max, size;
	int64_t head;	 /* bytes that stay at the front, set when it first overflows */
	int64_t dropped; /* bytes left out so far */
};

int log_open(struct log *, int dir, const char *name, int64_t max) MUST_CHECK;

/* What cannot be written is not kept: a full disk must not end a session. The first failure is
 * returned once, as -errno; 0 else. */
int log_add(struct log *, const void *bytes, size_t length);
void log_close(struct log *);

#endif
