/*
 * mapper: the one jq of an attempt, which turns the agent's lines into neutral
 * events. It is given one object a line: {"out":JSON} for a line of stdout,
 * {"text":"…"} for one that is no JSON, {"err":"…"} for one of stderr, and in
 * the end {"end":{"status":N,"signal":N}}.
 */
#ifndef MAPPER_H
#define MAPPER_H

#include "lines.h"
#include "proc.h"

struct mapper {
	struct child child;
	int in, out; /* -1: closed, or there is no mapper */
	struct buf queue;
	struct lines lines;
	bool ending; /* in is closed once the queue is empty */
};

enum { MAPPER_QUEUE_MAX = 8 << 20 }; /* above that, the agent is not read for a while */

/* path: of map.jq; NULL: an agent that nobody listens to. errors: where jq's stderr goes. */
int mapper_start(struct mapper *, const char *path, int errors, struct err *) MUST_CHECK;

/* A line of stdout; returns whether it was JSON. */
bool mapper_out(struct mapper *, const char *line, size_t length);
void mapper_error(struct mapper *, const char *line, size_t length);
void mapper_end(struct mapper *, int status, int signal);

/* When in can be written, and when out can be read: false once it has closed. */
void mapper_write(struct mapper *);
bool mapper_read(struct mapper *);
void mapper_clear(struct mapper *);

#endif
