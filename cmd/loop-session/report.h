/*
 * report: what happened between two times, gathered from sessions, runs and
 * the journal, and the ways to print it. Others use commands.h.
 */
#ifndef REPORT_H
#define REPORT_H

#include "gate.h"
#include "map.h"
#include "record.h"
#include "runs.h"

/* Sums over sessions that belong together: by story, by model. */
struct group {
	const char *name;				     /* lent from the records */
	int64_t sessions, succeeded, input, output, unknown; /* unknown: of unknown cost */
	double cost;
	const struct record *newest;
};

struct groups {
	struct group *item;
	size_t count, capacity;
	struct map by_name; /* name → 1 + index */
};

struct report {
	struct state state;
	struct records all; /* newest first */
	int64_t since, until;
	const char *only; /* this run; NULL: all */
	struct group total;
	struct groups stories, models;
	int64_t failed, live, lost, retried; /* retried: failed, and later its story did not */
	struct run *run;
	size_t runs, run_capacity;
	struct gate *gate; /* that wait for an answer */
	size_t gates, gate_capacity;
	int64_t merged;	      /* stories, by the journal */
	struct strs branches; /* that they were merged onto */
};

/* Which sessions a list of the report is about. */
enum report_list {
	REPORT_WAITING, /* for a human: a question, credentials, a permission, a quota */
	REPORT_LOST,
	REPORT_FAILED, /* everything else whose story has not succeeded since */
};

void report_gather(struct report *);
void report_clear(struct report *);
bool report_holds(const struct report *, enum report_list, const struct record *);

/* "running", "cut off" or how it ended. */
const char *report_run_state(const struct run *);

/* What to type, one command an element; each once. */
void report_next(const struct report *, struct strs *commands);

enum report_format { REPORT_TEXT,
	REPORT_MARKDOWN,
	REPORT_HTML };

void report_text(const struct report *, enum report_format, struct buf *out);
void report_json(const struct report *);

#endif
