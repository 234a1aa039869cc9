/*
 * command: the user's commands, by sh -c, with what the rollout is in their environment, a
 * time that they may take, and their output for who asks.
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "record.h"

enum { OUTPUT_MAX = 1 << 20 };

/*
 * The exit status, as a shell would say it: 124 if it took too long. What it prints is added
 * to output, or goes where ours goes if that is NULL. -errno if it could not be started.
 */
int command_run(const struct record *, const char *command, int64_t timeout, struct buf *output,
	struct err *) MUST_CHECK;

#endif
