/*
 * files: the files that tasks say they touch: paths, folders, patterns. Two
 * tasks whose files may be the same are not run together.
 */
#ifndef FILES_H
#define FILES_H

#include "jscan.h"

/* Whether two lists (JSON arrays of strings; empty spans are empty lists) may name one file. */
bool files_overlap(struct span a, struct span b);

#endif
