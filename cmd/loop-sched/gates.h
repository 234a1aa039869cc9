/*
 * gates: tasks that are a question to a human. Each is a gate of loop-gate's,
 * asked as soon as its needs are met; it takes no place and no resource while
 * it waits, and its answer is its end. A run that is killed finds its gates
 * again when it is resumed, answered perhaps; one that ends withdraws them.
 */
#ifndef GATES_H
#define GATES_H

#include "base.h"

struct run;

struct gates {
	uint32_t *task; /* to be asked (READY), or asked (RUNNING) */
	size_t count, capacity;
	int watch;    /* of the gates' folder, or -1 */
	bool watched; /* it was tried to be */
};

/* Whether a task that is ready is a question; then it is asked by gates_ask. */
bool gates_take(struct run *, uint32_t task);
void gates_ask(struct run *);

/* Looks at the gates that are due, or at all where the folder has changed. */
void gates_look(struct run *, bool changed);
int64_t gates_due(const struct run *); /* clock_now */

/* Nobody waits any more: the gate is rejected in our name, and the task is cancelled. */
void gate_withdraw(struct run *, uint32_t task);
void gates_withdraw(struct run *);

#endif
