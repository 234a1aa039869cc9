/*
 * die: the program's name, its exit statuses, and the one place where messages
 * for people are printed. Every message is one line on stderr,
 * "loop-lock: locks/db: held by pid 4711", written with one write(2), its
 * control characters escaped: what came from outside cannot move the cursor.
 */
#ifndef DIE_H
#define DIE_H

#include "base.h"

#include <sysexits.h>

/*
 * 0 done or yes; 1 no (not found, no match, a check that failed); then
 * sysexits(3): EX_USAGE 64, EX_DATAERR 65, EX_NOINPUT 66, EX_UNAVAILABLE 69,
 * EX_SOFTWARE 70, EX_CANTCREAT 73, EX_IOERR 74, EX_TEMPFAIL 75,
 * EX_PROTOCOL 76, EX_NOPERM 77, EX_CONFIG 78.
 */
enum {
	EXIT_NO = 1,
	/* Programs that run a command keep its status and say their own as timeout(1) does. */
	EXIT_TIMEDOUT = 124,
	EXIT_OWN = 125,
	EXIT_CANNOT_RUN = 126,
	EXIT_NOT_FOUND = 127,
	EXIT_SIGNAL = 128, /* plus the signal's number */
};

struct err;

/*
 * Names the program for messages and events. own_status replaces every
 * sysexits status in die() for programs that run a command (EXIT_OWN), 0 for
 * the others. Also ignores nothing and changes no signal.
 */
void die_init(const char *program, int own_status);
const char *die_program(void);

void warn(const char *format, ...) PRINTF_LIKE(1, 2);
void die(int status, const char *format, ...) NORETURN PRINTF_LIKE(2, 3);

/* The same with ": strerror(errno)" behind it; errno as it is at the call. */
void warn_errno(const char *format, ...) PRINTF_LIKE(1, 2);
void die_errno(int status, const char *format, ...) NORETURN PRINTF_LIKE(2, 3);

/* A wrong command line: the message, then "Try 'loop-lock --help'." */
void die_usage(const char *format, ...) NORETURN PRINTF_LIKE(1, 2);

/* The sysexits status that fits -errno: EX_NOPERM for -EACCES, EX_IOERR for -ENOSPC and so on. */
int die_status(int code) __attribute__((const));

/* die with an err's text and the status that fits code. */
void die_err(int code, const struct err *) NORETURN;

/*
 * Flushes stdout and reports what could not be written: to be called before a
 * program that printed data exits. Returns status, or EX_IOERR after a message
 * (a reader that went away is no error: SIGPIPE has ended us before).
 */
int finish(int status);

#endif
