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
#include "turn.h"

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
	int64_t seen;	 /* the id of the last event that was read; -1: none */
	struct job *job; /* begun and not forgotten, in the journal's order */
	int64_t running;
	bool retired; /* takes no further event */

	struct turn *turn;		/* among the handlers of other processes; NULL: none */
	struct journal_line next_event; /* what waits for its turn; lent by the reader */
	bool waiting;
};

struct engine {
	uv_loop_t loop;
	const struct state *state;
	struct journal journal;
	struct handler *handlers;
	uv_poll_t watch;
	uv_timer_t tick, turn; /* the second where somebody waits for his turn */
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
void engine_remove(struct engine *, struct handler *); /* out, and the caller's */
void engine_wake(struct engine *);

struct handler *engine_find(const struct engine *, const char *name); /* or NULL */

void handler_free(struct handler *);
void handler_init(struct handler *);

/* Takes over what another one is to do, which is freed; the place, counts and jobs stay. */
void handler_replace(struct handler *, struct handler *by);

/*
 * place.c: opens its journal behind what is finished under a durable name (NULL: none), a new
 * name and none where from says (NULL: now; one that is nowhere ends the program).
 */
int handler_place(struct handler *, const struct state *, const char *durable, const char *from,
	struct err *) MUST_CHECK;

/* job.c: one event in the hands of one handler. */
void job_begin(struct handler *, const struct journal_line *);
void job_kill_all(struct handler *, int sig);

/*
 * count.c: failures by subject, kept in counts/NAME.jsonl as they were at every event, so that
 * whoever goes on behind the handler's cursor goes on with the counts of that event.
 * count_open does nothing for a handler that counts none, or has them open already.
 * count_due: whether this event is the one that makes it so many; a success starts anew.
 */
void count_open(struct handler *, const struct state *);
bool count_due(struct handler *, const struct event_view *, const struct journal_line *);
void count_free(struct counts *);

/* dead.c: the dead-letter files dead/NAME.jsonl. */
int dead_add(const struct state *, const char *name, struct span event, int status,
	int64_t attempts, struct err *) MUST_CHECK;

/* An event appended again, with another type where one is given, for one handler where one is. */
int append_again(struct journal *, struct span event, const char *type, const char *handler,
	struct err *) MUST_CHECK;

#endif
