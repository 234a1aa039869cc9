/*
 * handler: runs a command, or does something else, for every event of a kind.
 * Each handler has its own place in the journal and reads on only when it has
 * a job free: one that is slow, hangs or fails keeps nobody else waiting and
 * holds nothing in memory.
 */
#ifndef HANDLER_H
#define HANDLER_H

#include "backoff.h"
#include "cursor.h"
#include "filter.h"
#include "journal.h"
#include "proc.h"

#include <uv.h>

struct engine;
struct job;

/* What becomes of an event. */
struct target {
	char *const *command; /* run, the event on its standard input; or NULL and */
	const char *type;     /* append it again as this type; or */
	const char *dead;     /* put it into this dead-letter file */
};

struct handler {
	struct handler *next; /* by order, the smallest first */
	struct engine *engine;
	char *name;
	char source[160]; /* of the events that it makes itself, which are not for it */
	struct filter filter;
	struct target target;
	bool owns_target; /* its texts are freed with it */
	int64_t order, jobs, retries, timeout;
	struct backoff backoff;
	int64_t after_failures; /* 0: at once */
	struct counts *counts;	/* of failures, by subject */

	struct journal_reader *reader;
	struct cursor cursor;
	struct job *job; /* begun and not forgotten, in the journal's order */
	int64_t running;
	bool retired; /* takes no further event */
};

struct engine {
	uv_loop_t loop;
	const struct state *state;
	struct journal journal;
	struct handler *handlers;
	uv_poll_t watch;
	uv_timer_t tick;
	uv_idle_t work;
	uv_signal_t term, interrupt, hup;
	struct journal_reader *watcher;
	int (*reload)(struct engine *);
	int64_t left;	 /* events to handle before it ends; -1: no end */
	bool ending;	 /* signalled once */
	uint64_t failed; /* events given up */
};

int engine_open(struct engine *, const struct state *, struct err *) MUST_CHECK;
void engine_run(struct engine *);
void engine_close(struct engine *);

/* Puts it in by its order; the engine frees it when it is retired and has no job left. */
void engine_add(struct engine *, struct handler *);
void engine_wake(struct engine *);

void handler_free(struct handler *);
void handler_init(struct handler *);

/* job.c: one event in the hands of one handler. */
void job_begin(struct handler *, const struct journal_line *);
void job_kill_all(struct handler *, int sig);

/* count.c: whether this event is the one that makes it so many failures; a success starts anew. */
bool count_due(struct handler *, const struct event_view *, struct span line);
void count_free(struct counts *);

/* dead.c: the dead-letter files dead/NAME.jsonl. */
int dead_add(const struct state *, const char *name, struct span event, int status,
	int64_t attempts, struct err *) MUST_CHECK;

/* An event appended again, with another type where one is given, for one handler where one is. */
int append_again(struct journal *, struct span event, const char *type, const char *handler,
	struct err *) MUST_CHECK;

#endif
