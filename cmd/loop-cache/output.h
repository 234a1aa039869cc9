/*
 * output: the files that a run makes, taken into an entry and put back from it. What is put
 * back goes only where this command line says that there is an output, never through a
 * symbolic link below it.
 */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "entry.h"
#include "scope.h"

/* An output as it is called in the manifest, and where it lies now. */
struct output {
	const char *label;
	const char *path;
	bool may_miss;
};

/*
 * Adds its files to the entry. -EFBIG if that is over max (0: no bound); -ENOENT for one that
 * was not made; -errno, with the file in the err.
 */
int output_take(struct scope *, struct entry *, const struct output *, int64_t max, struct err *)
	MUST_CHECK;

/*
 * Puts all files of the outputs back from an entry that a scope has. -ENOENT or -EINVAL where
 * one of its objects is missing or damaged.
 */
int output_restore(const struct scope *, const struct entry *, const struct output *,
	size_t count) MUST_CHECK;

#endif
