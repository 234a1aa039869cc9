/*
 * run: one run of a plan, while it runs. Everything that happens to a task
 * passes through settle.c (what follows from an ending), job.c (attempts) and
 * log.c (what is written before it takes effect); loop.c waits.
 */
#ifndef RUN_H
#define RUN_H

#include "heap.h"
#include "id.h"
#include "journal.h"
#include "lines.h"
#include "state.h"
#include "tstate.h"

#include <sys/types.h>

/* What a run was asked to do; kept in run.json, so that resume does the same. */
struct run_options {
	int64_t jobs;
	int64_t attempts;    /* 0: as the plan says */
	int64_t timeout;     /* of the whole run; ns, 0: none */
	int64_t grace;	     /* between SIGTERM and SIGKILL */
	int on_failure;	     /* an index into on_failure_words */
	const char *command; /* for tasks without one of their own; may be NULL */
	const char *dir;     /* where tasks run; absolute */
	const char *source;  /* the user's plan, absolute; NULL: none to write back to */
	enum form form;	     /* of the source */
	bool imported;	     /* it has "passes" to be written back */
	bool verbose;
};

enum { ON_FAILURE_CONTINUE,
	ON_FAILURE_STOP };
extern const char *const on_failure_words[];

/* A task while the plan runs. */
struct node {
	uint8_t state;	   /* enum tstate */
	bool queued;	   /* in the heap of the ready or of the delayed, or held */
	uint16_t attempt;  /* the last one begun; folders are never used twice */
	uint16_t failures; /* that count against the attempts */
	uint32_t waiting;  /* needs that have not ended */
	int64_t rank;	   /* work from here to the end by the longest way */
	int32_t priority;
	int64_t due;	 /* when it is tried again (clock_now) */
	struct job *job; /* while it runs */
};

enum ending { ENDS_ITSELF,
	ENDS_TIMEOUT,
	ENDS_STALL,
	ENDS_CANCEL };

/* An attempt that runs. */
struct job {
	uint32_t task;
	pid_t pid; /* 0: the slot is free; it leads its own session */
	int64_t started, deadline;
	int64_t stall_at;
	off_t output;	    /* bytes written, when last looked at */
	enum ending ending; /* why we end it */
	bool killed;	    /* SIGKILL was sent */
	uint32_t *held;	    /* ready tasks that wait for this one's files */
	size_t held_count, held_capacity;
};

struct run {
	struct run_options options;
	struct plan plan;
	struct state state;
	struct journal journal;
	char *id;
	char *path;	   /* absolute, of its folder */
	char *subject;	   /* the plan's name as an event's subject can hold it */
	int folder, tasks; /* descriptors of it and of its tasks/ */
	int log, signals, control;
	struct buf lines;   /* of run.jsonl, not yet written */
	struct buf records; /* events, not yet appended */
	size_t *record_end; /* where each ends */
	size_t record_count, record_capacity;
	int64_t synced;
	struct lines commands; /* from the control FIFO */
	struct node *node;
	struct heap ready, delayed; /* of struct node */
	struct job *job;
	uint32_t running, left; /* tasks that run; that have not ended */
	uint32_t count[TSTATES];
	char **env; /* ours without what is set for each task */
	size_t env_count;
	bool paused, cancelling, stopping, broken;
	int signal; /* that ended us */
	int64_t started, deadline;
};

/* setup.c: a new run's folder, or an old one's; ends the program if it cannot be. */
void run_create(struct run *, const char *id, const char *plan_file);
void run_reopen(struct run *, const char *id);
void run_prepare(struct run *); /* nodes, ranks, environment, signals, control */

/* settle.c */
void settle_begin(struct run *); /* counts needs; what is done is skipped, what can run is ready */
void settle(struct run *, uint32_t task, enum tstate, const char *reason);
void make_ready(struct run *, uint32_t task);
bool may_start(const struct run *);

/* job.c */
void start_ready(struct run *);
void job_reaped(struct run *, struct job *, int wait_status);
void job_end(struct run *, struct job *, enum ending); /* asks it to end */
void job_tick(struct run *, struct job *, int64_t now);
struct job *job_of(struct run *, pid_t);
int64_t job_deadline(const struct job *);
void end_leftovers(struct run *, pid_t leader, const char *marker);

/* make.c: what an attempt is started with */
struct attempt {
	struct strs argv; /* empty: there is nothing to run */
	struct strs env;
	char *dir;
	char marker[320]; /* in its environment: what it leaves behind is known by it */
};
void attempt_make(struct run *, uint32_t task, struct attempt *);
void attempt_clear(struct attempt *);

/* log.c */
void log_run(struct run *, const char *what);
void log_task(struct run *, uint32_t task, const char *members);
void log_flush(struct run *);
void event_task(struct run *, uint32_t task, const char *type, const char *members);
void event_run(struct run *, const char *type, const char *members);

/* loop.c */
void run_loop(struct run *);

/* finish.c: what is written and said at the end; the exit status */
int run_end(struct run *);

/* passes.c: writes into the user's plan that this task's story passes. */
int passes_write(struct run *, uint32_t task, struct err *) MUST_CHECK;

/* control.c */
void control_read(struct run *);
void cancel_all(struct run *);

/* fold.c: what run.jsonl tells. */
struct past {
	uint8_t state;
	uint16_t attempt;
	uint16_t failures;
	int32_t status;
	pid_t pid;
	uint64_t start;
	int64_t ms, since; /* of the last attempt; when the state began (clock_real) */
};
struct fold {
	struct past *task; /* as the plan's tasks */
	struct owner runner;
	int64_t jobs, started, ended; /* clock_real; 0: not */
	bool paused, cancelling;
	char state[16]; /* of the ended run; else empty */
};
int fold_read(struct fold *, const struct plan *, int folder, struct err *) MUST_CHECK;
void fold_clear(struct fold *);

#endif
