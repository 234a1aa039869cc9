/*
 * ledger: what all sessions of a state directory have cost. Before a session
 * starts it reserves what it may cost, under a lock, so that sessions which
 * start at once do not spend the same money; when it ends it settles. What was
 * reserved and never settled, because somebody pulled the plug, counts in full.
 */
#ifndef LEDGER_H
#define LEDGER_H

#include "session.h"

/*
 * With --total-budget: reserves --budget, or what a session cost so far on
 * average (a dollar if nobody knows). False with *v filled in if that is more
 * than is left.
 */
bool ledger_reserve(struct session *, struct verdict *v);

/* Writes down what it cost, if anybody said. */
void ledger_settle(struct session *);

#endif
