/*
 * lock-stress: many processes lock, hold and release while they are killed and
 * stopped at random, and a referee who knows everything counts what is wrong.
 *
 *	lock-stress MODE [processes N] [seconds N] [kills MS] [stops MS] [hold US] [seed N]
 *
 * Modes: mutex, shared, counted, several (three of five locks at once), priority
 * (of four levels), deadlock (two to four of eight, one after the other in any
 * order), queue (all wait for one hold, which then passes through them once: the
 * mean cost of a hand-over). Every MS a process
 * is killed or stopped for a while. In shared memory each slot has its owner: an
 * acquisition that finds a living one there is a violation. A lock that nobody
 * owns while somebody has waited three seconds for it is a lost wake-up. In
 * deadlock mode a victim must find the cycle that it was told of. Prints one
 * line; status 1 if anything was wrong.
 */
#include "clock.h"
#include "die.h"
#include "io.h"
#include "lock.h"
#include "lock_view.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { LOCKS = 8,
	PROCESSES = 1024,
	LEVELS = 4,
	BUCKETS = 32 };

#define LOST_AFTER (3 * NS_PER_S)
#define DEADLOCK_AFTER (2 * NS_PER_S)
#define ENROLLED_AFTER (NS_PER_S / 4) /* in the queue by then, however loaded the machine is */

struct mode {
	const char *name;
	int locks, wants; /* of how many locks how many are taken */
	int64_t capacity, units;
	int shared_percent;
	bool nested, levels, queue;
};

static const struct mode modes[] = {
	{"mutex", 1, 1, 1, 1, 0, false, false, false},
	{"shared", 1, 1, 1, 1, 75, false, false, false},
	{"counted", 1, 1, 4, 3, 0, false, false, false},
	{"several", 5, 3, 1, 1, 0, false, false, false},
	{"priority", 1, 1, 1, 1, 0, false, true, false},
	{"deadlock", 8, 4, 1, 1, 0, true, false, false},
	{"queue", 1, 1, 1, 1, 0, false, false, true},
};

struct worker {
	_Atomic pid_t pid;
	_Atomic int64_t waits_since[LOCKS];
	_Atomic bool victim;
	_Atomic int level;
};

/* What the referee knows. */
static struct board {
	_Atomic pid_t owner[LOCKS][LOCK_CAPACITY_MAX];
	_Atomic int64_t released[LOCKS];
	_Atomic int64_t acquisitions, violations, phantoms, victims, failures, longest, hand_overs;
	_Atomic int64_t inversions;
	_Atomic int64_t bucket[BUCKETS]; /* hand-overs by the logarithm of their microseconds */
	struct worker worker[PROCESSES];
} * board;

static const struct mode *mode;
static pid_t self;
static int64_t processes = 50, seconds = 3, kill_ms, stop_ms, hold_us = 200, seed = 1;

static void raise_to(_Atomic int64_t *most, int64_t value)
{
	int64_t old = atomic_load(most);

	while (value > old && !atomic_compare_exchange_weak(most, &old, value))
		;
}

