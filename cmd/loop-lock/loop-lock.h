/* loop-lock: what the files of the program share. */
#ifndef LOOP_LOCK_H
#define LOOP_LOCK_H

#include "lock.h"
#include "opt.h"

/* What the options of acquiring say, for the run form and for acquire. */
struct choices {
	bool shared, nonblock, close;
	int64_t timeout; /* -1: not given */
	int level;	 /* of priority, from the lowest */
	const char *label;
	int64_t fd;
};
extern struct choices choices;

/* NAME[:UNITS][/CAPACITY]; ends the program where it is none. The name is cut out of the text. */
void want_parse(struct lock_want *, char *text);

/* The options as the library takes them. */
struct lock_options choices_options(const char *label);

/* The exit status for a lock that was not had, after its message. */
int refuse(int code, const struct err *);

int run_command(const struct args *);

#endif
