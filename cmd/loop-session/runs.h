/*
 * runs: what the log of a run (runs/ID/run.jsonl) tells of it, as far as
 * sessions are concerned: how it ended, or whether anything of it still lives.
 */
#ifndef RUNS_H
#define RUNS_H

#include "buf.h"
#include "state.h"

struct run {
	char id[129], plan[129];
	char state[32];	       /* how it ended; "" if it did not */
	int64_t started, last; /* ns since the epoch: its beginning, and its newest line */
	int64_t tasks, succeeded, failed;
	bool alive; /* its scheduler, or one of its tasks */
};

/* 0; -ENOENT if there is no such run, -EINVAL for a hostile name, else -errno. */
int run_read(struct run *, const struct state *, const char *id) MUST_CHECK;

/* The ids of all runs whose log was written since then, in no order. */
void runs_since(const struct state *, int64_t since, struct strs *ids);

#endif
