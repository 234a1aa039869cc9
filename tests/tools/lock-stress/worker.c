/* A worker: it picks locks at random, takes them, holds them for a while, lets go, and again. */
#include "stress.h"

#include <errno.h>
#include <signal.h>

enum { CALLS = 40 }; /* system calls of a round with some waiting */

struct pick {
	int which[LOCKS];
	char name[LOCKS][8];
	struct lock_want want[LOCKS];
	int count;
};

int random_below(int n)
{
	return (int)(random() % n);
}

static void spend(int64_t us)
{
	if (us)
		clock_sleep(random_below((int)us) * NS_PER_US);
}

static void pick_locks(struct pick *p)
{
	const struct mode *mode = settings.mode;

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

static void light_fuse(void)
{
	if (settings.dies && random_below((int)settings.dies) == 0)
		fault_after(1 + random_below(CALLS), SIGKILL);
	else if (settings.halts && random_below((int)settings.halts) == 0)
		fault_after(1 + random_below(CALLS), SIGSTOP);
}

static void start_waiting(struct worker *w, unsigned wants)
{
	atomic_store(&w->wants, wants);
	atomic_store(&w->since, clock_now());
}

static void stop_waiting(struct worker *w)
{
	atomic_store(&w->since, 0);
}

/* All of the pick at once. */
static void round_of(struct worker *w, const struct state *state)
{
	const struct lock_options o = {
		.timeout = NS_FOREVER,
		.priority = LEVEL_BASE + atomic_load(&w->level),
	};
	struct err e = {0};
	struct pick p;
	struct lock *lock;
	unsigned wants = 0;
	int64_t began;
	int r;

	pick_locks(&p);
	for (int i = 0; i < p.count; i++)
		wants |= 1u << p.which[i];
	start_waiting(w, wants);
	began = atomic_load(&w->since);
	light_fuse();
	r = lock_acquire(&lock, state, p.want, (size_t)p.count, &o, &e);
	stop_waiting(w);
	if (r < 0) {
		fail(r, &e);
		return;
	}
	raise_to(&board->longest, clock_now() - began);
	if (p.count == 1)
		count_hand_over(p.which[0], began);
	if (settings.mode->levels)
		count_level(atomic_load(&w->level), began);
	atomic_fetch_add(&board->acquisitions, 1);
	for (int i = 0; i < p.count; i++)
		claim(lock, (size_t)i, &p.want[i], p.which[i]);
	spend(settings.hold_us);
	for (int i = 0; i < p.count; i++)
		disclaim(lock, (size_t)i, &p.want[i], p.which[i]);
	lock_release(lock);
}

/* One more lock beside those that it holds: 0 or why not. */
static int take_nested(struct worker *w, const struct state *state, const struct pick *p, int n,
	struct lock **held)
{
	const struct lock_options o = {.timeout = NS_FOREVER, .priority = LEVEL_BASE};
	struct err e = {0};
	int r;

	atomic_store(&w->shares, p->want[n].shared);
	start_waiting(w, 1u << p->which[n]);
	r = lock_acquire(held, state, &p->want[n], 1, &o, &e);
	if (r == -EDEADLK)
		judge_victim(w);
	else if (r < 0)
		fail(r, &e);
	if (r == 0) {
		claim_nested(w, p->which[n], p->want[n].shared);
		stop_waiting(w);
		atomic_fetch_add(&board->acquisitions, 1);
		spend(settings.hold_us);
	}
	return r;
}

/* One after the other, in any order. */
static void nested_round_of(struct worker *w, const struct state *state)
{
	struct lock *held[LOCKS];
	struct pick p;
	int n = 0;

	pick_locks(&p);
	light_fuse();
	while (n < p.count && take_nested(w, state, &p, n, &held[n]) == 0)
		n++;
	while (n-- > 0) {
		disclaim_nested(w, p.which[n]);
		lock_release(held[n]);
	}
	stop_waiting(w);
	atomic_store(&w->victim, false);
}

void worker_run(struct worker *w, const struct state *state, unsigned number)
{
	srandom((unsigned)settings.seed * 1000 + number);
	atomic_store(&w->pid, getpid());
	for (;;) {
		if (settings.mode->nested)
			nested_round_of(w, state);
		else
			round_of(w, state);
		spend(settings.hold_us * 2);
	}
}
