/*
 * limits: what a session learns about its agent's account, all sessions of that
 * agent heed: limits/AGENT.json says until when none of them need start. Starts
 * themselves are staggered, because the agents' programs race on their own
 * files, and because a limit that is over should be tried by one before all.
 */
#ifndef LIMITS_H
#define LIMITS_H

#include "session.h"

/* Notes that the agent is limited until then (epoch seconds; 0: not known, taken as a while). */
void limits_note(const struct session *, int64_t resets_at);

/* Tells whoever started us when another attempt is worth while, if that wants to know (epoch s). */
void limits_hint(int64_t resets_at);

/*
 * Waits until the limit is over, if that is so within --quota-wait from the
 * first wait on. False, and *until in epoch seconds, if it is not, or if a
 * signal came. Without --quota-wait nothing is waited for or looked at.
 */
bool limits_wait(struct session *, int64_t *until);

struct lock;

/* Takes one of the agent's places for starting, where agent.json bounds them; NULL where not. */
struct lock *limits_start(struct session *);

#endif
