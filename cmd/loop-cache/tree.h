/*
 * tree: all files at and below a path, in the order of their names, without following the
 * symbolic links below it. The state directory and .git are left out, and what is in but.
 */
#ifndef TREE_H
#define TREE_H

#include "buf.h"
#include "err.h"

#include <sys/stat.h>

enum { TREE_DEPTH_MAX = 200 };

struct tree_place {
	dev_t device;
	ino_t inode;
};

struct tree {
	const struct tree_place *but;
	size_t but_count;
	/*
	 * Called with each: its path below the top ("" for the top itself), and its folder's
	 * descriptor and name to open it by.
	 */
	int (*visit)(const char *path, int dir, const char *name, const struct stat *, void *);
	void *context;
	bool git; /* .git too */
};

/* -errno, or what visit returned that is not 0; the err tells where. */
int tree_walk(const struct tree *, const char *top, struct err *) MUST_CHECK;

#endif
