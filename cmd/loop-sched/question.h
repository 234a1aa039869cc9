/*
 * question: a task that is none of a command but of a human: its "gate", as the
 * plan tells it, and as the gate that loop-gate shows and answers.
 */
#ifndef QUESTION_H
#define QUESTION_H

#include "gate.h"
#include "plan.h"

/* What the plan says. Spans are JSON strings and arrays of them; empty where it says nothing. */
struct question {
	struct span text, choices, fallback;
	int64_t deadline; /* ns from the asking on; 0: none */
	bool open;	  /* any text is an answer */
};

enum { QUESTION_ID_SIZE = 129 };

/* Whether a "gate" is one; says what is wrong with it. */
bool question_read(struct plan *, const struct task *, struct span value);

/* Whether a task is a question, and not one that only makes others. */
bool task_asks(const struct plan *, const struct task *);

/*
 * What is to be asked; the gate is without id, run, subject and asker. Its deadline counts from
 * now on.
 */
void question_make(const struct plan *, const struct task *, struct gate *);

/* The gate's id: RUN.TASK, and from the second attempt on RUN.TASK@ATTEMPT. */
char *question_id(char out[QUESTION_ID_SIZE], const char *run, const struct plan *,
	const struct task *, unsigned attempt);

#endif
