/* git: run without hooks, questions, or what the environment would point it to. */
#ifndef GIT_H
#define GIT_H

#include "buf.h"

/* Forgets git's own variables, for this process and its children: call it once, first. */
void git_forget_environment(void);

/*
 * Runs git with these words (ended by NULL) in dir: its exit status; what it
 * said is in the buffer, without the newline at the end.
 */
int git(const char *dir, struct buf *out, ...) __attribute__((sentinel));

#endif