/* A killed process may own what it no longer can use: its exit frees locks before it is seen. */
static bool lives(pid_t pid)
{
	char path[32], text[512];
	unsigned flags = 0;
	AUTO_CLOSE int fd = -1;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	fd = io_open(-1, path, O_RDONLY, 0);
	n = fd < 0 ? fd : io_read(fd, text, sizeof text - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	if (sscanf(strrchr(text, ')'), ") %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
		return false;
	return !(flags & 4); /* PF_EXITING of the kernel's sched.h */
}

static void claim(int lock, int64_t slot)
{
	pid_t before = atomic_exchange(&board->owner[lock][slot], self);

	if (before && lives(before)) {
		atomic_fetch_add(&board->violations, 1);
		warn("violation: slot %lld of lock %d is owned by %d and by %d", (long long)slot,
			lock, (int)before, (int)self);
	}
}

static int64_t slot_at(const struct lock *lock, size_t i, const struct lock_want *w, int64_t n)
{
	bool whole = w->capacity == 1 && !w->shared;

	if (whole)
		return n < LOCK_CAPACITY_MAX ? n : -1;
	return lock_slot(lock, i, n);
}

static void claim_all(const struct lock *lock, size_t i, const struct lock_want *w, int which)
{
	int64_t slot, n = 0;

	for (; (slot = slot_at(lock, i, w, n)) >= 0; n++)
		claim(which, slot);
	if (w->capacity > 1 && n != w->units)
		atomic_fetch_add(&board->violations, 1);
}

static void disclaim_all(const struct lock *lock, size_t i, const struct lock_want *w, int which)
{
	int64_t slot;

	for (int64_t n = 0; (slot = slot_at(lock, i, w, n)) >= 0; n++) {
		pid_t expected = self;

		if (!atomic_compare_exchange_strong(&board->owner[which][slot], &expected, 0))
			atomic_fetch_add(&board->violations, 1);
	}
	atomic_store(&board->released[which], clock_now());
}

/* A hand-over is from the last release to the hold of one who waited already by then. */
static void count_hand_over(int which, int64_t began, int64_t now)
{
	int64_t released = atomic_load(&board->released[which]), us;
	int bucket = 0;

	raise_to(&board->longest, now - began);
	if (released <= began)
		return;
	us = (now - released) / NS_PER_US;
	while (bucket < BUCKETS - 1 && us >> bucket > 1)
		bucket++;
	atomic_fetch_add(&board->hand_overs, 1);
	atomic_fetch_add(&board->bucket[bucket], 1);
}

static int random_below(int n)
{
	return (int)(random() % n);
}

static void spend(int64_t us)
{
	if (us)
		clock_sleep(random_below((int)us) * NS_PER_US);
}

struct pick {
	int which[LOCKS];
	char name[LOCKS][8];
	struct lock_want want[LOCKS];
	int count;
};

static void pick_locks(struct pick *p)
{
	p->count = mode->nested ? 2 + random_below(mode->wants - 1) : mode->wants;
	for (int i = 0; i < LOCKS; i++)
		p->which[i] = i;
	for (int i = 0; i < p->count; i++) {
		int k = i + random_below(mode->locks - i), swap = p->which[i];

		p->which[i] = p->which[k];
		p->which[k] = swap;
		snprintf(p->name[i], sizeof p->name[i], "s%d", p->which[i]);
		p->want[i] = (struct lock_want){
			.name = p->name[i],
			.capacity = mode->capacity,
			.units = 1 + random_below((int)mode->units),
			.shared = random_below(100) < mode->shared_percent,
		};
	}
}

static void fail(int code, const struct err *e)
{
	warn("%s (%d)", e->text, code);
	atomic_fetch_add(&board->failures, 1);
}

/*
 * Somebody more important who has been waiting for long was passed: the lock was
 * let go when it must have stood in the queue already.
 */
static void check_levels(int level)
{
	int64_t released = atomic_load(&board->released[0]);

	for (int i = 0; i < processes; i++) {
		int64_t since = atomic_load(&board->worker[i].waits_since[0]);

		if (since && since + ENROLLED_AFTER < released &&
			atomic_load(&board->worker[i].level) > level)
			atomic_fetch_add(&board->inversions, 1);
	}
}

/* All of the pick at once. */
static void round_of(struct worker *w, const struct state *state)
{
	int level = mode->levels ? random_below(LEVELS) : 2;
	const struct lock_options o = {.timeout = NS_FOREVER, .priority = level * 25};
	struct err e = {0};
	struct pick p;
	struct lock *lock;
	int64_t began = clock_now();
	int r;

	pick_locks(&p);
	atomic_store(&w->level, level);
	if (p.count == 1)
		atomic_store(&w->waits_since[p.which[0]], began);
	r = lock_acquire(&lock, state, p.want, (size_t)p.count, &o, &e);
	atomic_store(&w->waits_since[p.which[0]], 0);
	if (r < 0) {
		fail(r, &e);
		return;
	}
	if (p.count == 1)
		count_hand_over(p.which[0], began, clock_now());
	if (mode->levels)
		check_levels(level);
	atomic_fetch_add(&board->acquisitions, 1);
	for (int i = 0; i < p.count; i++)
		claim_all(lock, (size_t)i, &p.want[i], p.which[i]);
	spend(hold_us);
	for (int i = 0; i < p.count; i++)
		disclaim_all(lock, (size_t)i, &p.want[i], p.which[i]);
	lock_release(lock);
}

static struct worker *worker_of(pid_t pid)
{
	for (int i = 0; i < PROCESSES; i++)
		if (pid && atomic_load(&board->worker[i].pid) == pid)
			return &board->worker[i];
	return NULL;
}

static int lock_awaited_by(const struct worker *w)
{
	for (int i = 0; i < LOCKS; i++)
		if (w && atomic_load(&w->waits_since[i]))
			return i;
	return -1;
}

/*
 * Follows who waits for whom from a worker on: if that leads back to it, over no
 * victim, the time since which all of them have waited; else 0.
 */
static int64_t cycle_since(const struct worker *start)
{
	const struct worker *w = start;
	int64_t youngest = 0;

	for (int steps = 0; steps < PROCESSES; steps++) {
		int lock = lock_awaited_by(w);

		if (lock < 0 || (steps && atomic_load(&w->victim)))
			return 0;
		youngest = MAX(youngest, atomic_load(&w->waits_since[lock]));
		w = worker_of(atomic_load(&board->owner[lock][0]));
		if (w == start)
			return youngest;
	}
	return 0;
}

/* One after the other, in any order. */
static void nested_round_of(struct worker *w, const struct state *state)
{
	const struct lock_options o = {.timeout = NS_FOREVER, .priority = 50};
	struct lock *held[LOCKS];
	struct err e = {0};
	struct pick p;
	int64_t formed;
	int n = 0, r = 0;

	pick_locks(&p);
	for (; n < p.count && r == 0; n += r == 0) {
		_Atomic int64_t *since = &w->waits_since[p.which[n]];

		atomic_store(since, clock_now());
		r = lock_acquire(&held[n], state, &p.want[n], 1, &o, &e);
		if (r == -EDEADLK) {
			atomic_fetch_add(&board->victims, 1);
			formed = cycle_since(w);
			if (!formed)
				atomic_fetch_add(&board->phantoms, 1);
			else
				raise_to(&board->longest, clock_now() - formed);
			atomic_store(&w->victim, true);
		} else if (r < 0) {
			fail(r, &e);
		} else {
			claim(p.which[n], 0);
			atomic_fetch_add(&board->acquisitions, 1);
			spend(hold_us);
		}
		atomic_store(since, 0);
	}
	while (n-- > 0) {
		atomic_store(&board->owner[p.which[n]][0], 0);
		lock_release(held[n]);
	}
	atomic_store(&w->victim, false);
}

static void NORETURN work(struct worker *w, const struct state *state, unsigned number)
{
	srandom((unsigned)seed * 1000 + number);
	self = getpid();
	atomic_store(&w->pid, self);
	for (;;) {
		if (mode->nested)
			nested_round_of(w, state);
		else
			round_of(w, state);
		spend(hold_us * 2);
	}
}

static void start_worker(struct worker *w, const struct state *state)
{
	static unsigned number;
	pid_t pid;

	for (int i = 0; i < LOCKS; i++)
		atomic_store(&w->waits_since[i], 0);
	atomic_store(&w->victim, false);
	number++;
	pid = fork();
	if (pid < 0)
		die_errno(EX_OSERR, "fork");
	if (pid == 0)
		work(w, state, number);
	atomic_store(&w->pid, pid);
}

static bool owned(int lock)
{
	for (int i = 0; i < LOCK_CAPACITY_MAX; i++) {
		pid_t pid = atomic_load(&board->owner[lock][i]);

		if (pid && lives(pid))
			return true;
		if (mode->capacity > 1 && i == mode->capacity)
			return false;
	}
	return false;
}

/* A cycle that nobody broke in time, and that stands when looked at again. */
static bool is_overdue(const struct worker *w, int64_t now)
{
	int64_t formed = cycle_since(w);

	if (!formed || now - formed < DEADLOCK_AFTER)
		return false;
	clock_sleep(NS_PER_MS);
	return cycle_since(w) == formed;
}

/* What nobody owns though somebody has waited long for it; and cycles that nobody broke. */
static int64_t find_lost(void)
{
	int64_t now = clock_now(), lost = 0;

	for (int i = 0; i < processes; i++) {
		struct worker *w = &board->worker[i];
		int lock = lock_awaited_by(w);
		int64_t since = lock < 0 ? 0 : atomic_load(&w->waits_since[lock]);

		if (!since)
			continue;
		if (mode->nested)
			lost += is_overdue(w, now);
		else
			lost += now - since > LOST_AFTER && !owned(lock) &&
				clock_now() - atomic_load(&board->released[lock]) > LOST_AFTER;
	}
	return lost;
}

static void replace(struct worker *w, const struct state *state)
{
	pid_t pid = atomic_load(&w->pid);

	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	start_worker(w, state);
}

static void stop_for_a_while(struct worker *w)
{
	pid_t pid = atomic_load(&w->pid);
	pid_t waker;

	kill(pid, SIGSTOP);
	waker = fork();
	if (waker == 0) {
		clock_sleep(random_below(400) * NS_PER_MS);
		kill(pid, SIGCONT);
		_exit(0);
	}
}

static int64_t disturb(const struct state *state)
{
	int64_t end = clock_after(seconds * NS_PER_S), lost = 0, kills = 0;
	int64_t next_kill = clock_after(kill_ms * NS_PER_MS);
	int64_t next_stop = clock_after(stop_ms * NS_PER_MS), next_look = 0;

	while (clock_now() < end) {
		clock_sleep(NS_PER_MS / 2);
		if (kill_ms && clock_now() >= next_kill) {
			replace(&board->worker[random_below((int)processes)], state);
			next_kill = clock_after(random_below((int)(kill_ms * 2000)) * NS_PER_US);
			kills++;
		}
		if (stop_ms && clock_now() >= next_stop) {
			stop_for_a_while(&board->worker[random_below((int)processes)]);
			next_stop = clock_after(random_below((int)(2 * stop_ms)) * NS_PER_MS);
		}
		if (clock_now() >= next_look) {
			lost = MAX(lost, find_lost());
			next_look = clock_after(NS_PER_S / 10);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0 && stop_ms)
			;
	}
	printf("%s: %lld kills, ", mode->name, (long long)kills);
	return lost;
}

static int64_t percentile(int percent)
{
	int64_t all = atomic_load(&board->hand_overs), sum = 0;

	for (int i = 0; i < BUCKETS; i++) {
		sum += atomic_load(&board->bucket[i]);
		if (sum * 100 >= all * percent)
			return INT64_C(2) << i;
	}
	return 0;
}

static int report(int64_t lost)
{
	int64_t wrong = atomic_load(&board->violations) + atomic_load(&board->phantoms) +
		atomic_load(&board->failures) + atomic_load(&board->inversions) + lost;

	printf("%lld acquisitions, %lld violations, %lld lost, %lld failures, longest wait %lld ms",
		(long long)atomic_load(&board->acquisitions),
		(long long)atomic_load(&board->violations), (long long)lost,
		(long long)atomic_load(&board->failures),
		(long long)(atomic_load(&board->longest) / NS_PER_MS));
	if (mode->nested)
		printf(", %lld victims, %lld of them for nothing",
			(long long)atomic_load(&board->victims),
			(long long)atomic_load(&board->phantoms));
	if (mode->levels)
		printf(", %lld passed over", (long long)atomic_load(&board->inversions));
	if (!mode->nested && mode->wants == 1)
		printf(", hand-over p50 %lld us, p99 %lld us", (long long)percentile(50),
			(long long)percentile(99));
	putchar('\n');
	return finish(wrong || !atomic_load(&board->acquisitions) ? EXIT_NO : 0);
}

static void await_queue(const struct state *state, int64_t n)
{
	struct lock_view v = {0};
	struct err e = {0};

	for (;;) {
		if (lock_view_one(&v, state, "s0", &e) < 0)
			die(EX_SOFTWARE, "%s", e.text);
		if ((int64_t)v.waiters == n)
			break;
		lock_view_clear(&v);
		clock_sleep(20 * NS_PER_MS);
	}
	lock_view_clear(&v);
}

/* One hold that passes through all: every waiter is there before it starts. */
static int run_queue(const struct state *state)
{
	const struct lock_want want = {.name = "s0", .units = 1};
	const struct lock_options o = {.timeout = NS_FOREVER, .priority = 50};
	struct lock *lock;
	struct err e = {0};
	int64_t start;

	if (lock_acquire(&lock, state, &want, 1, &o, &e) < 0)
		die(EX_TEMPFAIL, "%s", e.text);
	for (int i = 0; i < processes; i++) {
		if (fork() == 0) {
			lock_release(lock); /* our copy of the description */
			_exit(lock_acquire(&lock, state, &want, 1, &o, &e) < 0);
		}
	}
	await_queue(state, processes);
	start = clock_now();
	lock_release(lock);
	for (int status; wait(&status) > 0;)
		if (status != 0)
			die(EX_SOFTWARE, "a waiter failed");
	printf("queue: %lld waiters, %lld us a hand-over\n", (long long)processes,
		(long long)((clock_now() - start) / processes / NS_PER_US));
	return finish(0);
}

static void read_arguments(int argc, char **argv)
{
	const struct {
		const char *name;
		int64_t *value, max;
	} settings[] = {{"processes", &processes, PROCESSES}, {"seconds", &seconds, 86400},
		{"kills", &kill_ms, 60000}, {"stops", &stop_ms, 60000},
		{"hold", &hold_us, 1000000}, {"seed", &seed, INT32_MAX}};

	for (size_t i = 0; argc > 1 && i < countof(modes); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			mode = &modes[i];
	if (!mode || argc % 2)
		die_usage("lock-stress MODE [SETTING N]...");
	for (int a = 2; a < argc; a += 2) {
		size_t i = 0;

		while (i < countof(settings) && strcmp(argv[a], settings[i].name) != 0)
			i++;
		if (i == countof(settings) ||
			parse_int(argv[a + 1], 0, settings[i].max, settings[i].value) < 0)
			die_usage("'%s %s' is no setting", argv[a], argv[a + 1]);
	}
}

int main(int argc, char **argv)
{
	struct err e = {0};
	struct state state;
	int64_t lost;
	int r;

	die_init("lock-stress", 0);
	read_arguments(argc, argv);
	r = state_open(&state, &e);
	if (r < 0)
		die_err(r, &e);
	if (mode->queue)
		return run_queue(&state);
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		0);
	if (board == MAP_FAILED)
		die_errno(EX_OSERR, "mmap");
	for (int i = 0; i < processes; i++)
		start_worker(&board->worker[i], &state);
	srandom((unsigned)seed);
	lost = disturb(&state);
	for (int i = 0; i < processes; i++)
		kill(atomic_load(&board->worker[i].pid), SIGKILL);
	while (wait(NULL) > 0 || errno == EINTR)
		;
	state_close(&state);
	return report(lost);
}
