/*
 * hint: how a command tells when it is worth trying again: it writes into the
 * file that LOOP_RETRY_AFTER names. The file is memory of ours, so that nothing
 * is left behind whatever ends us.
 */
#ifndef HINT_H
#define HINT_H

#include "base.h"

/* Makes the file and sets LOOP_RETRY_AFTER; a descriptor or -errno. */
int hint_open(void) MUST_CHECK;
void hint_empty(int fd); /* before the next attempt */

/*
 * What was written there, as clock_real: a number of seconds or a duration from now, a
 * time (RFC 3339, an HTTP date, seconds since the epoch), or a JSON object that has one
 * of them as retry_after, resets_at, reset_at or reset. 0 nothing; -EINVAL.
 */
int hint_read(int fd, int64_t *until) MUST_CHECK;
int hint_parse(const char *text, int64_t now, int64_t *until) MUST_CHECK;

#endif
