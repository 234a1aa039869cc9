/*
 * breaker: a circuit breaker that all processes naming it share. While it is
 * closed, calls go through and their outcomes are counted; too many failures
 * open it, and nobody calls for a cooldown; then it is half open: one call at a
 * time is let through as a probe, and enough successes in a row close it.
 *
 *	closed -> open -> half_open -> closed
 *	            ^---------'
 *
 * The state is one JSON file, breakers/NAME.json, replaced whole under a
 * flock(2) on breakers/.NAME.lock, which the kernel frees. A change of state waits for
 * the disk; the outcomes that a closed breaker counts do not. A file that is torn, as a
 * power cut may leave it then, or was edited wrongly is put aside as NAME.json.damaged,
 * and the breaker starts anew.
 * For many hosts it is kept in Redis instead (breaker_redis.h).
 *
 * Source: M. Nygard, "Release It!"; the windows and permits of resilience4j, the
 * generation of gobreaker.
 */
#ifndef BREAKER_H
#define BREAKER_H

#include "err.h"
#include "id.h"
#include "parse.h"
#include "state.h"

enum breaker_state {
	BREAKER_CLOSED,
	BREAKER_OPEN,
	BREAKER_HALF_OPEN,
	BREAKER_HELD,	  /* open until a human resets it */
	BREAKER_OBSERVED, /* outcomes are counted, and it never opens */
};

/*
 * Members that are 0 are as the file says, else the defaults; what a caller does say is
 * written into the file and holds for all from then on.
 */
struct breaker_settings {
	double rate;	      /* failures by calls at which it opens (0.5) */
	int64_t consecutive;  /* failures in a row that open it whatever the rate is (5) */
	int64_t window;	      /* how many outcomes are looked at (20) */
	int64_t min_calls;    /* fewer outcomes say nothing about the rate (5) */
	int64_t max_age;      /* older outcomes are forgotten (15 min) */
	int64_t cooldown;     /* first time open (60 s); doubled at each re-opening, +-20 % */
	int64_t cooldown_cap; /* and never longer than this (30 min) */
	int64_t probes;	      /* successes in a row that close it (2) */
	int64_t lease;	      /* a probe that is not renewed for so long is lost (60 s) */
};

enum { BREAKER_WINDOW_MAX = 1000 };

/* A hint further away than this is not believed. */
#define BREAKER_HINT_MAX (31 * 24 * 3600 * NS_PER_S)

struct breaker {
	const struct state *state; /* lent */
	char name[129];
	struct breaker_settings wanted;
	struct breaker_place *place; /* where it is kept, other than in a file; NULL */
	bool repaired;		     /* a damaged file was put aside: worth a warning */
};

/* -EINVAL for a name that is none, or settings out of bounds. Touches no file. */
int breaker_init(struct breaker *, const struct state *, const char *name,
	const struct breaker_settings *, struct err *) MUST_CHECK;

/* The right to make one call. Its outcome counts only in the generation it was given in. */
struct permit {
	int64_t generation;
	char lease[9]; /* of a probe; empty: an ordinary call */
	enum breaker_state state;
	/*
	 * clock_real at which a probe is lost unless it is renewed, or to ask again where
	 * there is no permit (NS_FOREVER: when the file changes).
	 */
	int64_t again;
};

/*
 * 1: go ahead, and say with breaker_record what came of it; 0: not now. A probe
 * belongs to this process (pid, start time, boot): if that ends, or does not
 * renew in time, the probe counts as a failure. While the breaker is closed
 * nothing is written; else it may wait 2 s for the lock (-ETIMEDOUT). A change of
 * state is an event in the journal, at least once: breaker.opened, breaker.half_open,
 * breaker.closed.
 */
int breaker_allow(struct breaker *, struct permit *, struct err *) MUST_CHECK;

/* Keeps a probe alive; does nothing for other permits. 0: it is not valid any more. */
int breaker_renew(struct breaker *, struct permit *, struct err *) MUST_CHECK;

enum outcome {
	OUTCOME_OK,
	OUTCOME_FAILED,
	OUTCOME_IGNORED, /* says nothing about what is called: a wrong option, a user's ^C */
};

/*
 * 1: counted; 0: too late, the state has changed since. hint is clock_real at
 * which the one called wants to hear from us again (0: it did not say): when the
 * breaker opens, it stays open until then.
 */
int breaker_record(struct breaker *, const struct permit *, enum outcome, int64_t hint,
	struct err *) MUST_CHECK;

/*
 * By hand: CLOSED resets it and forgets its outcomes, OPEN trips it until that
 * clock_real (0: for one cooldown), HELD and OBSERVED stay until the next call of
 * this. Calls that are under way do not count any more.
 */
int breaker_force(struct breaker *, enum breaker_state, int64_t until, const char *why,
	struct err *) MUST_CHECK;

/* What the file says, settings filled in. */
struct breaker_view {
	enum breaker_state state;
	int64_t generation, since, until;  /* until: 0 where there is none */
	int64_t reopened;		   /* how often in a row a probe failed */
	int64_t passed;			   /* probes that succeeded in this half-open state */
	int64_t calls, failures, in_a_row; /* in the window */
	struct owner prober;		   /* pid 0: no probe is out */
	struct breaker_settings settings;
	char why[160]; /* it is not closed; empty if nobody said */
};

/*
 * Reads without a lock. A breaker nobody has used yet is closed; -EINVAL for a
 * damaged file.
 */
int breaker_read(const struct breaker *, struct breaker_view *, struct err *) MUST_CHECK;

const char *breaker_state_name(enum breaker_state) __attribute__((const));

#endif
