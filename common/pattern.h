/*
 * pattern: types and subjects chosen word by word. "*" stands for exactly one
 * word, "**" as the last for the rest, none included: "story.*" is
 * "story.started" and not "story.a.b"; "PRD.**" is "PRD" and all that begins
 * with "PRD.". Words of types end at dots, those of subjects at
 * slashes.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include "base.h"

enum { PATTERN_TYPE = '.',
	PATTERN_SUBJECT = '/' };

/* Whether it is one: no empty word, a star only as a whole word, "**" only at the end. */
bool pattern_valid(const char *pattern, char separator);

/* pattern is valid; the text is length bytes. */
bool pattern_match(const char *pattern, char separator, const char *text, size_t length);

#endif
