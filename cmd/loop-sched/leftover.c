/*
 * What a task leaves behind when it ends is handed to us by the kernel, as we
 * are a subreaper. It is known by its session, or by the marker in its
 * environment, and ended. The common case, nothing left, costs one small read.
 */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "parse.h"
#include "proc.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

enum { SWEEP_SECONDS = 5 };

/* Whether a child of ours, which is no job, belongs to the task whose leader has ended. */
static bool left_by(pid_t child, pid_t leader, const char *marker)
{
	AUTO_BUF struct buf own = {0};
	char path[64];

	if (getsid(child) == leader)
		return true;
	snprintf(path, sizeof path, "/proc/%d/environ", child);
	if (io_read_file(AT_FDCWD, path, 1 << 22, &own) < 0)
		return false;
	return memmem(own.text, own.length, marker, strlen(marker) + 1) != NULL;
}

/* Our children, as the kernel lists them. */
static bool anything_left(struct run *r, pid_t leader, const char *marker)
{
	AUTO_BUF struct buf list = {0};
	char *rest, *word;

	if (io_read_file(AT_FDCWD, "/proc/thread-self/children", 1 << 20, &list) < 0)
		return true; /* a kernel that does not list them: look at everything */
	for (rest = list.text; (word = strsep(&rest, " "));) {
		int64_t pid;

		if (parse_int(word, 1, INT32_MAX, &pid) < 0 || job_of(r, (pid_t)pid))
			continue;
		if (left_by((pid_t)pid, leader, marker))
			return true;
	}
	return false;
}

void end_leftovers(struct run *r, pid_t leader, const char *marker)
{
	AUTO_FREE char *state = mem_format("LOOP_DIR=%s", r->state.path);
	const char *const marks[] = {marker, state, NULL};
	AUTO_FREE pid_t *spare = NULL;
	struct sweep swept = {0};
	size_t count = 0;

	if (!anything_left(r, leader, marker))
		return;
	spare = mem_zero((size_t)r->options.jobs, sizeof *spare);
	for (int64_t i = 0; i < r->options.jobs; i++)
		if (r->job[i].pid && r->job[i].pid != leader)
			spare[count++] = r->job[i].pid;
	/* The session's group first: what dropped the marker is still known by it. */
	kill(-leader, SIGKILL);
	proc_sweep(marks, spare, count, clock_after(SWEEP_SECONDS * NS_PER_S), &swept);
	if (r->options.verbose && swept.killed)
		warn("%s: ended %d processes that were left behind (%s)", marker, swept.killed,
			swept.first);
}
