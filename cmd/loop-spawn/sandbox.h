/*
 * sandbox: what the agent and the verify commands may touch, by bubblewrap:
 * everything is there to read but the home folder and /tmp, and only the folder
 * of the work, git's objects and refs, and what agent.json names can be
 * written. The network is open, and the processes are ours to see and to end.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "session.h"

/* With --sandbox: adds the words that go in front of a command. */
void sandbox_argv(const struct session *, struct strs *argv);

#endif
