/*
 * agent: what is known of an agent, from its folder: run (starts it), agent.json
 * (its clocks, its environment), map.jq (its lines as neutral events; an agent
 * without one is heard only by its exit status) and usage (tells from the
 * agent's own files what a conversation has used).
 */
#ifndef AGENT_H
#define AGENT_H

#include "buf.h"
#include "err.h"
#include "json.h"
#include "state.h"

/* Limits in ns; 0: none. */
struct clocks {
	int64_t start;	 /* until the first line */
	int64_t silence; /* between lines, while the model is thought to work */
	int64_t tool;	 /* the same while a tool or background work is under way */
	int64_t attempt; /* from start to end */
	int64_t linger;	 /* after the last result, while nothing is under way */
	int64_t grace;	 /* between SIGTERM and SIGKILL */
};

struct agent {
	char *name;
	char *run;     /* path of the script; NULL for a bare command */
	char *map;     /* path of map.jq, or NULL */
	char *usage;   /* path of the script, or NULL */
	json_t *about; /* agent.json, or an empty object */
	struct clocks clocks;
	int64_t meter; /* how often usage is asked while the agent runs, ns; 0: never */
	bool resumes;  /* its CLI can go on with a conversation */
};

/* Finds it in $LOOP_DIR/agents, ~/.config/loop/agents and share/agents; -ENOENT names those looked
 * at. */
int agent_load(struct agent *, const struct state *, const char *name, struct err *) MUST_CHECK;

/* A command that is no agent: no clocks but those of the options. */
void agent_bare(struct agent *);
void agent_clear(struct agent *);

#endif
