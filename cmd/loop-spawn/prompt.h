/*
 * prompt: a file with {{NAME}} in it. Names are replaced by their values and
 * nothing is evaluated; a name without a value is an error with its place.
 */
#ifndef PROMPT_H
#define PROMPT_H

#include "buf.h"

/*
 * Adds the filled-in text. Values are vars ("NAME=VALUE", later ones win), then
 * the LOOP_ variables of the environment. A backslash before the braces keeps
 * them. Returns the number of unknown names, said in *complaints one a line.
 */
size_t prompt_fill(struct buf *out, const char *name, const char *text, size_t length,
	const struct strs *vars, struct buf *complaints);

#endif
