/*
 * The end of whatever is left: stopped first, until a look at the whole tree
 * finds nothing that runs, so that nothing can fork away from the kill. Only
 * what has not become its program yet is killed at once: it bears no mark, so
 * if we were killed meanwhile, it would stay stopped and nobody would find it.
 */
#include "proc.h"

#include "buf.h"
#include "clock.h"
#include "io.h"
#include "mem.h"
#include "proc_tree.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define ALL_TIME (10 * NS_PER_S)

enum { PASSES = 50,	 /* for all to stand still */
	VAIN_PASSES = 4, /* over all processes, if others come and go all the time */
	CHASE_MAX = 1000 };

/* A process and, as pids come back, which one of that pid. */
struct one {
	pid_t pid;
	uint64_t start;
};

struct found {
	struct one *item;
	size_t count, capacity;
};

/* One pass over what is to be ended. */
struct hunt {
	const char *const *marks;
	const pid_t *spare;
	size_t spare_count;
	struct pids ours;   /* this process and its ancestors */
	struct found found; /* alive in this pass */
	struct pids killed;
	int signal;
	bool fresh; /* something ran, or had ended and left us its children: another pass */
	bool born;  /* while all processes were looked at, another came: perhaps one of them */
	struct sweep *done;
};

static int read_environ(pid_t pid, struct buf *env)
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	return io_read_file(AT_FDCWD, path, 1 << 22, env);
}

/* What stands behind the prefix in the first of the strings that begins with it; NULL. */
static const char *find_string(const struct buf *env, const char *prefix)
{
	size_t n = strlen(prefix);

	for (const char *p = env->text, *end = env->text + env->length; p < end; p += strlen(p) + 1)
		if (strncmp(p, prefix, n) == 0)
			return p + n;
	return NULL;
}

/* Whether the process was started with all of these strings. */
static bool marked(pid_t pid, const char *const *marks)
{
	AUTO_BUF struct buf env = {0};

	if (read_environ(pid, &env) < 0)
		return false;
	for (; *marks; marks++) {
		const char *rest = find_string(&env, *marks);

		if (!rest || *rest)
			return false;
	}
	return true;
}

struct marks {
	const char *with, *prefix;
	struct strs *values;
};

static void add_mark(pid_t pid, void *context)
{
	const struct marks *m = context;
	AUTO_BUF struct buf env = {0};
	const char *rest, *value;

	if (read_environ(pid, &env) < 0)
		return;
	rest = find_string(&env, m->with);
	value = find_string(&env, m->prefix);
	if (!rest || *rest || !value)
		return;
	for (size_t i = 0; i < m->values->count; i++)
		if (strcmp(m->values->item[i], value) == 0)
			return;
	strs_add(m->values, value);
}

void proc_marked(const char *with, const char *name, struct strs *values)
{
	AUTO_FREE char *prefix = mem_format("%s=", name);

	each_process(add_mark, &(struct marks){with, prefix, values});
}

static void note_killed(struct hunt *h, pid_t pid, const char *name)
{
	if (pids_has(h->killed.item, h->killed.count, pid))
		return;
	pids_add(&h->killed, pid);
	if (h->done->killed++ == 0)
		snprintf(h->done->first, sizeof h->done->first, "%s", name);
}

static bool is_there(struct one one)
{
	struct status s;

	return status_read(one.pid, &s) == 0 && s.start == one.start;
}

/* The parent is looked at after its child, so that it is not another's. */
static bool still_belongs(const struct hunt *h, pid_t pid, struct one parent, struct status *s)
{
	if (status_read(pid, s) < 0)
		return false;
	return parent.pid ? s->parent == parent.pid && is_there(parent) : marked(pid, h->marks);
}

static bool is_found(const struct hunt *h, pid_t pid)
{
	for (size_t i = 0; i < h->found.count; i++)
		if (h->found.item[i].pid == pid)
			return true;
	return false;
}

static void note_found(struct hunt *h, pid_t pid, uint64_t start)
{
	struct found *f = &h->found;

	f->item = mem_grow(f->item, f->count, &f->capacity, sizeof *f->item);
	f->item[f->count++] = (struct one){pid, start};
}

/* Whether it runs what we run: a child between fork and exec, or one of those that contain. */
static bool is_our_program(pid_t pid)
{
	struct stat own, other;
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	return stat(path, &other) == 0 && stat("/proc/self/exe", &own) == 0 &&
		other.st_dev == own.st_dev && other.st_ino == own.st_ino;
}

