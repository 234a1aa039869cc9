/*
 * lock_graph: who waits for whom, in what stands in both of two readings of all
 * tables, and which of those can never come to their turn (lock_deadlock.h).
 */
#ifndef LOCK_GRAPH_H
#define LOCK_GRAPH_H

#include "err.h"
#include "lock_deadlock.h"
#include "lock_view.h"

/* A process and its ancestors, but for init. */
struct lock_line {
	pid_t pid[64];
	size_t length;
};

/* Where it meets one that was found before (NULL: none), they are the same from there on. */
void lock_line_find(struct lock_line *, pid_t, const struct lock_line *known);
bool lock_line_has(const struct lock_line *, int64_t pid);

/* The wait that is asked about, and what the answer is put into. */
struct lock_inquiry {
	const struct state *state;
	const char *name;
	int64_t ticket;
	struct lock_victim *victim;
	struct err *cycle;
};

/* 1 if it is stuck in a cycle, else 0. */
int lock_graph_judge(const struct lock_views *first, const struct lock_views *second,
	const struct lock_inquiry *);

#endif
