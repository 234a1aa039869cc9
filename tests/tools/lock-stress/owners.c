/* Who owns what, by the board; and what may not be. */
#include "io.h"
#include "stress.h"

#include <fcntl.h>

/* A killed process may own what it no longer can use: its exit frees locks before it is seen. */
bool process_lives(pid_t pid)
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

bool lock_is_owned(int lock)
{
	for (int i = 0; i < LOCK_CAPACITY_MAX; i++) {
		pid_t pid = atomic_load(&board->owner[lock][i]);

		if (pid && process_lives(pid))
			return true;
		if (settings.mode->capacity > 1 && i == settings.mode->capacity)
			return false;
	}
	return false;
}

static void violation(int lock, int64_t slot, pid_t other)
{
	atomic_fetch_add(&board->violations, 1);
	warn("violation: slot %lld of lock %d is owned by %d and by %d", (long long)slot, lock,
		(int)other, (int)getpid());
}

static int64_t slot_at(const struct lock *lock, size_t i, const struct lock_want *w, int64_t n)
{
	bool whole = w->capacity == 1 && !w->shared;

	if (whole)
		return n < LOCK_CAPACITY_MAX ? n : -1;
	return lock_slot(lock, i, n);
}

void claim(const struct lock *lock, size_t i, const struct lock_want *w, int which)
{
	int64_t slot, n = 0;
	pid_t self = getpid();

	for (; (slot = slot_at(lock, i, w, n)) >= 0; n++) {
		pid_t before = atomic_exchange(&board->owner[which][slot], self);

		if (before && process_lives(before))
			violation(which, slot, before);
	}
	if (w->capacity > 1 && n != w->units)
		atomic_fetch_add(&board->violations, 1);
}

void disclaim(const struct lock *lock, size_t i, const struct lock_want *w, int which)
{
	int64_t slot;
	pid_t self = getpid();

	for (int64_t n = 0; (slot = slot_at(lock, i, w, n)) >= 0; n++) {
		pid_t expected = self;

		if (!atomic_compare_exchange_strong(&board->owner[which][slot], &expected, 0))
			atomic_fetch_add(&board->violations, 1);
	}
	atomic_store(&board->released[which], clock_now());
	atomic_store(&board->freed[which], clock_now());
}

void claim_nested(struct worker *me, int which, bool shared)
{
	atomic_store(&me->holds[which], shared ? HOLDS_SHARED : HOLDS_ALONE);
	for (int i = 0; i < settings.processes; i++) {
		const struct worker *w = &board->worker[i];
		int holds = w == me ? HOLDS_NOT : atomic_load(&w->holds[which]);

		if (holds == HOLDS_NOT || (shared && holds == HOLDS_SHARED))
			continue;
		if (process_lives(atomic_load(&w->pid)) && atomic_load(&w->holds[which]))
			violation(which, 0, atomic_load(&w->pid));
	}
}

void disclaim_nested(struct worker *me, int which)
{
	atomic_store(&me->holds[which], HOLDS_NOT);
}
