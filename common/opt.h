/*
 * opt: one table a command is the source of its parsing, its --help, its
 * --describe (JSON, from which the completions are made) and, by a test, of its
 * man page. GNU manners: long names, --name=value, unambiguous beginnings,
 * bundled letters, options and operands mixed, "--" before a command to run.
 */
#ifndef OPT_H
#define OPT_H

#include "base.h"

struct strs;

/* One option. The value goes to exactly one of the typed pointers. */
struct opt {
	const char *name; /* without its dashes; NULL ends the table */
	char letter;	  /* or 0 */
	const char *arg;  /* the value's name in the help (FILE, DIR, COMMAND, AGENT complete as
			     such); NULL for a flag */
	const char *help; /* one line, lower case, no full stop */

	bool *flag;
	const char **string;  /* lent from argv */
	struct strs *strings; /* repeatable; copies */
	int64_t *number;      /* from min to max; both 0: any that is not negative */
	int64_t *duration;    /* nanoseconds */
	int64_t *size;	      /* bytes */
	int *choice;	      /* an index into choices */

	const char *const *choices; /* ended by NULL */
	int64_t min, max;
};

/* What is left when the options are gone. */
struct args {
	char **item; /* the operands, ended by NULL */
	size_t count;
	char **command; /* what stood behind "--", where the command takes one; else NULL */
};

struct command {
	const char *name;     /* "loop-bus", or the word of a subcommand */
	const char *synopsis; /* what follows the name; several forms a line each */
	const char *brief;    /* one line for lists */
	const struct opt *options;
	const struct command *subs;	 /* ended by a NULL name */
	int (*run)(const struct args *); /* returns the exit status; NULL: a subcommand is needed */
	bool takes_command;		 /* so "--" ends the options and our own failures are 125 */
};

/*
 * A program's main: parses argv by the table (a wrong one ends with a message
 * and status 64, or 125 where a command is run), answers --help, --version and
 * --describe, calls run of the command or subcommand and flushes stdout.
 * Returns the exit status. Operands are gathered in argv itself.
 */
int opt_main(const struct command *, int argc, char **argv);

/* die_usage unless the number of operands is in these bounds (max 0: no upper bound). */
void args_expect(const struct args *, size_t min, size_t max);

/* die_usage if there is any operand. */
void args_none(const struct args *);

#endif
