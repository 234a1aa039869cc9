/*
 * The referee of deadlocks. It knows what each worker holds and waits for, finds out
 * who can still go on if all do who can, and among the rest, through whom a cycle leads.
 */
#include "io.h"
#include "stress.h"

#include <fcntl.h>
#include <sys/file.h>

/* One worker at one moment. */
struct view {
	int64_t since; /* 0: it does not wait, or goes on */
	unsigned wants;
	bool shares;
	int holds[LOCKS];
	int64_t formed; /* the youngest wait on the best way to it from where the search began */
};

/* In this time before a victim gives up, a kill may have broken the cycle that it saw. */
#define KILLED_BEFORE (NS_PER_S / 10)

static struct view views[PROCESSES];
static char court[4096];

void open_court(const struct state *state)
{
	snprintf(court, sizeof court, "%s/court", state->path);
}

static void look(void)
{
	for (int i = 0; i < settings.processes; i++) {
		const struct worker *w = &board->worker[i];
		struct view *v = &views[i];

		v->since = atomic_load(&w->victim) ? 0 : atomic_load(&w->since);
		v->wants = atomic_load(&w->wants);
		v->shares = atomic_load(&w->shares);
		v->formed = 0;
		for (int k = 0; k < LOCKS; k++)
			v->holds[k] = atomic_load(&w->holds[k]);
	}
}

static int wanted(const struct view *v)
{
	return __builtin_ctz(v->wants);
}

/* Whether b, which does not go on, keeps a from going on: as a holder, or ahead in the queue. */
static bool blocks(const struct view *b, const struct view *a, int64_t tolerance)
{
	int lock = wanted(a), holds = b->holds[lock];

	if (a == b || !b->since)
		return false;
	if (holds == HOLDS_ALONE || (holds == HOLDS_SHARED && !a->shares))
		return true;
	return wanted(b) == lock && b->since < a->since + tolerance;
}

static bool is_blocked(const struct view *v, int64_t tolerance)
{
	for (int i = 0; i < settings.processes; i++)
		if (blocks(&views[i], v, tolerance))
			return true;
	return false;
}

static void reduce(int64_t tolerance)
{
	bool any = true;

	while (any) {
		any = false;
		for (int i = 0; i < settings.processes; i++) {
			if (!views[i].since || is_blocked(&views[i], tolerance))
				continue;
			views[i].since = 0;
			any = true;
		}
	}
}

/* Goes one step further along "is blocked by": whether a better way was found to anybody. */
static bool spread(const struct view *from, int64_t tolerance)
{
	bool any = false;

	for (int i = 0; i < settings.processes; i++) {
		struct view *to = &views[i];
		int64_t formed = MAX(from->formed, to->since);

		if (!blocks(to, from, tolerance) || (to->formed && to->formed <= formed))
			continue;
		to->formed = formed;
		any = true;
	}
	return any;
}

int64_t cycle_since(const struct worker *w, int64_t tolerance)
{
	struct view *start = &views[w - board->worker];
	bool any = true;

	look();
	if (!start->since)
		return 0;
	reduce(tolerance);
	if (!start->since)
		return 0;
	start->formed = start->since;
	spread(start, tolerance);
	start->formed = 0;
	while (any) {
		any = false;
		for (int i = 0; i < settings.processes; i++)
			if (views[i].formed && &views[i] != start)
				any |= spread(&views[i], tolerance);
	}
	return start->formed;
}

/* One at a time: of two victims of one cycle the second finds the cycle gone. */
void judge_victim(struct worker *w)
{
	AUTO_CLOSE int fd = io_open(AT_FDCWD, court, O_RDWR | O_CREAT, 0600);
	int64_t formed;

	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		die_errno(EX_OSERR, "%s", court);
	formed = cycle_since(w, ORDER_TOLERANCE);
	atomic_store(&w->victim, true);
	atomic_fetch_add(&board->victims, 1);
	if (formed)
		raise_to(&board->longest, clock_now() - formed);
	else if (clock_now() - atomic_load(&board->started) > KILLED_BEFORE)
		atomic_fetch_add(&board->phantoms, 1);
}
