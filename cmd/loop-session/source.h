/*
 * source: where a command's events come from: a recorded session, a file of
 * neutral events, or what an agent printed, sent through the agent's own
 * map.jq. Read as a stream: the memory does not grow with the file.
 */
#ifndef SOURCE_H
#define SOURCE_H

#include "opt.h"
#include "record.h"
#include "step.h"

struct source {
	struct state state;
	struct record record; /* of a session; zeroed for a file */
	bool recorded;	      /* it is a session */
	char *path;	      /* of the file that is read */
	const char *agent;    /* whose captured stream it is; NULL: neutral events */
	int64_t damaged;      /* lines that are no events, torn ones among them */
};

/* Options of the commands that look at one session: which file, and as JSON too. */
extern const struct opt file_options[], source_options[];

#define SOURCE_JSON_OPTION                                          \
	{                                                           \
		"json", 0, NULL, "JSON lines", .flag = &source_json \
	}
#define SOURCE_AGENT_OPTION                                                                       \
	{                                                                                         \
		"agent", 'a', "AGENT", "FILE is what this agent printed", .string = &source_agent \
	}
extern bool source_json;
extern const char *source_agent;

/*
 * By the one operand: a session's id or its beginning; none is the newest; a
 * FILE (with --agent, or with a slash in it). Ends the program if it is not there.
 */
void source_open(struct source *, const struct args *);
void source_close(struct source *);

/* Calls take with each event in order; ends the program if the file cannot be read. */
void source_each(struct source *, void (*take)(void *, const struct step *), void *);

/* A file of the session's folder; "" if it is not there, is larger than max, or no session. */
void source_file(const struct source *, const char *name, size_t max, struct buf *);

/* Says on stderr what could not be read. */
void source_warn(const struct source *);

#endif
