/* errand: a job as a worker has it: what it says, and the folder it is worked in. */
#ifndef ERRAND_H
#define ERRAND_H

#include "buf.h"
#include "err.h"
#include "state.h"

struct errand {
	char *job; /* its name */
	char *dir; /* where the command runs; NULL: where we do */
	struct strs argv, env;
	struct strs back;			   /* variables of files that are wanted back */
	int64_t timeout, stall, kill_after, lease; /* ns; 0: none */
	char *path;				   /* of its folder, absolute */
	int folder, out, error;			   /* descriptors */
};

/*
 * Reads the job, makes the folder, jobs/NAME in the state directory, and puts into it what
 * was sent along. -EINVAL: it is no job; -ENOTSUP: of a newer version.
 */
int errand_open(struct errand *, const struct state *, const char *name, const struct buf *job,
	struct err *) MUST_CHECK;

/* What it left, as pieces of an answer; 1: some of it is too large, and stays in the folder. */
int errand_gather(const struct errand *, struct buf *answer);

/* The last of what it says of its progress, for a note. */
void errand_progress(const struct errand *, struct buf *note);

/* A number that changes whenever it shows that it is at work. */
int64_t errand_life(const struct errand *);

/* Removes the folder unless it is to be kept. */
void errand_close(struct errand *, const struct state *, const char *name, bool keep);

#endif
