/*
 * gate: a question to a human that work waits at. One JSON file each,
 * gates/ID.json, replaced whole under a flock(2) on gates/.lock: of two answers
 * at once exactly one wins, and the one who asked need not live to see it. Past
 * its deadline a gate is resolved by whoever looks at it next: by its default,
 * else it has timed out. So is an event made up for that a killed process still
 * owed: each is in the journal at least once.
 */
#ifndef GATE_H
#define GATE_H

#include "buf.h"
#include "err.h"
#include "id.h"
#include "state.h"

enum gate_state {
	GATE_PENDING,
	GATE_APPROVED,
	GATE_REJECTED,
	GATE_ANSWERED, /* with one of the choices, or with a text */
	GATE_TIMED_OUT,
};

enum { GATE_TEXT_MAX = 64 * 1024 }; /* bytes of a question, an answer, a reason */

/*
 * Strings are the gate's own; NULL where there is none. Without choices and
 * text it is an approval.
 */
struct gate {
	char id[129];
	enum gate_state state;
	char *question;
	struct strs choices;
	bool text; /* any text is an answer */
	/* What holds at the deadline: "approve", "reject", a choice or a text. */
	char *fallback;
	int64_t raised, deadline, resolved; /* clock_real, 0: none */
	struct owner asker;
	char *subject, *run, *session; /* of the asker */
	char *answer, *by, *why;
	bool told; /* the event of its state is in the journal */
};

#define AUTO_GATE AUTO(gate_clear)
void gate_clear(struct gate *);

/*
 * Raises it; id empty: one is made. 1: it is raised; 0: there is one of this id with the same
 * question, which the gate then is, answered perhaps. -EEXIST if the question is another one;
 * -EINVAL for what makes no sense. Event: gate.raised.
 */
int gate_raise(const struct state *, struct gate *, struct err *) MUST_CHECK;

/* -ENOENT; -EINVAL for a damaged file. May resolve it, see above. */
int gate_read(const struct state *, const char *id, struct gate *, struct err *) MUST_CHECK;

/* Whether it makes sense: -EINVAL with what does not. */
int gate_check(const struct gate *, struct err *) MUST_CHECK;

/* An answer: APPROVED, REJECTED, or ANSWERED with a text. */
struct gate_answer {
	enum gate_state state;
	const char *text, *by, *why;
};

/*
 * 1: this answer holds; 0: it was resolved before, the gate tells how. -EINVAL
 * for what is no answer to this question. Event: gate.resolved.
 */
int gate_resolve(const struct state *, const char *id, const struct gate_answer *, struct gate *,
	struct err *) MUST_CHECK;

const char *gate_state_name(enum gate_state) __attribute__((const));

/* The gate as JSON, in one line or, for its file, a line a member. */
void gate_format(const struct gate *, bool lines, struct buf *out);

/* As its file holds it; -EINVAL with what is wrong. */
int gate_parse(struct gate *, const char *text, size_t length, struct err *) MUST_CHECK;

#endif
