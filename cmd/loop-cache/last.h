/*
 * last: of each name, the manifest of its last run and what became of it, in last/HASH: so
 * that a miss can be explained.
 */
#ifndef LAST_H
#define LAST_H

#include "buf.h"
#include "scope.h"
#include "store.h"

/* outcome: "kept", or why it was not. */
int last_write(const struct scope *, const char *name, const struct buf *manifest,
	const char *outcome) MUST_CHECK;

/* Why a search that ended so was no hit, in words. */
void last_explain(const struct scope *, const char *name, const struct buf *manifest,
	enum found, struct buf *words);

#endif
