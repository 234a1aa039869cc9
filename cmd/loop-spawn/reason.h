/*
 * reason: the one table of how a session can end, each with its exit status
 * and whether another try may help. The man page prints it.
 */
#ifndef REASON_H
#define REASON_H

#include "base.h"

enum reason {
	SUCCESS,
	FAILED,
	STALLED,
	MAX_TURNS,
	BUDGET,
	QUOTA,
	TRANSIENT,
	AUTH,
	PERMISSION,
	MALFORMED,
	VERIFY_FAILED,
	NEEDS_HUMAN,
	REFUSED,
	CONTEXT,
	TIMED_OUT,
	SPAWN_FAILED,
	CRASHED,
	KILLED
};

const char *reason_name(enum reason) __attribute__((const));

/* The reason of this name; FAILED for one that is not known. */
enum reason reason_of(const char *name) __attribute__((pure));

/* The exit status; own is the agent's status or the signal's number where the reason keeps it. */
int reason_status(enum reason, int own) __attribute__((const));
bool reason_retryable(enum reason) __attribute__((const));

#endif
