/*
 * script: which script is played, and what its texts say once their variables
 * are filled in.
 */
#ifndef SCRIPT_H
#define SCRIPT_H

#include "play.h"

/*
 * The steps of a script file, or of the first of these in a folder:
 * STORY.ATTEMPT.json, STORY.json, ATTEMPT.json, default.json. Dies with the
 * place of what is wrong. With no path: one step, {"text":"Done."}.
 */
json_t *script_load(const struct play *, const char *path);

/* Whether the step is for this attempt ("attempt": 1, or [1, 3]; none: for all). */
bool script_applies(const struct play *, const json_t *step);

/*
 * ${STORY} ${ATTEMPT} ${PROMPT}, ${NAME} of the environment, and
 * ${match:REGEX}, the first group of an extended regular expression in the
 * prompt. What is unknown stays as it is.
 */
void script_expand(const struct play *, const char *text, struct buf *out);

#endif
