/*
 * remote: tasks that run where a worker of a queue is (--on queue:NAME). An attempt's
 * process is then "loop-job call", which puts the job and waits; its name is the run's own and
 * the attempt's, so that an attempt that is taken up again after a crash is not put twice.
 */
#ifndef REMOTE_H
#define REMOTE_H

#include "run.h"

/* Cuts "queue:" off; dies with usage where it is something else. */
const char *remote_queue(const char *on);

/*
 * Puts "loop-job call" in front of a command, and in front of that, where hosts share locks,
 * those of the task's resources; folder is the attempt's own, in the run's.
 */
void remote_wrap(struct run *, uint32_t task, enum purpose, const char *folder,
	struct strs *argv);

/* What the worker said of the end, where it is more than the status: a state and a reason. */
void remote_judge(struct run *, struct job *, enum tstate *, const char **reason);

/* Tells the calls where the queue is: the store that the options name, else LOOP_STORE. */
void remote_store(struct run_options *);

/* That store's address, where it is a Redis that hosts share; else NULL. */
const char *remote_redis(const struct run_options *);

/* Ends the program where that store is not to be had: nothing could be run. */
void remote_reach(const struct run_options *);

#endif
