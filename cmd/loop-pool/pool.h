/* pool: the workers of a queue, each a process in a slot, and the loop that keeps them. */
#ifndef POOL_H
#define POOL_H

#include "breaker.h"
#include "event.h"
#include "journal.h"
#include "opt.h"
#include "proc.h"
#include "queue.h"
#include "scale.h"

int run_main(const struct args *);
int status_main(const struct args *);
extern const struct opt run_options[], status_options[];

struct choices {
	struct scale_rules rules;
	int64_t every, lease, timeout, patience;
	const char *breaker, *store;
	bool raw;
};
extern struct choices choices;

enum slot_state {
	SLOT_FREE,
	SLOT_RUNNING,
	SLOT_LEAVING, /* told to finish what it does and to end */
	SLOT_WAITING, /* crashed: started again later */
};

struct slot {
	enum slot_state state;
	struct child child;
	int64_t since, again; /* clock_now */
	unsigned crashes;     /* in a row */
};

struct pool {
	struct queue *queue;
	const struct state *state;
	struct journal journal;
	char *const *command;
	struct slot *slot; /* choices.rules.max of them */
	struct scale scale;
	struct load load;
	struct breaker breaker;
	bool guarded, open;	/* open: the breaker is, nobody works */
	int64_t restarts, next; /* clock_now */
	int64_t done_before, looked;
	int signals, asked;
	bool draining;
};

/* How many are in this state. */
int64_t pool_count(const struct pool *, enum slot_state);

/* Starts and lets go so that there are as many as wanted; restarts what is due. */
void pool_resize(struct pool *, int64_t want, const char *why);
void pool_tick(struct pool *);
void pool_end_all(struct pool *, int sig);

/* A worker has ended. */
void slot_ended(struct pool *, struct slot *);

/* pool.*: an event in the journal. */
void PRINTF_LIKE(3, 4) pool_tell(struct pool *, const char *type, const char *format, ...);

/* pools/NAME.json: what status prints. */
void status_write(const struct pool *);

#endif
