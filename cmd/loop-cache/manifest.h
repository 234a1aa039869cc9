/*
 * manifest: what must be the same for a result to be replayed, a line each: its kind, its name
 * as a JSON string, its digest. The digest of the lines is that of the run; the lines
 * themselves are kept to tell, at a miss, what has changed.
 */
#ifndef MANIFEST_H
#define MANIFEST_H

#include "buf.h"
#include "digest.h"
#include "err.h"

#include <sys/types.h>

/* What a command line says of a run. */
struct recipe {
	const char *name; /* or NULL: the command's words */
	char *const *command;
	const struct strs *inputs, *outputs, *input_vars, *output_vars, *env;
	const struct digest *input; /* standard input's, or NULL */
	bool strict;
	dev_t state_device; /* the state directory, which is no input */
	ino_t state_inode;
};

/* -errno with the input that is missing or cannot be read. */
int manifest_make(struct buf *lines, const struct recipe *, struct err *) MUST_CHECK;

/* The name under which its results are kept; a new string. */
char *recipe_name(const struct recipe *);

/*
 * In words the first difference that there is between two, "input src/a.c has changed", with
 * the number of others; false if there is none.
 */
bool manifest_difference(const struct buf *before, const struct buf *now, struct buf *words);

/* The lines without those of inputs that are outputs as well: what a run must not change. */
void manifest_fixed(const struct buf *lines, const struct strs *outputs, struct buf *out);

#endif
