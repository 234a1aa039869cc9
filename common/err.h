/*
 * err: one error in words, for what errno cannot say. A function that can fail
 * returns 0 or a positive result, or -errno; it also fills a struct err when
 * the caller needs to know *which* name, file or place was wrong. The program
 * prints it, once, where the object is known.
 */
#ifndef ERR_H
#define ERR_H

#include "base.h"

struct err {
	char text[512]; /* one line, without a final newline; empty when unset */
};

/* Writes the text (the first one wins: a cause is not overwritten by its effects); returns code. */
int err_set(struct err *, int code, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same with ": strerror(-code)" behind it. */
int err_sys(struct err *, int code, const char *format, ...) PRINTF_LIKE(3, 4);

#endif
