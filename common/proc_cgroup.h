/*
 * proc_cgroup: a cgroup (v2) for what is contained, where one may be made: it
 * ends whole trees at once, whatever they did to their parents. Where none may
 * be made, all of this does nothing.
 */
#ifndef PROC_CGROUP_H
#define PROC_CGROUP_H

#include "base.h"

/* Makes a group for this process's work below its own, and removes what dead ones left there. */
void cgroup_make(void);

/* Moves this process into it. */
void cgroup_enter(void);

/* Kills what is in it and removes it; with keep, what is in it goes back to where it came from. */
void cgroup_end(bool keep);

#endif
