/*
 * git: run without hooks, questions, housekeeping, or what the environment
 * around us would point it to.
 */
#ifndef GIT_H
#define GIT_H

#include "buf.h"

struct git {
	const char *dir;       /* where it runs */
	const char *index;     /* an index file instead of the worktree's own; NULL */
	bool (*give_up)(void); /* asked several times a second: true ends git; NULL: never */
};

#define GIT_IN(folder) (&(struct git){.dir = (folder)})

/*
 * Runs git with these words (ended by NULL): its exit status; what it said,
 * errors included, is in the buffer, without the newlines at the end. 125 to
 * 127 with the reason there, if it cannot be run; 143 if it was given up.
 */
int git(const struct git *, struct buf *out, ...) __attribute__((sentinel));

#endif
