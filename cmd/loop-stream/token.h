/* token: the secret that changes are asked for, in the state directory's file "token". */
#ifndef TOKEN_H
#define TOKEN_H

#include "err.h"
#include "state.h"

/*
 * The token, made first where there is none; the caller's to free. -EPERM for
 * one that others may read.
 */
int token_load(const struct state *, char **token, struct err *) MUST_CHECK;

#endif
