/*
 * mischief: the steps in which the agent misbehaves. Each takes the step and
 * returns the exit status, or -1 to go on with the script.
 */
#ifndef MISCHIEF_H
#define MISCHIEF_H

#include "play.h"

int mischief_raw(struct play *, const json_t *);    /* a line as it stands */
int mischief_torn(struct play *, const json_t *);   /* bytes without a newline */
int mischief_stderr(struct play *, const json_t *); /* a line on stderr */
int mischief_replay(struct play *, const json_t *); /* a captured stream, and how it ended */
int mischief_flood(struct play *, const json_t *);  /* many lines, that many bytes in all */
int mischief_line(struct play *, const json_t *);   /* one line of that many bytes */
int mischief_signal(struct play *, const json_t *); /* dies by it */
int mischief_stall(struct play *, const json_t *);  /* silent for ever */
int mischief_spin(struct play *, const json_t *);   /* silent, but busy, for that long */
int mischief_ignore(struct play *, const json_t *); /* ignores that signal from now on */
int mischief_leak(struct play *, const json_t *);   /* a daemon that outlives us */

#endif
