/*
 * session: what one run of loop-spawn knows and records: its folder with
 * session.json, result.json and the rest, each whole at any moment, and its
 * events in the journal.
 */
#ifndef SESSION_H
#define SESSION_H

#include "agent.h"
#include "event.h"
#include "id.h"
#include "journal.h"
#include "reason.h"

/* What the command line says. */
struct config {
	const char *agent, *prompt, *system_prompt, *model, *dir, *session, *resume, *tools,
		*budget, *total_budget;
	const char *done_tag, *blocked_tag, *branch, *base;
	struct strs vars, verify;
	int64_t timeout, stall, start_timeout, tool_timeout, linger, grace; /* -1: not given */
	int64_t quota_wait, retry, retry_delay, max_turns, max_output, memory, verify_timeout;
	bool sandbox, worktree, json, print, keep_background, keep_env, check;
	char **arguments; /* behind "--" */
};

/* Tokens and money; while cost is not known, it is what is known of it. */
struct usage {
	int64_t input, output, cache_read, cache_write, turns;
	double cost;
	bool cost_known;
};

/* How an attempt, and in the end the session, came out. */
struct verdict {
	enum reason reason;
	int own;	   /* the agent's exit status, or the signal's number */
	int64_t resets_at; /* epoch seconds, 0: unknown */
	char message[400]; /* one line for people */
};

struct session {
	const struct config *config;
	struct state state;
	struct journal journal;
	struct agent agent;
	struct owner owner;
	char id[129];
	char *path; /* of the folder, absolute */
	int folder;
	char *work;			/* where the agent works, absolute */
	char *worktree, *branch, *base; /* NULL without --worktree; base: where it began */
	char *git_folder;		/* of the repository that the worktree belongs to */
	char *saved;			/* the ref that holds what was not committed */
	const char *state_word;
	int64_t started, started_real;
	int64_t attempt;       /* as LOOP_ATTEMPT says it */
	int64_t tries;	       /* attempts made by us */
	int64_t total_left;    /* of --total-budget when it began, in millionths of a dollar */
	int64_t waiting_since; /* for a quota, by the real clock; 0: never */
	struct usage used;
	char agent_session[129], model[129], version[65];
	struct buf final;    /* the agent's last message */
	struct strs dropped; /* variables that were not handed on */
	struct sweep_sum {
		int count;
		char first[32];
	} leaked;
	int64_t denied, noise, oversize;
	bool acted;		   /* in the last attempt the model did or said something */
	json_t *verified;	   /* array: what the verify commands said */
	json_t *attempts;	   /* array: how each came out */
	const char *prompt;	   /* what the agent is given, a file of the folder; NULL: none */
	char resume[129];	   /* the conversation to go on with, empty for a new one */
	struct usage conversation; /* what the one that may be resumed has used */
};

/* By its config: fills in the prompt, makes the folder, writes prompt.md and the first
 * session.json; dies where it cannot, with nothing half made. */
void session_open(struct session *);

/* Replaces session.json: the state is one of starting running waiting verifying ended. */
void session_save(struct session *, const char *state_word, const struct owner *agent);

/* Writes result.json and returns its text in the buffer. */
void session_result(struct session *, const struct verdict *, int status, struct buf *out);

/* An event about this session in the journal; data is formatted JSON. */
void session_emit(struct session *, const char *type, enum priority, json_t *data);

/* A path below the session's folder, a new string. */
char *session_file(const struct session *, const char *name);

json_t *usage_json(const struct usage *);

#endif
