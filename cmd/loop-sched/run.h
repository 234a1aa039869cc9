/*
 * run: one run of a plan, while it runs. Everything that happens to a task
 * passes through settle.c (what follows from an ending), job.c (attempts) and
 * log.c (what is written before it takes effect); loop.c waits.
 */
#ifndef RUN_H
#define RUN_H

#include "fuse.h"
#include "gates.h"
#include "history.h"
#include "heap.h"
#include "hold.h"
#include "id.h"
#include "journal.h"
#include "jobserver.h"
#include "lines.h"
#include "lock.h"
#include "pace.h"
#include "slot.h"
#include "state.h"
#include "tstate.h"

#include <sys/types.h>

/* What a run was asked to do; kept in run.json, so that resume does the same. */
struct run_options {
	int64_t jobs;	  /* at most so many at once */
	int64_t min_jobs; /* 0: always so many; else the least to which it may fall */
	int64_t attempts; /* 0: as the plan says */
	int64_t retries;  /* in the whole run; -1: no bound */
	int64_t timeout;  /* of the whole run; ns, 0: none */
	int64_t grace;	  /* between SIGTERM and SIGKILL */
	int on_failure;	  /* an index into on_failure_words */
	const char *launcher;
	const char *queue;    /* whose workers run the tasks; NULL: they run here */
	const char *store;    /* of the queue; NULL: it has a password, and is not kept */
	const char *ticket;   /* tells this run's jobs from those of others of its name */
	const char *never_on; /* statuses not to be tried again, a JSON array; may be NULL */
	bool jobserver;
	struct room least;   /* without so much nothing is started */
	const char *command; /* for tasks without one of their own; may be NULL */
	const char *dir;     /* where tasks run; absolute */
	const char *source;  /* the user's plan, absolute; NULL: none to write back to */
	enum form form;	     /* of the source */
	bool imported;	     /* it has "passes" to be written back */
	bool verbose;
};

enum { ON_FAILURE_CONTINUE,
	ON_FAILURE_STOP,
	ON_FAILURE_UNDO };
extern const char *const on_failure_words[];

/* Whether a task's "when" was asked; its attempt then has its number already. */
enum asked { NOT_ASKED,
	JUST_ASKED,
	WAS_ASKED };

/* A task while the plan runs. */
struct node {
	uint8_t state;	   /* enum tstate */
	uint8_t asked;	   /* enum asked */
	bool spared;	   /* the last attempt met a limit, and does not count */
	bool concluded;	   /* its end was told, with the figures of its attempt */
	bool reopened;	   /* it asked before we were resumed: the same gate is meant */
	bool untold;	   /* that it passes could not be written into the user's plan yet */
	uint16_t attempt;  /* the last one begun; folders are never used twice */
	uint16_t done_by;  /* the attempt that succeeded */
	uint16_t failures; /* that count against the attempts */
	uint32_t waiting;  /* needs that have not ended */
	uint32_t ms;	   /* of the attempt that succeeded */
	uint32_t finished; /* its number among the run's successes; undone in reverse */
	int32_t priority;
	int64_t rank;	 /* work from here to the end by the longest way */
	int64_t due;	 /* when it is tried, or its gate looked at, again (clock_now) */
	int64_t give_up; /* when no further attempt begins; NS_FOREVER */
	struct job *job; /* while it runs */
};

enum ending { ENDS_ITSELF,
	ENDS_TIMEOUT,
	ENDS_STALL,
	ENDS_CANCEL };

/* What a process of a task is for. */
enum purpose { TO_RUN,
	TO_ASK, /* its "when" */
	TO_UNDO };

/* An attempt that runs. */
struct job {
	uint32_t task;
	enum purpose purpose;
	pid_t pid; /* 0: the slot is free; it leads its own session */
	int64_t started, deadline;
	int64_t stall_at;
	int64_t output;	    /* what it had shown of itself, when last looked at */
	enum ending ending; /* why we end it */
	struct slot slot;   /* where it works, unless it is the attempt's own folder at once */
	struct fuse fuse;
	struct lock *lock; /* the resources that it holds; may be NULL */
	uint32_t *held;	   /* ready tasks that wait for this one's files */
	size_t held_count, held_capacity;
};

/* The saga: what succeeded is undone, last first, one by one. */
struct undo {
	bool wanted, begun, ended;
	bool alone;	/* the run goes on only to be undone */
	uint32_t *task; /* in the order of undoing */
	uint32_t count, next;
	unsigned tries; /* of the one that is being undone */
	int64_t due;	/* when it is tried (again) */
};

struct run {
	struct run_options options;
	struct plan plan;
	struct plan before; /* one that was replaced: its texts are lent to the options */
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
	off_t written; /* the length of run.jsonl */
	int64_t synced, appended;
	struct lines commands; /* from the control FIFO */
	struct node *node;
	struct heap ready, delayed; /* of struct node */
	struct heap starved;	    /* ready, but what they ask for is taken */
	int64_t starved_until;	    /* when they are tried again, whatever happens */
	struct job *job;
	unsigned slots;		/* names given to slots */
	uint32_t running, left; /* tasks that run; that have not ended */
	uint32_t finals;	/* of those left, the final ones */
	uint32_t count[TSTATES];
	char **env; /* ours without what is set for each task */
	size_t env_count;
	bool paused, cancelling, stopping, broken;
	bool finishing; /* only final tasks are started now */
	bool killed;	/* told twice to end: nothing at all is started */
	bool *anew;	/* tasks that the plan now has otherwise, and what needs them; NULL: none */
	uint32_t retries, successes;
	struct history history; /* kept where the run predicts its end */
	double calibration;	/* how much wider predictions are made */
	uint32_t quarter;	/* of the tasks that had ended at the last one */
	struct undo undo;
	struct gates gates;
	struct pace pace;
	struct hold hold;
	struct jobserver tokens;
	int signal; /* that ended us */
	int64_t started, deadline;
};

