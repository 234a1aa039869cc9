/* sessions: what sessions have written. */
#ifndef SESSIONS_H
#define SESSIONS_H

#include "buf.h"
#include "state.h"

/* In bytes; -1: the end of it, and as much as is usual. next is where one goes on. */
struct log_piece {
	int64_t from, limit, next;
};

/* A piece of a session's "stdout" (NULL), "stderr" or "events"; -ENOENT. */
int session_log_read(const struct state *, const char *id, const char *stream, struct log_piece *,
	struct buf *) MUST_CHECK;

#endif
