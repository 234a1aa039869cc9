/* token: the secret that changes are asked for, in the state directory's file "token". */
#ifndef TOKEN_H
#define TOKEN_H

#include "err.h"
#include "state.h"

/* The token, made first where there is none; the caller's to free. NULL with the reason. */
char *token_load(const struct state *, struct err *) MUST_CHECK;

#endif
