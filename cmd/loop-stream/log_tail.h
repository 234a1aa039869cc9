/*
 * log_tail: the last lines of what a task's latest attempt has written.
 */
#ifndef LOG_TAIL_H
#define LOG_TAIL_H

#include "run.h"

/* At most so many lines, oldest first; one line that says so where there is nothing. */
void log_tail(const struct run *, const struct task *, size_t max, struct strs *lines);

#endif