/*
 * Signals a process that was seen below parent (no pid: seen by its marks). The
 * pidfd is had before it is looked at once more, so that what is signalled is
 * what was looked at, though pids come back.
 */
static void take(struct hunt *h, pid_t pid, struct one parent)
{
	AUTO_CLOSE int pidfd = -1;
	int signal = h->signal;
	struct status s;

	if (pids_has(h->spare, h->spare_count, pid) ||
		pids_has(h->ours.item, h->ours.count, pid) ||
		is_found(h, pid))
		return;
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0 || !still_belongs(h, pid, parent, &s))
		return;
	if (status_ended(&s)) {
		if (s.parent == getpid())
			h->fresh |= waitpid(pid, NULL, WNOHANG) == pid;
		return;
	}
	note_found(h, pid, s.start);
	if (signal != SIGKILL && is_our_program(pid))
		signal = SIGKILL;
	if (signal == SIGKILL)
		note_killed(h, pid, s.name);
	else if (s.state == 'T')
		return;
	h->fresh = true;
	syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

static void take_marked(pid_t pid, void *context)
{
	struct hunt *h = context;

	if (marked(pid, h->marks))
		take(h, pid, (struct one){0});
}

/*
 * Those that came while the others were looked at, and while they are: in a list that
 * was made before one of them forked and ended, its child is missing.
 */
static void take_newer(struct hunt *h, pid_t last)
{
	pid_t now, end = last + CHASE_MAX;

	while ((now = pid_last()) > last && now < end)
		while (last < now)
			take_marked(++last, h);
}

static void take_children(struct hunt *h, struct one parent)
{
	struct pids children = {0};

	children_of(parent.pid, &children);
	for (size_t i = 0; i < children.count; i++)
		take(h, children.item[i], parent);
	free(children.item);
}

static void pass(struct hunt *h, int signal)
{
	bool scans = h->marks || !children_listed();
	pid_t last = scans ? pid_last() : 0;
	struct status self;

	h->signal = signal;
	h->fresh = false;
	h->found.count = 0;
	if (h->marks) {
		each_process(take_marked, h);
		take_newer(h, last);
	} else if (status_read(getpid(), &self) == 0) {
		take_children(h, (struct one){getpid(), self.start});
	}
	for (size_t i = 0; i < h->found.count; i++)
		take_children(h, h->found.item[i]);
	h->born = scans && pid_last() != last;
}

static void find_ours(struct hunt *h)
{
	struct status s = {.parent = 0};

	for (pid_t pid = getpid(); pid > 0; pid = s.parent) {
		pids_add(&h->ours, pid);
		if (status_read(pid, &s) < 0)
			return;
	}
}

/*
 * Until a pass finds all of them stopped and none that ended; one that sleeps uninterruptibly
 * is not waited for.
 */
static void stop_all(struct hunt *h)
{
	for (int i = 0; i < PASSES; i++) {
		pass(h, SIGSTOP);
		if (!h->fresh)
			return;
	}
}

/* Whether one of those killed was our child still: what it had may be ours only now. */
static bool reap_killed(const struct hunt *h)
{
	bool left = false;

	for (size_t i = 0; i < h->killed.count; i++)
		left |= waitpid(h->killed.item[i], NULL, WNOHANG) >= 0;
	return left;
}

/* Whether nothing is left. If anybody came whom we may have missed, we look again. */
static bool is_over(const struct hunt *h, int *vain)
{
	if (h->found.count || h->fresh || reap_killed(h))
		return false;
	return !h->born || ++*vain == VAIN_PASSES;
}

int proc_sweep(const char *const *marks, const pid_t *spare, size_t spare_count, int64_t deadline,
	struct sweep *done)
{
	struct hunt h = {.marks = marks,
		.spare = spare,
		.spare_count = spare_count,
		.done = done};
	int64_t pause = NS_PER_MS / 4;
	int r = 0, vain = 0;

	*done = (struct sweep){0};
	find_ours(&h);
	for (;;) {
		stop_all(&h);
		if (is_over(&h, &vain))
			break;
		if (h.found.count)
			pass(&h, SIGKILL);
		if (clock_now() >= deadline) {
			r = -ETIMEDOUT;
			break;
		}
		clock_sleep(pause);
		pause = MIN(pause * 2, 20 * NS_PER_MS);
	}
	free(h.ours.item);
	free(h.found.item);
	free(h.killed.item);
	return r;
}

void proc_sweep_all(void)
{
	struct sweep swept;

	proc_sweep(NULL, NULL, 0, clock_after(ALL_TIME), &swept);
}
