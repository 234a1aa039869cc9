/*
 * worktree: a git worktree and a branch of its own for a session, below
 * worktrees/ of the state directory. Nothing of git's configuration is run
 * (hooks are off) and nothing is removed.
 */
#ifndef WORKTREE_H
#define WORKTREE_H

#include "session.h"

/*
 * Makes it, or goes on in the one that the branch has already, and sets work,
 * worktree, branch and base of the session. A negative number with the reason
 * where it cannot, or where another live session is in it.
 */
int worktree_open(struct session *, struct err *) MUST_CHECK;

/* Puts what is not committed on refs/loop/saved/ID, the worktree left as it is; sets saved. */
void worktree_save(struct session *);

#endif
