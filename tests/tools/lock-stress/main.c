/*
 * lock-stress: many processes lock, hold and release while they are killed and
 * stopped at random, and a referee who knows everything counts what is wrong.
 *
 *	lock-stress MODE [SETTING N]...
 *
 * Modes: mutex, shared, counted, several (three of five locks at once), priority
 * (four levels, 2.4 s of waiting apart), deadlock (two to four of eight, one after
 * the other in any order, shared or alone), queue (all wait for one hold, which then
 * passes through them once: the mean cost of a hand-over).
 *
 * Settings: processes, seconds, seed; hold (us, at most); kills and stops (ms, on
 * average, between two of them, at any moment); dies and halts (one round of so many
 * is killed, or stopped for a while, at a system call of the lock's code); idle (of
 * queue: seconds that all wait before the hold is let go).
 *
 * Wrong are: a slot that a living process owns is given to another (violation); no
 * wanted lock is owned or was let go in three seconds (lost wake-up); somebody was
 * passed by one that stands behind it; a victim that was on no cycle or whose cycle
 * had a victim already; a cycle that stands for two seconds. Prints one line, and
 * one a level; status 1 if anything was wrong.
 */
#include "parse.h"
#include "stress.h"

#include <errno.h>
#include <sys/mman.h>

struct board *board;
struct settings settings = {.processes = 50, .seconds = 3, .hold_us = 200, .seed = 1};

static const struct mode modes[] = {
	{"mutex", 1, 1, 1, 1, 0, false, false, false},
	{"shared", 1, 1, 1, 1, 75, false, false, false},
	{"counted", 1, 1, 4, 3, 0, false, false, false},
	{"several", 5, 3, 1, 1, 0, false, false, false},
	{"priority", 1, 1, 1, 1, 0, false, true, false},
	{"deadlock", 8, 4, 1, 1, 40, true, false, false},
	{"queue", 1, 1, 1, 1, 0, false, false, true},
};

static void set(const char *name, const char *value)
{
	const struct {
		const char *name;
		int64_t *value, max;
	} known[] = {
		{"processes", &settings.processes, PROCESSES},
		{"seconds", &settings.seconds, 86400},
		{"kills", &settings.kill_ms, 60000},
		{"stops", &settings.stop_ms, 60000},
		{"dies", &settings.dies, 1000000},
		{"halts", &settings.halts, 1000000},
		{"hold", &settings.hold_us, 1000000},
		{"idle", &settings.idle, 86400},
		{"seed", &settings.seed, INT32_MAX},
	};

	for (size_t i = 0; i < countof(known); i++)
		if (strcmp(name, known[i].name) == 0 &&
			parse_int(value, 0, known[i].max, known[i].value) == 0)
			return;
	die_usage("'%s %s' is no setting", name, value);
}

static void read_arguments(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < countof(modes); i++)
		if (strcmp(argv[1], modes[i].name) == 0)
			settings.mode = &modes[i];
	if (!settings.mode || argc % 2)
		die_usage("lock-stress MODE [SETTING N]...");
	for (int a = 2; a < argc; a += 2)
		set(argv[a], argv[a + 1]);
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
	if (settings.mode->queue)
		return run_queue(&state);
	board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		0);
	if (board == MAP_FAILED)
		die_errno(EX_OSERR, "mmap");
	open_court(&state);
	lost = make_trouble(&state);
	state_close(&state);
	return score_print(lost);
}
