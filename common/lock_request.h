/*
 * lock_request: one lock being acquired, from the opening of its file to the
 * hold. The order of steps is what makes it safe to be killed between any two:
 * the table is only looked at and changed with the guard; the units are taken
 * from the kernel before the text says so; waiting is given up after they are.
 */
#ifndef LOCK_REQUEST_H
#define LOCK_REQUEST_H

#include "lock.h"
#include "lock_bytes.h"
#include "lock_ended.h"
#include "lock_table.h"
#include "lock_timer.h"
#include "lock_wake.h"

struct lock_request {
	const struct state *state;
	const struct lock_want *want;
	const struct lock_options *options;
	int64_t deadline;

	int fd;		  /* our description: guard, waiting, text */
	int owner;	  /* the one that will own the units: ours, or the caller's */
	int64_t capacity; /* in slots */
	struct lock_row row;
	struct lock_table table;
	struct lock_slots slots;
	struct lock_timer timer;
	int64_t arrived, next_look;
	bool told;			 /* that we wait */
	struct lock_wake wake;		 /* while we are first and have no byte to sleep on */
	struct lock_ended ended;	 /* found on the way, to be told of */
	int64_t leaving;		 /* the ticket with which we waited for what is ours now */
	int64_t ahead, token;		 /* as seen last: how many, and the next holder's */
	int64_t still_since;		 /* our units are free, and nobody takes them */
	bool nested;			 /* we wait under a hold */
	int64_t idle_ticket, idle_since; /* who was seen not to take its turn, and from when on */
};

/* Acquires as lock_acquire does; on success fd, row and slots are the caller's to keep. */
int lock_request_run(struct lock_request *, struct err *) MUST_CHECK;
void lock_request_clear(struct lock_request *); /* all but fd and slots */

/* Tells the options' tell. */
void lock_request_tell(const struct lock_request *, enum lock_news_kind, const char *text);

#endif
