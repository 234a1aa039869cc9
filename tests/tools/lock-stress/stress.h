/*
 * stress: what the parts of lock-stress share. Workers are processes; the board is
 * memory of all of them, in which the referee, who knows everything, keeps the score.
 */
#ifndef STRESS_H
#define STRESS_H

#include "clock.h"
#include "die.h"
#include "lock.h"

#include <stdatomic.h>

enum { LOCKS = 8,
	PROCESSES = 1024,
	LEVELS = 4,
	LEVEL_BASE = 50, /* of priority; a point of it is worth LEVEL_WAIT of waiting */
	BUCKETS = 128 };

#define LEVEL_WAIT (60 * NS_PER_S / 25)
#define ENROLLED_AFTER (NS_PER_S / 4) /* in the queue by then, however loaded the machine is */

struct mode {
	const char *name;
	int locks, wants; /* of how many locks how many are taken */
	int64_t capacity, units;
	int shared_percent;
	bool nested, levels, queue;
};

struct settings {
	const struct mode *mode;
	int64_t processes, seconds, kill_ms, stop_ms, hold_us, idle, seed;
	int64_t dies, halts; /* one round of so many is ended or stopped at a system call */
};

enum holding {
	HOLDS_NOT,
	HOLDS_SHARED,
	HOLDS_ALONE,
};

struct worker {
	_Atomic pid_t pid;
	_Atomic int64_t since;	/* it waits; 0: it does not */
	_Atomic unsigned wants; /* of which locks: a bit each */
	_Atomic int level;
	bool hit; /* the referee's: a kill is on its way */
	/* Nested only. */
	_Atomic bool shares; /* what it waits for */
	_Atomic bool victim; /* it gave up, and is about to let go */
	_Atomic int holds[LOCKS];
};

struct level {
	_Atomic int64_t waits, total, longest;
};

struct board {
	_Atomic pid_t owner[LOCKS][LOCK_CAPACITY_MAX];
	_Atomic int64_t released[LOCKS]; /* last */
	_Atomic int64_t freed[LOCKS];	 /* the same, until somebody takes it */
	_Atomic int64_t started;	 /* the last worker that took the place of a dead one */
	_Atomic int64_t acquisitions, violations, failures, passed, victims, phantoms, longest;
	_Atomic int64_t hand_overs, bucket[BUCKETS];
	struct level level[LEVELS];
	struct worker worker[PROCESSES];
};

extern struct settings settings;
extern struct board *board;

/* The worker's own. */
void NORETURN worker_run(struct worker *, const struct state *, unsigned number);
int random_below(int n);

/* Who owns what (owners.c). */
bool process_lives(pid_t);
bool lock_is_owned(int lock);
void claim(const struct lock *, size_t i, const struct lock_want *, int which);
void disclaim(const struct lock *, size_t i, const struct lock_want *, int which);
void claim_nested(struct worker *, int which, bool shared);
void disclaim_nested(struct worker *, int which);

/* Deadlocks (cycles.c): when the oldest cycle formed that leads through a worker; 0: none does. */
int64_t cycle_since(const struct worker *, int64_t tolerance);
#define ORDER_TOLERANCE (20 * NS_PER_MS) /* who stands ahead is known by the clock only */
void judge_victim(struct worker *);
void open_court(const struct state *); /* before there are workers */

/* The score (score.c). */
void raise_to(_Atomic int64_t *most, int64_t value);
void count_hand_over(int which, int64_t began);
void count_level(int level, int64_t began);
int score_print(int64_t lost);

/* Ends or stops this process at its n-th system call from now (faults.c). */
void fault_after(int calls, int signal);

/* Kills, stops and starts anew, for as long as is set; how many wake-ups were lost (trouble.c). */
int64_t make_trouble(const struct state *);

/* All wait for one hold, which passes through them once (queue.c). */
int run_queue(const struct state *);

#endif
