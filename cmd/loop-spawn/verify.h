/*
 * verify: evidence instead of claims. Each command is run where the agent
 * worked; its exit status decides.
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "session.h"

/* Runs them until one fails; what they said is in session->verified. A verdict of failure replaces
 * *v. */
void verify_run(struct session *, struct verdict *v);

#endif
