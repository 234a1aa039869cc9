/*
 * step: one neutral event of a session (loop-agent(5)), as a line of its
 * events.jsonl, and what is looked up in it.
 */
#ifndef STEP_H
#define STEP_H

#include "jscan.h"

enum step_kind {
	STEP_OTHER,
	STEP_STARTED,
	STEP_MESSAGE,
	STEP_TOOL,
	STEP_TOOL_END,
	STEP_USAGE,
	STEP_RETRY,
	STEP_LIMIT,
	STEP_DENIED,
	STEP_ERROR,
	STEP_RESULT,
	STEP_OMITTED, /* what the bound of the log has cut out */
};

struct step {
	enum step_kind kind;
	int64_t time;	 /* ns since the epoch; 0: a captured stream has none */
	int64_t attempt; /* 0: none */
	struct span line;
};

/* -EINVAL if it is no JSON object. The line is lent. */
int step_parse(struct step *, const char *line, size_t length) MUST_CHECK;

/* Members; what is missing or of another type leaves the buffer empty, or is the default. */
void step_text(const struct step *, const char *key, struct buf *);
int64_t step_int(const struct step *, const char *key, int64_t otherwise);
bool step_real(const struct step *, const char *key, double *);
bool step_has(const struct step *, const char *key);
bool step_true(const struct step *, const char *key);

#endif