/* folder.c: 0, or -1 and errno as fcntl; EAGAIN: another process runs the run */
int lock_record(int fd) MUST_CHECK;

/* A new run's folder, or an old one's; ends the program if it cannot be. */
void run_create(struct run *, const char *id, const char *plan_file);
void run_reopen(struct run *, const char *id);
void run_write_plan(struct run *);

/* What run.json says of the room that is to be left. */
struct room run_least(struct span options);

/* prepare.c */
void run_prepare(struct run *); /* nodes, ranks, environment, signals, control */

/* settle.c */
void settle_begin(struct run *); /* counts needs; what is done is skipped, what can run is ready */
void settle(struct run *, uint32_t task, enum tstate, const char *reason);
void make_ready(struct run *, uint32_t task);
bool goes_on(const struct run *);   /* whether anything more is to be tried */
bool may_start(const struct run *); /* and now: it is not paused */
void begin_finals(struct run *);

/* fan.c */
/* False: it makes no tasks, and is one to run. */
bool fan_out(struct run *, uint32_t task);
enum tstate fan_state(const struct run *, uint32_t task); /* once all it made have ended */

/* job.c */
bool job_start(struct run *, uint32_t task, enum purpose);
enum purpose first_purpose(const struct run *, uint32_t task);
/*
 * Begins an attempt: what is written before anything is done is that it will be. False if
 * that could not be written; then it is taken back: the node is what it was before.
 */
bool announce(struct run *, uint32_t task, enum purpose);
void retract(struct run *, uint32_t task, const struct node *before);
/* Of what begins: its title and attempt, for its event. */
void event_started(struct run *, uint32_t task);
void start_ready(struct run *);
void job_reaped(struct run *, struct job *, int wait_status);
void job_end(struct run *, struct job *, enum ending); /* asks it to end */
void job_tick(struct run *, struct job *, int64_t now);
struct job *job_of(struct run *, pid_t);
int64_t job_deadline(const struct job *);
void end_leftovers(struct run *, pid_t leader, const char *marker);

/* outcome.c */
enum tstate job_judge(const struct job *, int status, const char **reason);
void conclude(struct run *, uint32_t task, enum tstate, int status, const char *reason, int64_t ms);
/* When the last attempt said that it is worth trying again (clock_real); 0: it did not. */
int64_t read_hint(const struct run *, uint32_t task);
void log_outcome(struct run *, uint32_t task, int status, const char *reason, int64_t ms);

/* undo.c */
bool undo_begin(struct run *); /* false: there is nothing to undo */
void undo_step(struct run *);
void undo_ended(struct run *, uint32_t task, int status, const char *reason, int64_t ms);

/* launch.c: -errno, as proc_spawn's, if it cannot be started */
struct child;
/* The task's folder, made with its first attempt, and the attempt's own in it. */
int attempt_folder(struct run *, const struct task *, unsigned attempt, struct err *) MUST_CHECK;
int attempt_launch(struct run *, uint32_t task, enum purpose, struct child *, struct err *);

/* make.c: what an attempt is started with */
struct attempt {
	struct strs argv; /* empty: there is nothing to run */
	struct strs env;
	char *dir;
	char folder[320]; /* of its own, in the run's */
	char task_file[320];
	char marker[320]; /* in its environment: what it leaves behind is known by it */
};
/* The slot that it works in; NULL: it works in its own folder, which is there. */
void attempt_make(struct run *, uint32_t task, enum purpose, const struct slot *,
	struct attempt *);
void attempt_clear(struct attempt *);

/* log.c */
void log_run(struct run *, const char *what);
void log_task(struct run *, uint32_t task, const char *members);
void log_write(struct run *);		/* run.jsonl: before what it says takes effect */
void log_flush(struct run *, bool now); /* and the journal, now or when that is due */
int64_t log_due(const struct run *);
void event_task(struct run *, uint32_t task, const char *type, const char *members);
void event_run(struct run *, const char *type, const char *members);
void event_need(struct run *, const char *why); /* a human has to do something for the run */

/* forecast.c: predictions are recorded as the run goes on; takes over the history. */
void forecast_begin(struct run *, struct history *);
void forecast(struct run *);

/* loop.c */
void run_loop(struct run *);
void run_write_out(struct run *); /* waits until it is all written; a signal ends the waiting */

/* finish.c: what is written and said at the end; the exit status */
int run_end(struct run *);

/* passes.c: writes into the user's plan that this task's story passes. */
int passes_write(struct run *, uint32_t task, struct err *) MUST_CHECK;

/* outcome.c: the same, as soon as there is room for it; says what is wrong. -errno */
int passes_tell(struct run *, uint32_t task);

/* control.c */
void control_read(struct run *);
void cancel_all(struct run *);

/* fold.c: what run.jsonl tells. */
struct past {
	uint8_t state;
	uint16_t attempt, done_by, failures;
	int32_t status;
	pid_t pid;
	uint64_t start;
	uint32_t finished; /* as the node's */
	int64_t ms, since; /* of the last attempt; when the state began (clock_real) */
};
struct fold {
	struct past *task; /* as the plan's tasks */
	struct owner runner;
	int64_t jobs, started, ended; /* clock_real; 0: not */
	bool paused, cancelling, undoing, undone;
	uint32_t successes, retries;
	char state[16]; /* of the ended run; else empty */
	char held[256]; /* why nothing is started; else empty */
};
int fold_read(struct fold *, const struct plan *, int log, struct err *) MUST_CHECK;
void fold_clear(struct fold *);

#endif
