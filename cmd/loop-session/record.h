/*
 * record: one session as its files tell it, whatever became of it. A state is
 * believed only while the process that owns it lives; what has a result has
 * ended; the rest is lost. Torn and missing files make a record poorer, never
 * a failure.
 */
#ifndef RECORD_H
#define RECORD_H

#include "id.h"
#include "json.h"
#include "state.h"

enum record_state {
	RECORD_STARTING,
	RECORD_RUNNING,
	RECORD_WAITING,
	RECORD_VERIFYING,
	RECORD_ENDED,
	RECORD_LOST,	   /* it was not ended by anybody, and its owner is gone */
	RECORD_UNREADABLE, /* neither of its files can be read */
};

struct record {
	char *id;
	json_t *session, *result; /* session.json and result.json; NULL: missing or torn */
	enum record_state state;
	struct owner owner;

	/* Lent from the two; "" where nobody told. */
	const char *agent, *model, *subject, *run, *task, *worktree, *branch, *reason, *message;
	int64_t started, ended; /* ns since the epoch, 0: unknown; of a lost one, its last sign */
	int64_t attempts, input, output;
	double cost;
	bool cost_known, success;
};

/* Reads sessions/ID; -ENOENT if there is no such folder. */
int record_read(struct record *, const struct state *, const char *id) MUST_CHECK;
void record_clear(struct record *);

bool record_live(const struct record *);
const char *record_state_name(enum record_state);
extern const char *const record_states[]; /* all of them, ended by NULL */

/* What a list says of its end: the reason, or the state where there is none. */
const char *record_outcome(const struct record *);

/* From the start to the end, or to now while it lives; -1: unknown. */
int64_t record_duration(const struct record *);

/* Who it worked for: its subject, else its run and task, else itself. */
const char *record_story(const struct record *);

/* The last line of the agent's last message, "" if it said nothing; added to the buffer. */
void record_last_words(const struct record *, struct buf *);

/* As an object for programs; the caller owns it. */
json_t *record_json(const struct record *);

struct records {
	struct record *item;
	size_t count, capacity;
};

/* Which of them; NULL and 0 are any. */
struct filter {
	const char *run, *reason, *agent;
	int64_t since, until; /* ns since the epoch; it was there between the two */
	int state;	      /* 1 + enum record_state */
	int64_t most;	      /* the newest so many */
};

/* Newest first. No sessions folder is no session. */
void records_read(struct records *, const struct state *, const struct filter *);
void records_clear(struct records *);

/*
 * The id that the user means: whole, or the beginning of one with or without
 * "ses_"; NULL: the newest. A new string; ends the program if it is none or
 * several.
 */
char *record_find(const struct state *, const char *name);

#endif
