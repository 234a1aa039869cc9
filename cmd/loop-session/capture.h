/*
 * capture: what an agent printed, kept in a file, as the neutral events that
 * loop-spawn would have made of it: one jq, the agent's own map.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "base.h"

/* Calls take with each event's line; ends the program if the agent is not known or jq fails. */
void capture_each(const char *agent, int fd,
	void (*take)(void *context, const char *line, size_t length), void *context);

#endif
