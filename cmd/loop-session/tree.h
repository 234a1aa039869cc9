/* tree: folders with all that is below them: how large they are, and their removal. */
#ifndef TREE_H
#define TREE_H

#include "base.h"

/* Bytes on the disk, of hard links each; symbolic links are not followed. */
int64_t tree_size(const char *path);

/* Everything below it and itself; 0, or -errno of what could not be removed. */
int tree_remove(const char *path) MUST_CHECK;

#endif
