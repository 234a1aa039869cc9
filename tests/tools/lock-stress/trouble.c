/* Starts the workers, kills and stops them, starts them anew, and looks who waits in vain. */
#include "stress.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#define LOST_AFTER (3 * NS_PER_S)
#define DEADLOCK_AFTER (2 * NS_PER_S)
#define LOOK_EVERY (NS_PER_S / 10)

enum { STOP_MS = 400 }; /* at most */

static struct tally {
	long long kills;  /* at any moment, by us */
	long long deaths; /* at a system call, by themselves */
	long long stops;
} tally;

static void start_worker(struct worker *w, const struct state *state)
{
	static unsigned number;
	pid_t pid;

	atomic_store(&board->started, clock_now());
	atomic_store(&w->since, 0);
	atomic_store(&w->victim, false);
	w->hit = false;
	for (int i = 0; i < LOCKS; i++)
		atomic_store(&w->holds[i], HOLDS_NOT);
	atomic_store(&w->level, settings.mode->levels ? (int)(w - board->worker) % LEVELS : 0);
	number++;
	pid = fork();
	if (pid < 0)
		die_errno(EX_OSERR, "fork");
	if (pid == 0)
		worker_run(w, state, number);
	atomic_store(&w->pid, pid);
}

static struct worker *worker_of(pid_t pid)
{
	for (int i = 0; i < settings.processes; i++)
		if (atomic_load(&board->worker[i].pid) == pid)
			return &board->worker[i];
	return NULL;
}

/* A cycle that nobody broke in time, and that stands when looked at again. */
static bool is_overdue(const struct worker *w)
{
	int64_t formed = cycle_since(w, -ORDER_TOLERANCE);

	if (!formed || clock_now() - formed < DEADLOCK_AFTER)
		return false;
	clock_sleep(NS_PER_MS);
	return cycle_since(w, -ORDER_TOLERANCE) == formed;
}

/* It waits for long, and none of what it waits for is owned or was let go in that time. */
static bool is_forgotten(const struct worker *w)
{
	int64_t since = atomic_load(&w->since), now = clock_now();
	unsigned wants = atomic_load(&w->wants);

	if (!since || now - since < LOST_AFTER)
		return false;
	for (int i = 0; i < LOCKS; i++)
		if (wants >> i & 1 &&
			(now - atomic_load(&board->released[i]) < LOST_AFTER || lock_is_owned(i)))
			return false;
	return true;
}

static int64_t find_lost(void)
{
	int64_t lost = 0;

	for (int i = 0; i < settings.processes; i++) {
		const struct worker *w = &board->worker[i];

		lost += settings.mode->nested ? is_overdue(w) : is_forgotten(w);
	}
	return lost;
}

static void wake_later(pid_t pid)
{
	if (fork() == 0) {
		clock_sleep(random_below(STOP_MS) * NS_PER_MS);
		kill(pid, SIGCONT);
		_exit(0);
	}
}

/* What became of a child: a worker that ended by itself is wrong. */
static void take_in(pid_t pid, int status, const struct state *state)
{
	struct worker *w = worker_of(pid);

	if (!w)
		return;
	if (WIFSTOPPED(status)) {
		tally.stops++;
		wake_later(pid);
		return;
	}
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		*(w->hit ? &tally.kills : &tally.deaths) += 1;
	else
		atomic_fetch_add(&board->failures, 1);
	start_worker(w, state);
}

static void disturb(int64_t *next, int64_t every_ms, int signal)
{
	struct worker *w;

	if (!every_ms || clock_now() < *next)
		return;
	w = &board->worker[random_below((int)settings.processes)];
	w->hit |= signal == SIGKILL;
	kill(atomic_load(&w->pid), signal);
	*next = clock_after(random_below((int)(every_ms * 2000)) * NS_PER_US);
}

static void end_all(void)
{
	for (int i = 0; i < settings.processes; i++)
		kill(atomic_load(&board->worker[i].pid), SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
}

static void print_tally(void)
{
	printf("%s, %lld processes: ", settings.mode->name, (long long)settings.processes);
	if (settings.kill_ms || settings.dies)
		printf("%lld killed, %lld at a system call, ", tally.kills, tally.deaths);
	if (settings.stop_ms || settings.halts)
		printf("%lld stopped, ", tally.stops);
}

int64_t make_trouble(const struct state *state)
{
	int64_t end = clock_after(settings.seconds * NS_PER_S), lost = 0;
	int64_t next_kill = 0, next_stop = 0, next_look = 0;
	pid_t pid;
	int status;

	for (int i = 0; i < settings.processes; i++)
		start_worker(&board->worker[i], state);
	srandom((unsigned)settings.seed);
	while (clock_now() < end) {
		clock_sleep(NS_PER_MS / 2);
		disturb(&next_kill, settings.kill_ms, SIGKILL);
		disturb(&next_stop, settings.stop_ms, SIGSTOP);
		while ((pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0)
			take_in(pid, status, state);
		if (clock_now() >= next_look) {
			lost = MAX(lost, find_lost());
			next_look = clock_after(LOOK_EVERY);
		}
	}
	end_all();
	print_tally();
	return lost;
}
