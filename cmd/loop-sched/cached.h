/*
 * cached: a task that asks for it is run by loop-cache, which replays what came
 * of it where nothing that it reads has changed.
 */
#ifndef CACHED_H
#define CACHED_H

#include "run.h"

/* Puts loop-cache in front of a task's command; its report goes to the attempt's folder. */
void cache_wrap(const struct run *, const struct task *, const char *folder, struct strs *argv);

/* Names the variables that the plan gives the task: "--env NAME", a pair each. */
void name_environment(const struct run *, const struct task *, struct strs *argv);

/* Whether what the last attempt of a task gave was replayed. */
bool cache_hit(const struct run *, uint32_t task);

#endif
