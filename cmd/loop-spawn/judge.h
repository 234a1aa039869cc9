/*
 * judge: what an attempt comes to. In this order: why we ended it; what the
 * agent's last terminal event says; the wait status; and where a listening
 * agent ended without a word, malformed.
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "tally.h"
#include "timing.h"

enum cause { STILL_NONE,
	ENDED_STALLED,
	ENDED_TIMEOUT,
	ENDED_BUDGET,
	ENDED_TURNS,
	ENDED_BY_SIGNAL,
	ENDED_LINGERING };

/* How it ended, as far as we did it or saw it. */
struct ended {
	enum cause cause;
	int wait_status;
	int signal;	      /* that we were sent */
	enum step step;	      /* whose clock ran out */
	int64_t silent;	      /* how long nothing had been heard then */
	bool heard;	      /* a line on stdout */
	char last_words[400]; /* the last line of stderr, else the first noise on stdout */
};

struct verdict judge(const struct session *, const struct tally *, const struct ended *);

#endif
