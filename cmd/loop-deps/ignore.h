/*
 * ignore: what git leaves out, gitignore(5): the .gitignore files of a folder and of those above
 * it, up to the top of the work tree. The nearest one that says something decides.
 */
#ifndef IGNORE_H
#define IGNORE_H

#include "tree.h"

/* The rules of one .gitignore, in its order; in the tree's arena. */
struct ignore {
	char **rule;
	size_t count;
};

/* The highest folder whose rules hold for what is in this one: the work tree's, else this one. */
const struct folder *ignore_top(const struct folder *);

/* Whether something in a folder, given by its path, is left out. */
bool ignore_matches(struct tree *, struct folder *, const struct folder *top, const char *path,
	bool is_folder);

#endif
