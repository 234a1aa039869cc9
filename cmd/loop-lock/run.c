/*
 * The command takes the place of this process and inherits the hold: the same
 * pid, signals, terminal and exit status as without a lock, and nothing is left
 * that could be killed in its stead. With --close it is a child instead, and the
 * hold is this process's alone.
 */
#include "loop-lock.h"

#include "buf.h"
#include "die.h"
#include "mem.h"
#include "proc.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

/* Tokens and slots in the order in which the names were given, a blank between the names. */
static void export_hold(const struct lock *lock, size_t count, const struct state *state)
{
	AUTO_BUF struct buf tokens = {0}, slots = {0};

	for (size_t i = 0; i < count; i++) {
		buf_str(&tokens, i ? " " : "");
		buf_int(&tokens, lock_token(lock, i));
		buf_str(&slots, i ? " " : "");
		add_slots(&slots, lock, i);
	}
	if (setenv("LOOP_LOCK_TOKEN", tokens.text, 1) < 0 ||
		setenv("LOOP_LOCK_SLOT", slots.text, 1) < 0 ||
		setenv("LOOP_DIR", state->path, 1) < 0)
		die_errno(EX_OSERR, "environment");
}

static int execute(char **command)
{
	execvp(command[0], command);
	warn_errno("%s", command[0]);
	return errno == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_RUN;
}

/* Signals that are meant for the command when they come to us. */
static const int forwarded[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCONT};

static void NORETURN become_child(char **command, const sigset_t *mask, pid_t parent)
{
	/* Without us the hold is gone: so must the command be. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(EXIT_OWN);
	sigprocmask(SIG_SETMASK, mask, NULL);
	_exit(execute(command));
}

/* What the terminal sends goes to the whole foreground group anyway. */
static void forward(pid_t child, const siginfo_t *info)
{
	if (info->si_code <= 0 || info->si_signo == SIGTERM)
		kill(child, info->si_signo);
}

static int wait_for_child(pid_t child, const sigset_t *set)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (waitpid(child, &status, WNOHANG) == child)
			return proc_exit_status(status);
		if (sigwaitinfo(set, &info) > 0 && info.si_signo != SIGCHLD)
			forward(child, &info);
	}
}

static int run_apart(char **command)
{
	pid_t self = getpid(), child;
	sigset_t set, mask;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < countof(forwarded); i++)
		sigaddset(&set, forwarded[i]);
	sigprocmask(SIG_BLOCK, &set, &mask);
	signal(SIGCHLD, SIG_DFL); /* inherited as ignored, there would be nothing to wait for */
	child = fork();
	if (child < 0)
		die_errno(EX_OSERR, "fork");
	if (child == 0)
		become_child(command, &mask, self);
	return wait_for_child(child, &set);
}

/* Lets go, and tells of it where the taking was told of. */
static void let_go(struct lock **lock, const struct lock_want *want, size_t count,
	const struct state *state, const struct lock_options *options)
{
	AUTO_FREE bool *told = mem_zero(count, sizeof *told);

	for (size_t i = 0; i < count; i++)
		told[i] = lock_told(*lock, i);
	lock_release(*lock);
	*lock = NULL;
	for (size_t i = 0; i < count; i++)
		if (told[i])
			lock_tell_ended(state, want[i].name, LOCK_SEEN_HOLDER, options);
}

static void release(struct lock **lock)
{
	lock_release(*lock);
}

int run_command(const struct args *args)
{
	AUTO_FREE struct lock_want *want = mem_zero(args->count, sizeof *want);
	AUTO(state_close)
	struct state state = {.dir = -1};
	AUTO(release)
	struct lock *lock = NULL;
	struct lock_options options;
	struct err e = {0};
	int r;

	args_expect(args, 1, 0);
	if (!args->command || !args->command[0])
		die_usage("a command is needed: loop-lock NAME -- COMMAND");
	for (size_t i = 0; i < args->count; i++)
		want_parse(&want[i], args->item[i]);
	options = choices_options(args->command[0], &state);
	open_state(&state);
	r = lock_acquire(&lock, &state, want, args->count, &options, &e);
	if (r < 0)
		return refuse(r, &e, EXIT_TIMEDOUT);
	export_hold(lock, args->count, &state);
	if (choices.close) {
		r = run_apart(args->command);
		let_go(&lock, want, args->count, &state, &options);
		return r;
	}
	r = lock_inherit(lock, true);
	if (r < 0)
		die(EX_OSERR, "cannot hand the hold on: %s", strerror(-r));
	return execute(args->command);
}
