/*
 * A child is made by clone(2) with CLONE_VM and CLONE_VFORK: it borrows our
 * memory until it has become its program, so starting costs the same however
 * large we are, and what went wrong in it is simply there to be read.
 */
#include "proc.h"

#include "buf.h"
#include "die.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* What the child needs, made ready before it is born: it must not allocate. */
struct launch {
	const struct spawn *spec;
	char *const *env;
	struct strs paths; /* where the program may be, in the order of PATH */
	char **shell_argv; /* room for /bin/sh, the file and the arguments */
	pid_t parent;
	struct owner owner; /* the child looks at itself: later, exec would be in the way */
	const char *step;   /* what failed, for people; NULL: exec itself */
	int error;
};

static const char *lookup(char *const *env, const char *name)
{
	size_t n = strlen(name);

	for (; env && *env; env++)
		if (strncmp(*env, name, n) == 0 && (*env)[n] == '=')
			return *env + n + 1;
	return NULL;
}

static bool begins_with_one(const char *text, const char *const *beginnings)
{
	for (; *beginnings; beginnings++)
		if (strncmp(text, *beginnings, strlen(*beginnings)) == 0)
			return true;
	return false;
}

void proc_environ(struct strs *env, const char *const *without)
{
	for (char **entry = environ; *entry; entry++)
		if (!begins_with_one(*entry, without))
			strs_add(env, *entry);
}

static void find_paths(struct launch *l)
{
	const char *name = l->spec->argv[0], *path = lookup(l->env, "PATH");

	if (strchr(name, '/') || !*name) {
		strs_add(&l->paths, name);
		return;
	}
	if (!path)
		path = "/usr/local/bin:/usr/bin:/bin";
	for (;; path++) {
		size_t n = strcspn(path, ":");

		strs_format(&l->paths, "%.*s/%s", (int)(n ? n : 1), n ? path : ".", name);
		path += n;
		if (!*path)
			return;
	}
}

static void prepare_shell(struct launch *l)
{
	size_t n = 0;

	while (l->spec->argv[n])
		n++;
	l->shell_argv = mem_zero(n + 2, sizeof *l->shell_argv);
	for (size_t i = 1; i < n; i++)
		l->shell_argv[i + 1] = l->spec->argv[i];
}

static int failed(struct launch *l, const char *step)
{
	l->error = errno;
	l->step = step;
	return -1;
}

/* Ignored signals stay ignored over exec, and a handler must not run in borrowed memory. */
static void reset_signals(void)
{
	const struct sigaction normal = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &normal, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Sources that lie among 0, 1, 2 move out of the way before any of the three is made. */
static int place_standard(struct launch *l)
{
	int from[] = {l->spec->in, l->spec->out, l->spec->error};

	for (int i = 0; i < 3; i++)
		if (from[i] >= 0 && from[i] < 3 && from[i] != i) {
			from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 3);
			if (from[i] < 0)
				return failed(l, "dup");
		}
	for (int i = 0; i < 3; i++) {
		int fd = from[i] >= 0 ? from[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return failed(l, "/dev/null");
		if (fd == i ? fcntl(fd, F_SETFD, 0) < 0 : dup2(fd, i) < 0)
			return failed(l, "dup");
	}
	return 0;
}

/* Everything from 3 up closes at exec, whoever opened it, but for what is kept. */
static int place_rest(struct launch *l)
{
	if (syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC) < 0)
		for (int fd = 3; fd < 4096; fd++)
			fcntl(fd, F_SETFD, FD_CLOEXEC);
	for (size_t i = 0; i < l->spec->keep_count; i++)
		if (fcntl(l->spec->keep[i], F_SETFD, 0) < 0)
			return failed(l, "a descriptor to keep");
	return 0;
}

/* Before anything else, so that whatever befalls the parent befalls the child. */
static int tie_to_parent(struct launch *l)
{
	if (l->spec->outlives)
		return 0;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return failed(l, "prctl");
	if (getppid() != l->parent)
		_exit(EXIT_SIGNAL + SIGKILL); /* orphaned before the kernel was told */
	return 0;
}

static int place_process(struct launch *l)
{
	const struct spawn *s = l->spec;
	const struct rlimit memory = {(rlim_t)s->memory, (rlim_t)s->memory};

	if (s->new_session && setsid() < 0)
		return failed(l, "setsid");
	if (!s->new_session && !s->same_group && setpgid(0, 0) < 0)
		return failed(l, "setpgid");
	if (s->memory > 0 && setrlimit(RLIMIT_AS, &memory) < 0)
		return failed(l, "the memory limit");
	if (s->dir && chdir(s->dir) < 0)
		return failed(l, s->dir);
	return 0;
}

