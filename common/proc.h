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
	const int *keep;    /* further descriptors (3 up) that stay open under their numbers */
	size_t keep_count;
	bool new_session; /* setsid; otherwise a process group of its own */
	bool same_group;  /* neither: it stays in our process group */
	bool outlives;	  /* it is not killed when the thread that started it ends */
	int64_t memory;	  /* RLIMIT_AS in bytes; 0: none */
};

struct child {
	pid_t pid;
	int pidfd; /* polls readable at the end */
	struct owner owner;
	bool own_group;	 /* it leads a process group; otherwise it is in ours */
	int64_t kill_at; /* clock_now: when child_tick kills it; NS_FOREVER */
};

/*
 * Starts it; a program without a slash is found by PATH of env, and a file that
 * is no program but may be executed is run by /bin/sh, as execvp(3) does.
 * -ENOENT (not found), -EACCES and so on (cannot be run) as execve said;
 * -ECANCELED for what stood in the way before it, a missing dir above all: the
 * err tells. The child has default signal
 * dispositions and an empty mask, and is killed by the kernel when the thread
 * that started it ends. SIGCHLD is ignored no longer, if it was. Costs no copy
 * of our memory (vfork semantics); safe with threads.
 */
int proc_spawn(struct child *, const struct spawn *, struct err *) MUST_CHECK;

struct strs;

/*
 * Adds our environment to env, but for what begins with one of these ("LOOP_DIR=", "LOOP_JOB_";
 * ended by NULL): what the child gets anew, or is not to have.
 */
void proc_environ(struct strs *env, const char *const *without);

void child_close(struct child *); /* the pidfd; does not end or reap it */

/* To its whole group where it leads one, else to it alone. */
void child_signal(const struct child *, int sig);

/* A signal that came to us, for it: what a terminal sends to our whole group it has already. */
void child_hand_on(const struct child *, int sig);

/*
 * Asks it to end; child_tick, called once kill_at has come, kills it when the grace (ns) is
 * over. It may be asked again: the earliest end counts.
 */
void child_end(struct child *, int64_t grace);
void child_tick(struct child *);

/* Waits for it, and closes it: its exit status, as proc_reap. */
int child_wait(struct child *);

/* What a shell would say of a failed exec: 127 not found, 126 cannot be run; 125 for the rest. */
int proc_spawn_status(int code) __attribute__((const));

/* A wait status as an exit status: the code, or 128 + the signal. */
int proc_exit_status(int wait_status) __attribute__((const));

/* Waits for a child of ours: its exit status, as if killed where a sweep has reaped it. */
int proc_reap(pid_t);

/*
 * From here on nothing of our tree outlives us. Forks twice: the innermost
 * process returns from this call and does the work; the outermost keeps our
 * pid, hands signals on, stops and goes on with the work and ends as it ended.
 * The one between them is a guard in a process group of its own. All three are
 * subreapers: whichever is killed, another sees it and kills everything below;
 * what the work left behind at its end is killed as well. Where a cgroup (v2)
 * may be made, the work is put into one, which is killed in addition. Call it
 * before any thread is made and before stdio holds anything. 0 or -errno.
 */
int proc_contain(struct err *) MUST_CHECK;

/* The same where we may have a terminal: then the work is in our process group still, and reads. */
int proc_contain_foreground(struct err *) MUST_CHECK;

/* In the work: what is still running below it when it exits by itself stays. */
void proc_contain_keep(void);

/* What a sweep did. */
struct sweep {
	int killed;	/* processes that were still there */
	char first[32]; /* the name of one of them */
};

/*
 * Ends whatever is left below us, except the processes in spare and what is
 * below those: stopped first, so that nothing forks away, then killed and
 * reaped, until nothing is left or the deadline (clock_now) has passed. All
 * zombies among our own children are reaped: wait for those that matter first,
 * or spare them.
 * With marks ("LOOP_SESSION=ses_…" and more, ended by NULL): only the processes,
 * wherever they are, that were started with all of these strings in their
 * environment, and what is below them, but never ourselves nor an ancestor. Names
 * are chosen a state directory, so one of the marks should say which it is.
 * 0, or -ETIMEDOUT if something is left (uninterruptible).
 */
int proc_sweep(const char *const *marks, const pid_t *spare, size_t spare_count, int64_t deadline,
	struct sweep *);

/* Ends whatever is left below us, if that takes less than ten seconds. */
void proc_sweep_all(void);

/*
 * Adds to values what NAME was, each once, in the environments of all processes
 * that were started with the string "with" in theirs. Those of other users
 * cannot be seen.
 */
void proc_marked(const char *with, const char *name, struct strs *values);

/*
 * CPU time in ns that the tree below (and with) pid has used, ended children
 * that were waited for included. 0 for pid means everything below us, without
 * ourselves: also what left its parents.
 */
int64_t proc_tree_cpu(pid_t pid);

/* The parent's pid; 0 if there is no such process. */
pid_t proc_parent(pid_t pid);

/* The process and those below it: how many; of a tree that changes some may be missing. */
size_t proc_descendants(pid_t pid, pid_t *out, size_t max);

/* Resident memory of that tree in bytes; shared pages count in every process. */
int64_t proc_tree_memory(pid_t pid);

#endif
