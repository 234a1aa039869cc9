/*
 * lock_file: the file of a lock: where it lies, how it is opened, and the moment
 * in which its table may be changed.
 */
#ifndef LOCK_FILE_H
#define LOCK_FILE_H

#include "err.h"
#include "lock_table.h"
#include "state.h"

/*
 * Opens locks/NAME.lk, made where it is missing. -EINVAL for a name that is
 * none, -ENOTSUP on a file system of the network, where the kernel cannot know
 * who else holds.
 */
int lock_file_open(const struct state *, const char *name, struct err *) MUST_CHECK;

/*
 * Whether a hold may live on a script's descriptor: open for reading and writing on the very
 * file that ours is open on; 0, or -EINVAL.
 */
int lock_file_lends(int ours, int theirs, const struct state *, const char *name, struct err *)
	MUST_CHECK;

/*
 * With the guard held: reads the table, makes a head where there is none, mends
 * one that is torn. -ESTALE if the file is no longer there under any name.
 */
int lock_file_read(int fd, const char *name, struct lock_table *, struct err *) MUST_CHECK;

/* Whether the waiter or holder of this row lives. */
int lock_row_alive(const struct lock_row *, int fd) MUST_CHECK;

/* Whether anybody else holds or waits. */
int lock_file_used(int fd) MUST_CHECK;

/* The guard for one who does not wait: -EAGAIN if it is not had soon. */
int lock_file_guard(int fd) MUST_CHECK;

/* Marks a waiter: it sees that within a tick. 0, -ESRCH if it no longer waits, or -errno. */
int lock_file_mark(const struct state *, const char *name, int64_t ticket, enum lock_state);

/* Words for a lock that was not had: who holds it, and for how long. Returns code. */
int lock_file_blame(int fd, const char *name, const struct lock_table *, int code, struct err *);

#endif
