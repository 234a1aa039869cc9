/*
 * capture: a command is run, and what it writes is passed on as it comes and kept aside.
 */
#ifndef CAPTURE_H
#define CAPTURE_H

#include "err.h"
#include "object.h"

struct capture {
	char *const *command;
	char **env; /* NULL: ours */
	int in;	    /* its standard input, or -1 */

	/* Where its standard output and error are kept; fd -1: nowhere. */
	struct content kept[2];
	int64_t max; /* bytes of the two together; then nothing is kept, and why says so */

	int status; /* as a shell would say it */
	bool by_signal;
	int64_t ms;
	int why; /* -errno: why what it wrote is not kept whole; else 0 */
};

/*
 * Runs it to its end. -errno with status 125 to 127 and the reason in the err if it cannot be
 * run. Signals that end a program are handed on to it; a second one kills it.
 */
int capture_run(struct capture *, struct err *) MUST_CHECK;

#endif
