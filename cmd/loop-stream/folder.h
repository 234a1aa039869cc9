/* folder: the things that are kept as one folder or file each: runs, sessions, gates. */
#ifndef FOLDER_H
#define FOLDER_H

#include "buf.h"
#include "state.h"

/*
 * The names in a folder of the state directory that hold this file (NULL: all),
 * newest first by its time. 0 (none where there is no such folder), or -errno.
 */
int folder_list(const struct state *, const char *folder, const char *file, struct strs *)
	MUST_CHECK;

#endif
