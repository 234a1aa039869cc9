/*
 * job: an answer that takes a while (many files, much of the journal) is made
 * by a thread of libuv's pool, while the loop goes on with the others.
 */
#ifndef JOB_H
#define JOB_H

#include "jscan.h"
#include "state.h"

#include <stdatomic.h>
#include <uv.h>

struct conn;

struct job {
	uv_work_t work;
	struct conn *conn; /* NULL: the client has left */
	atomic_bool left;  /* the same, for the thread */
	void (*run)(struct job *);
	/* what is asked: nothing of the connection is looked at meanwhile */
	const struct state *state;
	char *query;
	char name[129]; /* what the path leaves open */
	void *wish;	/* whatever else the handler knows; freed by wish_free */
	void (*wish_free)(void *);
	/* the answer: 200 and JSON unless run says otherwise */
	int status;
	const char *type;
	char *fields; /* further header lines, or NULL */
	struct buf body;
};

/*
 * Has the request at hand answered by run, in a thread. Where its path leaves a
 * name open that is none, it is answered with 404 and nothing is started.
 */
void job_start(struct conn *, void (*run)(struct job *), void *wish, void (*wish_free)(void *));

/* A number of the query; what is none is the default. */
int64_t job_number(const struct job *, const char *name, int64_t otherwise, int64_t max);

/* The answer is one line of text. */
void job_refuse(struct job *, int status, const char *text);

#endif
