/*
 * job: one claimed item and the command that works on it: started with the body
 * on its standard input, its lease renewed, ended when it takes too long or the
 * lease is lost.
 */
#ifndef JOB_H
#define JOB_H

#include "breaker.h"
#include "proc.h"
#include "queue.h"

struct work_how {
	char *const *command;
	int64_t lease;	     /* 0: the item's own */
	int64_t timeout;     /* ns; NS_FOREVER */
	int64_t error_delay; /* -1: by the tries */
};

struct job {
	bool busy;
	struct item item; /* its body is not kept */
	struct child child;
	int64_t renew, timeout; /* clock_now */
	int64_t lease_end;	/* clock_now: nobody else has it before */
	bool lost;		/* the lease is somebody else's */
	bool timed_out;
	bool given_up; /* we were told to end it: this was no try */
	struct permit permit;
};

/* Starts the command. Where that cannot be, the item has been given back. */
void job_start(struct job *, struct queue *, const struct work_how *, const struct item *);

/* What is due; the next time that something is. */
void job_tick(struct job *, struct queue *);
int64_t job_next(const struct job *);

/* Asks the command to end, and says that it must soon. */
void job_end(struct job *, bool give_up);

/*
 * The command has ended: whatever it left is ended too, except the other jobs (spare), and
 * the item is settled by its status, which is returned (128 + N for a signal).
 */
int job_finish(struct job *, struct queue *, const struct work_how *, const pid_t *spare,
	size_t spare_count);

#endif
