/*
 * budget: what a session may use, in dollars or tokens, over all its attempts:
 * the agents' own sums start anew with each process, or go on where they should
 * not. A cost that nobody tells is unknown, and exceeds nothing; what is known
 * of a sum counts.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include "session.h"

/* "5", "0.25" (dollars) or "200000tok", "200Ktok"; dies on anything else that this option says. */
void budget_check(const char *option, const char *text);

bool budget_in_tokens(const char *text);

/* In millionths of a dollar; -1 if there is none, or it is in tokens. */
int64_t budget_micros(const char *text);

bool budget_exceeded(const struct session *, const struct usage *attempt);

/* Adds what is left in dollars ("4.25"); nothing where the budget is none or in tokens. */
void budget_left(const struct session *, struct buf *);

void usage_add(struct usage *sum, const struct usage *more);

#endif
