/*
 * event: one CloudEvents 1.0 event in JSON, one line, at most 1 MiB. What is
 * made here is a *record*: the line without its id, which is the line's place
 * in the journal and so is only known under the append lock:
 *
 *	{"specversion":"1.0","id":"482913"  ,"source":"/loop-emit",…}\n
 *	`---- written by the journal -----' `------ the record ------'
 *
 * Source: CloudEvents 1.0.2, JSON event format.
 */
#ifndef EVENT_H
#define EVENT_H

#include "buf.h"
#include "err.h"
#include "jscan.h"

/* Bytes of a line with its newline; its nesting, below JSON_DEPTH_MAX so that it can be wrapped. */
enum { EVENT_MAX = 1 << 20,
	EVENT_DEPTH_MAX = 90 };

enum priority { BACKGROUND = 0,
	LOW = 25,
	NORMAL = 50,
	HIGH = 75,
	CRITICAL = 100 };

/* "high" or "75"; -EINVAL. */
int priority_parse(const char *text, enum priority *) MUST_CHECK;
const char *priority_name(enum priority);

/* What an event is made of. NULL members are left out; times are filled in. */
struct event {
	const char *type;    /* lower-case words with dots: "story.started" */
	const char *source;  /* "/loop-spawn/ses_…" */
	const char *subject; /* from large to small with slashes: "PRD-001/US-003" */
	const char *runid;
	const char *sessionid;
	enum priority priority;
	int64_t time;	   /* 0: now */
	struct span data;  /* JSON text, valid; empty: none */
	struct span extra; /* further attributes: JSON members with their commas in front, valid */
};

bool event_type_valid(const char *type);

/*
 * No control characters, no slash at either end or two in a row, no "." or ".." between
 * slashes, 1 to 512 bytes.
 */
bool event_subject_valid(const char *subject);

/*
 * The name of a further attribute: lower-case letters and digits (CloudEvents, "Naming"),
 * and none of those above.
 */
bool event_attribute_valid(const char *name, size_t length);

/* Checks everything and adds the record to the buffer; -EINVAL or -EMSGSIZE with the reason. */
int event_record(struct buf *, const struct event *, struct err *) MUST_CHECK;

/*
 * A whole event from outside, as a record: checked, an id it has is dropped (the journal
 * gives its own), what it has not is taken from missing (time 0: now). Its priority, or
 * -EINVAL or -EMSGSIZE with the reason.
 */
int event_from_json(struct buf *, const char *text, size_t length, const struct event *missing,
	struct err *) MUST_CHECK;

/* Whether a line, with or without its newline, is one JSON value as jscan_check has it. */
bool event_line_valid(const char *line, size_t length);

/* The attributes of a whole line of the journal, lent from it; empty where there is none. */
struct event_view {
	struct span id, type, subject, source, time, priority, runid, sessionid; /* with quotes */
	struct span data;
};
int event_view(const char *line, size_t length, struct event_view *) MUST_CHECK;

#endif
