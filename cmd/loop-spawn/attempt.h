/*
 * attempt: one try at the session's work: the agent is started, heard, timed,
 * ended if need be, swept up after, and judged.
 */
#ifndef ATTEMPT_H
#define ATTEMPT_H

#include "judge.h"
#include "log.h"
#include "mapper.h"
#include "meter.h"
#include "proc.h"
#include "session.h"

struct attempt {
	struct session *session;
	struct child child;
	struct mapper mapper;
	struct meter meter;
	int out, error; /* -1 once closed */
	struct log out_log, error_log, events;
	struct lines out_lines, error_lines;
	struct tally tally;
	struct timing timing;
	struct ended ended;
	int64_t heartbeat, usage_said, mapper_rest, out_rest; /* when */
	enum { RUNNING,
		ASKED,
		KILLED_IT,
		GIVEN_UP } ladder;
	int64_t ladder_deadline;
	bool exited;
	struct lock *starting; /* our place among those that start; given back at the first line */
};

/*
 * Runs it to its end. resume names the agent's conversation that it goes on
 * with, or is NULL. Signals that loop-spawn gets meanwhile end it.
 */
struct verdict attempt_run(struct session *, const char *resume);

/* start.c: the agent and the one who understands it; 0, or what proc_spawn says. */
void attempt_open_logs(struct attempt *);
int attempt_start(struct attempt *, const char *resume, struct err *) MUST_CHECK;

/* hear.c: waits until something is heard, a signal comes or the deadline passes. */
void attempt_hear(struct attempt *, int64_t deadline);
void attempt_started(struct attempt *); /* others may start now */
void attempt_say_usage(struct attempt *, bool always);

/* Begins to end it, for the first cause that is found. */
void attempt_end(struct attempt *, enum cause);

#endif