/* As execvp(3): a file that may not be executed is remembered, a missing one is not. */
static void execute(struct launch *l)
{
	int error = ENOENT;

	for (size_t i = 0; i < l->paths.count; i++) {
		execve(l->paths.item[i], l->spec->argv, l->env);
		if (errno == ENOEXEC) {
			l->shell_argv[0] = (char *)(uintptr_t) "/bin/sh";
			l->shell_argv[1] = l->paths.item[i];
			execve("/bin/sh", l->shell_argv, l->env);
		}
		if (errno != ENOENT && errno != ENOTDIR)
			error = errno;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			break;
	}
	l->error = error;
}

static int child_main(void *argument)
{
	struct launch *l = argument;
	int tied = tie_to_parent(l);

	owner_of(getpid(), &l->owner);
	if (tied == 0 && place_process(l) == 0 && place_standard(l) == 0 && place_rest(l) == 0) {
		reset_signals();
		execute(l);
	}
	_exit(EXIT_NOT_FOUND);
}

/* What the child's frames left behind in the sanitizer's shadow of the stack is wiped away: they
 * never returned. */
#ifdef __SANITIZE_ADDRESS__
void __asan_unpoison_memory_region(const volatile void *, size_t);
#else
#define __asan_unpoison_memory_region(memory, size) ((void)(memory))
#endif

/* A page of our own stack is the child's: we do not run until it needs it no more. */
static pid_t clone_with(int memory, struct launch *l, int *pidfd)
{
	_Alignas(16) char stack[32768];
	sigset_t all, old;
	pid_t pid;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = clone(child_main, stack + sizeof stack,
		memory | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, l, pidfd);
	if (pid < 0)
		pid = -errno;
	__asan_unpoison_memory_region(stack, sizeof stack);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return pid;
}

#ifdef __SANITIZE_THREAD__
/* What the thread sanitizer knows of us would change with what the child does: it gets a copy. */
static pid_t launch(struct launch *l, int *pidfd)
{
	int access = PROT_READ | PROT_WRITE, kind = MAP_SHARED | MAP_ANONYMOUS;
	struct launch *shared = mmap(NULL, sizeof *shared, access, kind, -1, 0);
	pid_t pid;

	if (shared == MAP_FAILED)
		return -errno;
	*shared = *l;
	pid = clone_with(0, shared, pidfd);
	*l = *shared;
	munmap(shared, sizeof *shared);
	return pid;
}
#else
static pid_t launch(struct launch *l, int *pidfd)
{
	return clone_with(CLONE_VM, l, pidfd);
}
#endif

static int say_why(const struct launch *l, struct err *e)
{
	if (l->step)
		return err_set(e, -ECANCELED, "%s: %s: %s", l->spec->argv[0], l->step,
			strerror(l->error));
	if (l->error == ENOENT)
		return err_set(e, -ENOENT, "%s: not found", l->spec->argv[0]);
	return err_set(
		e, -l->error, "%s: cannot be run: %s", l->spec->argv[0], strerror(l->error));
}

/* Ignored, as some leave it to their children, it would take the exit status from us. */
static void heed_ends(void)
{
	struct sigaction act;

	if (sigaction(SIGCHLD, NULL, &act) == 0 && act.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
}

static void reap(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

int proc_spawn(struct child *c, const struct spawn *spec, struct err *e)
{
	struct launch l = {.spec = spec, .parent = getpid()};
	int r = 0;

	heed_ends();
	id_boot(); /* read before the child would */
	*c = (struct child){.pid = -1, .pidfd = -1, .kill_at = NS_FOREVER};
	c->own_group = spec->new_session || !spec->same_group;
	l.env = spec->env ? spec->env : environ;
	find_paths(&l);
	prepare_shell(&l);
	c->pid = launch(&l, &c->pidfd);
	if (c->pid < 0) {
		r = err_sys(e, c->pid, "%s: clone", spec->argv[0]);
	} else if (l.error) {
		reap(c->pid);
		child_close(c);
		r = say_why(&l, e);
	}
	c->owner = l.owner;
	strs_clear(&l.paths);
	free(l.shell_argv);
	return r;
}
