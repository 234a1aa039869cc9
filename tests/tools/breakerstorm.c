/*
 * breakerstorm: many processes share one breaker and are killed at random
 * moments, while a referee that sees everything in shared memory compares what
 * they were told with what the file says.
 *
 *	breakerstorm SECONDS WORKERS
 *
 * Rules: never two probes of one generation at once; nothing counted twice or
 * lost; no call in a state that forbids it; when the killing stops and what is
 * called is well again, the breaker closes.
 */
#include "breaker.h"
#include "clock.h"
#include "die.h"
#include "json.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { WORKERS_MAX = 32 };

/* What one worker holds; cleared by itself, or by the referee when it was killed. */
struct slot {
	_Atomic int64_t probing; /* the generation its probe belongs to, 0: none */
	_Atomic pid_t pid;
};

static struct shared {
	struct slot slot[WORKERS_MAX];
	_Atomic bool sick;
	_Atomic int64_t intended, counted[3], late, calls, refused, violations;
} * shared;

static int64_t workers;

static const struct breaker_settings settings = {
	.cooldown = 20 * NS_PER_MS,
	.cooldown_cap = 60 * NS_PER_MS,
	.lease = 5 * NS_PER_S, /* the dead are found by their pid, not by their silence */
	.min_calls = 5,
};

static void violation(const char *what)
{
	shared->violations++;
	warn("%s", what);
}

static uint32_t dice(uint32_t sides)
{
	uint32_t n;

	id_random(&n, sizeof n);
	return n % sides;
}

static void check_probe(int self, const struct permit *p)
{
	if (!p->lease[0])
		return;
	shared->slot[self].probing = p->generation;
	for (int i = 0; i < workers; i++)
		if (i != self && shared->slot[i].probing == p->generation)
			violation("two probes at once");
}

static enum outcome make_call(void)
{
	clock_sleep(dice(4) * NS_PER_MS);
	shared->calls++;
	if (dice(20) == 0)
		return OUTCOME_IGNORED;
	return shared->sick ? dice(10) ? OUTCOME_FAILED : OUTCOME_OK : OUTCOME_OK;
}

static void one_round(int self, struct breaker *b)
{
	struct err e = {0};
	struct permit p;
	enum outcome o;
	int r = breaker_allow(b, &p, &e);

	if (r < 0)
		die_err(r, &e);
	if (r == 0) {
		shared->refused++;
		clock_sleep(NS_PER_MS);
		return;
	}
	if (p.state == BREAKER_OPEN || p.state == BREAKER_HELD ||
		(p.state == BREAKER_HALF_OPEN) != (p.lease[0] != '\0'))
		violation("let through where nobody may go");
	check_probe(self, &p);
	o = make_call();
	shared->slot[self].probing = 0;
	shared->intended++;
	r = breaker_record(b, &p, o, 0, &e);
	if (r < 0)
		die_err(r, &e);
	if (r == 0)
		shared->late++;
	else
		shared->counted[o]++;
}

static void begin(struct breaker *b, struct state *s)
{
	struct err e = {0};
	int r = state_open(s, &e);

	if (r == 0)
		r = breaker_init(b, s, "storm", &settings, &e);
	if (r < 0)
		die_err(r, &e);
}

static void start_worker(int i)
{
	struct breaker b;
	struct state s;
	pid_t pid = fork();

	if (pid < 0)
		die_errno(EX_OSERR, "fork");
	if (pid > 0) {
		shared->slot[i].pid = pid;
		return;
	}
	begin(&b, &s);
	for (;;)
		one_round(i, &b);
}

static void kill_worker(int i)
{
	kill(shared->slot[i].pid, SIGKILL);
	while (waitpid(shared->slot[i].pid, NULL, 0) < 0 && errno == EINTR)
		;
	shared->slot[i].probing = 0;
}

static int64_t total(const char *key)
{
	struct err e = {0};
	struct state s;
	json_t *totals = NULL;
	int64_t n = -1;
	int code = state_open(&s, &e);
	AUTO_JSON json_t *tree =
		code < 0 ? NULL : json_read(s.dir, "breakers/storm.json", 1 << 20, &code, &e);

	if (!tree || json_get_object(tree, "totals", &totals, &e) < 1 ||
		json_get_int(totals, key, 0, INT64_MAX, &n, &e) < 1)
		die(EXIT_NO, "%s", e.text);
	state_close(&s);
	return n;
}

/* What was acknowledged is in the file; what is more was under way when its process was killed. */
static void compare(void)
{
	static const char *const keys[] = {"ok", "failed", "ignored"};
	int64_t sum = total("late"), acknowledged = shared->late;

	for (size_t i = 0; i < countof(keys); i++) {
		if (total(keys[i]) < shared->counted[i])
			violation("an outcome was lost");
		sum += total(keys[i]);
		acknowledged += shared->counted[i];
	}
	if (sum < acknowledged || sum > shared->intended)
		violation("the sums do not agree");
	printf("%lld calls, %lld refused, %lld counted, %lld late, %lld probes lost, %lld trips\n",
		(long long)shared->calls, (long long)shared->refused,
		(long long)(acknowledged - shared->late), (long long)shared->late,
		(long long)total("lost"), (long long)total("opened"));
}

/* One caller that nobody kills has to get through. */
static void recover(void)
{
	int64_t deadline = clock_after(10 * NS_PER_S);
	struct breaker_view v;
	struct breaker b;
	struct state s;
	struct err e = {0};

	begin(&b, &s);
	do {
		one_round(0, &b);
		if (breaker_read(&b, &v, &e) < 0)
			die(EXIT_NO, "%s", e.text);
	} while (v.state != BREAKER_CLOSED && clock_now() < deadline);
	if (v.state != BREAKER_CLOSED)
		violation("it does not close again");
	state_close(&s);
}

static int64_t storm(int64_t deadline)
{
	int64_t kills = 0;

	for (int i = 0; i < workers; i++)
		start_worker(i);
	while (clock_now() < deadline) {
		int victim = (int)dice((uint32_t)workers);

		clock_sleep((int64_t)dice(20000) * NS_PER_US);
		if (dice(8) == 0)
			shared->sick = !shared->sick;
		kill_worker(victim);
		start_worker(victim);
		kills++;
	}
	for (int i = 0; i < workers; i++)
		kill_worker(i);
	return kills;
}

int main(int argc, char **argv)
{
	int64_t seconds, kills;

	die_init("breakerstorm", 0);
	if (argc != 3 || parse_int(argv[1], 1, 86400, &seconds) < 0 ||
		parse_int(argv[2], 1, WORKERS_MAX, &workers) < 0)
		die(EX_USAGE, "usage: breakerstorm SECONDS WORKERS");
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		0);
	if (shared == MAP_FAILED)
		die_errno(EX_OSERR, "mmap");
	kills = storm(clock_after(seconds * NS_PER_S));
	shared->sick = false;
	recover();
	compare();
	printf("%lld kills, %lld violations\n", (long long)kills, (long long)shared->violations);
	return finish(shared->violations ? EXIT_NO : EXIT_SUCCESS);
}
