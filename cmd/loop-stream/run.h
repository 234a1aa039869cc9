/*
 * run: what runs/ID says of a run: its plan, and the state of each task as the
 * scheduler's log tells it. Only read here.
 */
#ifndef RUN_H
#define RUN_H

#include "buf.h"
#include "err.h"
#include "id.h"
#include "lines.h"
#include "map.h"
#include "mem.h"
#include "state.h"

#include <jansson.h>

/* What a state means to somebody who watches. */
enum task_phase { TASK_WAITING,
	TASK_ACTIVE,
	TASK_GOOD,
	TASK_BAD,
	TASK_IDLE /* over, and neither good nor bad: skipped, cancelled, undone */ };

struct task_state {
	const char *name;
	enum task_phase phase;
};

struct task {
	const char *id, *title;
	const struct task_state *state;
	int64_t attempt;
	int64_t since;	  /* clock_real of the last change */
	int64_t duration; /* of the last attempt, ns; 0: not known */
	int64_t delay;	  /* until the next attempt, ns */
	int64_t status;	  /* exit status of the last attempt; -1: none */
	size_t criteria;
	char reason[64];
	/* From the journal. */
	char activity[64]; /* what its agent does */
	size_t met, checks, checks_failed;
	int64_t cost; /* millionths of a dollar, of all its sessions */
};

struct run {
	int dir; /* runs/ID */
	int log; /* run.jsonl */
	struct lines lines;
	struct arena arena;
	struct map by_id;
	struct task *task;
	size_t count;
	char id[129];
	char plan[256];
	struct owner owner; /* the scheduler, as the log says; pid 0: not known */
	int64_t started;    /* clock_real; 0: not yet */
	int64_t ended;	    /* clock_real; 0: goes on */
	char outcome[32];   /* "succeeded", once it has ended */
	int64_t retries;
	bool paused, held, cancelling;
};

/* -ENOENT where it has no plan and log (yet); -EINVAL with the reason for a plan that is none. */
int run_open(struct run *, const struct state *, const char *id, struct err *) MUST_CHECK;
void run_close(struct run *);

/* The same of a plan that was got elsewhere: what its log says is given by run_take. */
int run_of_plan(struct run *, const char *id, const json_t *plan, struct err *) MUST_CHECK;

/*
 * Takes in what the log has grown by; each change is told, with the task, or
 * with NULL where it is one of the run itself. The number of changes, or -errno.
 */
typedef void run_changed(void *context, struct run *, struct task *);
int run_read(struct run *, run_changed *, void *context) MUST_CHECK;
int run_take(struct run *, const char *bytes, size_t length, run_changed *, void *context);

/* How many tasks are in a phase. */
size_t run_count(const struct run *, enum task_phase);

#endif
