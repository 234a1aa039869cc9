/*
 * proc_tree: /proc as proc's own files read it. Others use proc.h.
 */
#ifndef PROC_TREE_H
#define PROC_TREE_H

#include "base.h"

#include <sys/types.h>

struct pids {
	pid_t *item;
	size_t count, capacity;
};

bool pids_has(const pid_t *item, size_t count, pid_t);
void pids_add(struct pids *, pid_t);

/* What is read of proc(5)'s stat. */
struct status {
	char name[16];
	char state;
	pid_t parent;
	int threads;
	uint64_t start; /* in ticks from the boot: tells it from another of its pid */
	uint64_t ticks; /* of CPU, ended children that were waited for included */
};

int status_read(pid_t, struct status *); /* -ESRCH */

/* A leader that ended before its threads looks dead too, but the process is not. */
bool status_ended(const struct status *);

/* Calls visit with each process there is. */
void each_process(void (*visit)(pid_t, void *), void *context);

/* Adds the children of a process, zombies included. */
void children_of(pid_t, struct pids *);

/* Whether the kernel lists them (CONFIG_PROC_CHILDREN); else all processes are looked at. */
bool children_listed(void);

/* The pid given last, to a process or thread: another one, and one was made meanwhile. */
pid_t pid_last(void);

#endif
