/*
 * hits: uses that are not in the table yet. A hit is the one thing that must cost nothing, so
 * it takes no lock: a line is appended to a file, and whoever has the lock next counts it.
 */
#ifndef HITS_H
#define HITS_H

#include "scope.h"

/*
 * Notes the use of an entry, a hit of this scope if that was asked; false where somebody
 * should take the lock and count what is there.
 */
bool hits_note(const struct scope *, const struct digest *key, bool asked_here) MUST_CHECK;

/* Counts in the table what was noted. The scope is locked. */
void hits_count(struct scope *);

#endif
