/*
 * The form for scripts. The lease is looked after by a keeper, a process of ours that stays for
 * as long as the script has its descriptor open: the script's open file description owns a byte
 * of the lock's file on this machine, which the kernel frees with it, and a sleeper below the
 * keeper sleeps on that byte. If the keeper is killed, the sleeper does what is left to do.
 */
#include "loop-lock-redis.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "lock_bytes.h"
#include "lock_file.h"
#include "lock_owners.h"
#include "proc.h"
#include "state.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/time.h>

struct script {
	struct held held; /* first */
	struct lease lease;
	struct state state;
	int theirs, file; /* descriptors of the lock's file: the script's, and ours */
};

static bool is_open(const struct script *s)
{
	struct lock_range owned;

	return lock_bytes_owned(s->file, LOCK_LEASE + s->lease.token, 1, &owned) > 0;
}

/* To all who have it open at this moment. */
static void send(const struct held *held, int sig)
{
	const struct script *s = (const struct script *)held;
	struct lock_range hold = {LOCK_LEASE + s->lease.token, 1};
	struct lock_owners owners;

	if (lock_owners_find(&owners, s->file, hold) < 0)
		return;
	lock_owners_signal(&owners, sig);
	lock_owners_clear(&owners);
}

/* Without a keeper the lease runs out. */
static void end_orphan(const struct script *s)
{
	int64_t patience = clock_after(choices.lease / 6);

	tell(NEWS_LOST, &s->lease, 0, "who renewed it was killed");
	if (choices.on_loss == LOSS_WARNS)
		return;
	send(&s->held, SIGTERM);
	send(&s->held, SIGCONT);
	while (is_open(s)) {
		if (clock_now() >= patience)
			send(&s->held, SIGKILL);
		clock_sleep(20 * NS_PER_MS);
	}
}

static void on_tick(int sig)
{
	(void)sig;
}

/* The tick closes the gap between a look at the keeper and falling asleep. */
static void tick(void)
{
	const struct sigaction act = {.sa_handler = on_tick};
	const suseconds_t us = (suseconds_t)(MIN(NS_PER_S - 1, choices.lease / 6) / NS_PER_US);
	const struct itimerval often = {{.tv_usec = us}, {.tv_usec = us}};
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (sigaction(SIGALRM, &act, NULL) < 0 || setitimer(ITIMER_REAL, &often, NULL) < 0)
		_exit(EX_OSERR);
}

static void NORETURN sleep_on(const struct script *s, pid_t keeper)
{
	int r;

	tick();
	do
		r = lock_bytes_sleep(s->file, LOCK_LEASE + s->lease.token);
	while (r == -EINTR && getppid() == keeper);
	if (getppid() != keeper && is_open(s))
		end_orphan(s);
	else if (r < 0)
		clock_sleep(NS_PER_S);
	_exit(EXIT_SUCCESS);
}

/* A descriptor that tells of its end; -errno: it could not be started, and is tried again. */
static int start_sleeper(const struct script *s, pid_t *sleeper)
{
	pid_t self = getpid();

	*sleeper = fork();
	if (*sleeper == 0)
		sleep_on(s, self);
	return *sleeper < 0 ? -errno : process_open(*sleeper);
}

static void watch_once(struct script *s)
{
	pid_t sleeper;
	AUTO_CLOSE int ended = start_sleeper(s, &sleeper);

	held_watch(&s->held, ended);
	if (sleeper > 0) {
		kill(sleeper, SIGKILL);
		proc_reap(sleeper);
	}
}

/* Nothing of the script's is kept: whoever reads what it writes waits for the end of that. */
static int leave(const struct script *s)
{
	int null = io_open(AT_FDCWD, "/dev/null", O_RDWR, 0);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return -errno;
	close(null);
	close(s->theirs);
	setsid();
	return setenv("LOOP_DIR", s->state.path, 1) < 0 ? -errno : 0;
}

/* Until the script has let go, or lost it and is left alone. */
static void NORETURN keep(struct script *s, int ready)
{
	if (leave(s) < 0 || lock_bytes_own(s->file, LOCK_KEEPER + s->lease.token, 1) < 0 ||
		io_write(ready, "", 1) < 0)
		_exit(EX_OSERR);
	close(ready);
	held_begin(&s->held);
	do
		watch_once(s);
	while (is_open(s) && !(s->held.lost && choices.on_loss == LOSS_WARNS));
	free_all(s->held.redis, &s->lease, 1);
	redis_close(s->held.redis);
	_exit(EXIT_SUCCESS);
}

static void start_keeper(struct script *s)
{
	int ends[2];
	char byte;
	pid_t keeper;

	if (lock_bytes_own(s->theirs, LOCK_LEASE + s->lease.token, 1) < 0 || io_pipe(ends) < 0)
		die_errno(EX_OSERR, "locks/%s", s->lease.name);
	keeper = fork();
	if (keeper == 0)
		keep(s, ends[1]);
	close(ends[1]);
	if (keeper > 0 && io_read(ends[0], &byte, 1) == 1)
		return;
	lock_bytes_free(s->theirs, LOCK_LEASE + s->lease.token, 1);
	free_all(s->held.redis, &s->lease, 1);
	die(EX_OSERR, "locks/%s: there is nobody to renew its lease", s->lease.name);
}

static void open_file(struct script *s)
{
	struct err e = {0};
	int r = state_open(&s->state, &e);

	if (r == 0)
		r = s->file = lock_file_open(&s->state, s->lease.name, &e);
	if (r >= 0)
		r = lock_file_lends(s->file, s->theirs, &s->state, s->lease.name, &e);
	if (r < 0)
		die_err(r, &e);
	if (lock_descriptor_holds(s->theirs))
		die(EX_USAGE, "descriptor %d holds a lock already", s->theirs);
}

/* What else the script has open is not for us, nor for what we leave running. */
static int only_descriptor(void)
{
	int fd = (int)choices.fd;

	if (fd < 3)
		die_usage("--fd is needed: the number of a descriptor that the script opened, "
			  "3 or more");
	if (fcntl(fd, F_GETFD) < 0)
		die(EX_USAGE, "descriptor %d is not open", fd);
	if (fd > 3)
		close_range(3, (unsigned)fd - 1, 0);
	close_range((unsigned)fd + 1, ~0U, 0);
	return fd;
}

static int take(struct script *s)
{
	char name[PROCESS_NAME_SIZE];
	struct asker asker;
	int status;

	process_name(getppid(), name);
	describe(&asker, name, name);
	if (wait_init() < 0)
		die_errno(EX_OSERR, "signals");
	s->held.redis = open_to_hold();
	status = take_all(s->held.redis, &s->lease, 1, &asker);
	return status == EXIT_TIMEDOUT ? EX_TEMPFAIL : status;
}

int run_acquire(const struct args *args)
{
	static struct script s = {.held = {.count = 1, .send = send, .until_loss = true}};
	int status;

	args_expect(args, 1, 1);
	check_times();
	s.theirs = only_descriptor();
	s.held.lease = &s.lease;
	lease_parse(&s.lease, args->item[0], choices.shared);
	s.lease.pid = getppid();
	open_file(&s);
	status = take(&s);
	if (status)
		return status;
	start_keeper(&s);
	if (choices.print)
		printf("%lld %s\n", (long long)s.lease.token, s.lease.slots);
	return EXIT_SUCCESS;
}
