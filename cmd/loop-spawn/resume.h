/*
 * resume: conversations that are gone on with, by the next attempt or by
 * another session (--resume). One session at a time is in a conversation: the
 * agents' programs do not see to that themselves.
 */
#ifndef RESUME_H
#define RESUME_H

#include "session.h"

/*
 * Takes over the conversation of the session that --resume names: sets resume
 * and what it has used. Dies if that session is not there, still runs, or has
 * none, or if another session is in it.
 */
void resume_open(struct session *);

/* Writes resume.md, which the agent is told instead of a prompt that it knows already. */
void resume_note(struct session *, const struct verdict *);

#endif
