/*
 * state: the state directory, found as git finds .git: $LOOP_DIR, else the
 * nearest .loop in this folder or above it, else ./.loop, made by the first
 * writer (mode 0700, a .gitignore holding "*", format "1"). Everything in it is
 * opened relative to its descriptor.
 */
#ifndef STATE_H
#define STATE_H

#include "base.h"

#include <sys/types.h>

struct err;
struct strs;

struct state {
	int dir;	  /* the directory's descriptor */
	const char *path; /* absolute, for messages and for children's LOOP_DIR */
	char *made;	  /* the path, unless the environment lends it */
};

/*
 * -ENOENT if there is none (state_find) or it cannot be made (state_open);
 * -EPERM if the one found belongs to somebody else and was not named by
 * LOOP_DIR; -ENOTSUP for a format that this version does not know.
 */
int state_find(struct state *, struct err *) MUST_CHECK;
int state_open(struct state *, struct err *) MUST_CHECK;
void state_close(struct state *);

/* Opens a folder below it, making what is missing (0700); a descriptor or -errno. */
int state_folder(const struct state *, const char *path) MUST_CHECK;

/* Opens a file below it, never through a symbolic link. */
int state_file(const struct state *, const char *path, int flags, mode_t mode) MUST_CHECK;

/*
 * Adds the names, sorted, of what a folder below it holds under NAME.SUFFIX; what is no
 * name is passed over, and a folder that is not there holds nothing.
 */
int state_list(const struct state *, const char *folder, const char *suffix, struct strs *)
	MUST_CHECK;

#endif
