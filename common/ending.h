/*
 * ending: words for exit statuses, as lists of what to try again have them: the
 * reasons that loop-spawn gives a session.
 */
#ifndef ENDING_H
#define ENDING_H

#include "base.h"

/* The exit status that a session's reason stands for ("quota": 113); -ENOENT if it is none that
 * has one of its own. */
int ending_status(const char *word) __attribute__((pure));

/* Calls back with every word that ending_status knows. */
void ending_each(void (*see)(void *context, const char *word), void *context);

enum { ENDING_QUOTA = 113 };

#endif
