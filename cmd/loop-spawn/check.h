/*
 * check: whether an agent can run here, and why not.
 */
#ifndef CHECK_H
#define CHECK_H

/* Prints what there is or what is missing; the exit status: 0 or 1. */
int check_agent(const char *name);

#endif
