/*
 * env: what the agent finds in its environment: ours, without what would
 * confuse it or bill the wrong account, with what agent.json and the session
 * add.
 */
#ifndef ENV_H
#define ENV_H

#include "session.h"

/* Replaces or adds NAME=VALUE; NULL or "" removes. */
void env_set(struct strs *env, const char *name, const char *value);

/*
 * The environment of everything that runs in the session: what is dropped is
 * named in session->dropped (once).
 */
void env_build(struct session *, struct strs *env);

#endif
