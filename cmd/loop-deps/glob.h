/*
 * glob: patterns of paths in the manner of gitignore(5): "*" and "?" within one
 * name, "**" over folders, a slash inside ties the pattern to the top, one at
 * its end to folders.
 */
#ifndef GLOB_H
#define GLOB_H

#include "base.h"

/* path is relative, without a slash at its ends. */
bool glob_match(const char *pattern, const char *path, bool folder);

#endif
