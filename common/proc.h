/*
 * proc: children. Spawning with exactly the descriptors that are named,
 * containing whole trees however they fork, ending them, and reading what came
 * of them. The one module that knows /proc and subreapers.
 */
#ifndef PROC_H
#define PROC_H

#include "err.h"
#include "id.h"

/* What to start. Descriptors that are not named are not inherited. */
struct spawn {
	char *const *argv;
	char *const *env;   /* NULL: ours */
	const char *dir;    /* NULL: ours */
	int in, out, error; /* become 0, 1, 2; -1: /dev/null */
	const int *keep;    /* further descriptors that stay open under their numbers */
	size_t keep_count;
	bool new_session; /* setsid; otherwise a process group of its own */
	int64_t memory;	  /* RLIMIT_AS in bytes; 0: none */
};

struct child {
	pid_t pid;
	int pidfd; /* polls readable at the end */
	struct owner owner;
};

/*
 * Starts it; the program is found by PATH of env. -ENOENT (not found), -EACCES
 * or -ENOEXEC (cannot be run) as execve said, else what fork said. The child
 * has default signal dispositions and an empty mask, and is killed by the
 * kernel when the thread that started it ends.
 */
int proc_spawn(struct child *, const struct spawn *, struct err *) MUST_CHECK;
void child_close(struct child *); /* the pidfd; does not end or reap it */

/* 126 or 127 as a shell would say, 125 for the rest: the exit status that fits a failed proc_spawn.
 */
int proc_spawn_status(int code) __attribute__((const));

/* A wait status as an exit status: the code, or 128 + the signal. */
int proc_exit_status(int wait_status) __attribute__((const));

/*
 * From here on nothing of our tree outlives us: forks, and the *inner* process
 * returns from this call and does the work; the outer waits, hands signals on
 * and ends as the inner ended. Both are subreapers and watch each other; if
 * either is killed, the other kills everything below. Call it before any
 * descriptor or thread is made that must not be shared. 0 or -errno.
 */
int proc_contain(struct err *) MUST_CHECK;

/* What a sweep did. */
struct sweep {
	int killed;	/* processes that were still there */
	char first[32]; /* the name of one of them */
};

/*
 * Ends whatever is left below us except the processes in spare: stopped first,
 * so that nothing forks away, then killed and reaped, until nothing is left or
 * the deadline (clock_now) has passed. With marker ("LOOP_SESSION=ses_…") only
 * trees whose environment holds that string, and also those that were
 * reparented elsewhere. -ETIMEDOUT if something is left (uninterruptible).
 */
int proc_sweep(const char *marker, const pid_t *spare, size_t spare_count, int64_t deadline,
	struct sweep *);

/* CPU time in ns that the tree below (and with) pid has used, ended children that were waited for
 * included. */
int64_t proc_tree_cpu(pid_t pid);

/* Resident memory of that tree in bytes. */
int64_t proc_tree_memory(pid_t pid);

#endif
