/* environment: what a command may see of ours where that is said strictly. */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include "buf.h"

/* The variables named, and those without which nothing works; lent from ours, the array new. */
char **environment_of(const struct strs *, const struct strs *, const struct strs *);

#endif
