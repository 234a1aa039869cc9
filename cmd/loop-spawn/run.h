/*
 * run: a command to its end, with the tail of what it said: git, verify
 * commands, checks.
 */
#ifndef RUN_H
#define RUN_H

#include "buf.h"
#include "err.h"

struct log;

struct run {
	char *const *argv;
	char *const *env; /* NULL: ours */
	const char *dir;  /* NULL: ours */
	int64_t timeout;  /* ns; 0: none */
	size_t keep;	  /* bytes of the tail; 0: everything */
	struct log *log;  /* gets everything; may be NULL */
	struct buf out;	  /* stdout and stderr together; the caller clears it */
	bool timed_out;	  /* set: it had not ended by then */
};

/*
 * Its exit status (128 + the signal; EXIT_TIMEDOUT after the timeout, and what
 * is left of its tree is then killed), or the status of a command that could
 * not be started, with the reason in the err.
 */
int run_command(struct run *, struct err *);

#endif
