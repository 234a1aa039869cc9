/* loop-gate: what its commands share. */
#ifndef LOOP_GATE_H
#define LOOP_GATE_H

#include "gate.h"
#include "opt.h"

extern const struct opt ask_options[], wait_options[], resolve_options[], list_options[];

int ask_run(const struct args *);
int wait_run(const struct args *);
int approve_run(const struct args *);
int reject_run(const struct args *);
int answer_run(const struct args *);
int list_run(const struct args *);

/* Opens the state directory; make: also where there is none yet. Dies where it cannot. */
void open_state(struct state *, bool make);

/*
 * Waits until it is resolved or the timeout is over: 0 approved or answered, 1 rejected, 124
 * timed out. print: the answer goes to standard output.
 */
int wait_at(const struct state *, const char *id, int64_t timeout, bool print);

#endif
