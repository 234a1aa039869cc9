/* One worker: started with its slot's number, told to end, started again after a crash. */
#include "pool.h"

#include "backoff.h"
#include "buf.h"
#include "clock.h"
#include "die.h"

#include <signal.h>
#include <sys/wait.h>

/* A worker that lived so long did not crash at its start. */
#define STEADY (60 * NS_PER_S)

static const struct backoff crash_backoff = {
	.base = NS_PER_S, .cap = 60 * NS_PER_S, .factor = 2, .jitter = JITTER_EQUAL};

int64_t pool_count(const struct pool *p, enum slot_state state)
{
	int64_t n = 0;

	for (int64_t i = 0; i < choices.rules.max; i++)
		n += p->slot[i].state == state;
	return n;
}

/* loop-queue work QUEUE -- COMMAND: it claims, renews, and ends in order when told to. */
static void worker_command(const struct pool *p, struct strs *words)
{
	if (!choices.raw) {
		strs_add(words, "loop-queue");
		strs_add(words, "work");
		if (choices.lease)
			strs_format(words, "--lease=%lldms",
				(long long)(choices.lease / NS_PER_MS));
		if (choices.timeout != NS_FOREVER)
			strs_format(words, "--timeout=%lldms",
				(long long)(choices.timeout / NS_PER_MS));
		if (choices.breaker)
			strs_format(words, "--breaker=%s", choices.breaker);
		strs_add(words, p->queue->name);
		strs_add(words, "--");
	}
	for (char *const *word = p->command; *word; word++)
		strs_add(words, *word);
}

static void worker_environment(const struct pool *p, const struct slot *s, struct strs *env)
{
	static const char *const ours[] = {"LOOP_POOL_", "LOOP_QUEUE=", "LOOP_STORE=", NULL};

	proc_environ(env, ours);
	strs_format(env, "LOOP_POOL_SLOT=%d", (int)(s - p->slot));
	strs_format(env, "LOOP_POOL_PID=%d", (int)getpid());
	strs_format(env, "LOOP_QUEUE=%s", p->queue->name);
	strs_format(env, "LOOP_STORE=%s", choices.store);
}

static void wait_again(struct pool *p, struct slot *s, const char *what)
{
	char text[DURATION_SIZE];
	int64_t delay = backoff_delay(&crash_backoff, ++s->crashes);

	s->state = SLOT_WAITING;
	s->again = clock_after(delay);
	p->restarts++;
	warn("worker %d %s; again in %s", (int)(s - p->slot), what, format_duration(text, delay));
	pool_tell(p, "pool.worker_crashed", ",\"slot\":%d,\"crashes\":%u,\"delay_ms\":%lld",
		(int)(s - p->slot), s->crashes, (long long)(delay / NS_PER_MS));
}

static void start(struct pool *p, struct slot *s)
{
	AUTO_STRS struct strs words = {0}, env = {0};
	struct spawn how = {.in = -1, .out = STDOUT_FILENO, .error = STDERR_FILENO};
	struct err e = {0};

	worker_command(p, &words);
	worker_environment(p, s, &env);
	how.argv = words.item;
	how.env = env.item;
	s->since = clock_now();
	if (proc_spawn(&s->child, &how, &e) < 0) {
		wait_again(p, s, e.text);
		return;
	}
	s->state = SLOT_RUNNING;
}

/* The one that does nothing may well be another; each finishes what it does before it ends. */
static void let_go(struct slot *s)
{
	s->state = SLOT_LEAVING;
	kill(s->child.pid, SIGTERM);
}

static struct slot *find(struct pool *p, enum slot_state state, bool last)
{
	struct slot *found = NULL;

	for (int64_t i = 0; i < choices.rules.max; i++)
		if (p->slot[i].state == state && (!found || last))
			found = &p->slot[i];
	return found;
}

void pool_resize(struct pool *p, int64_t want, const char *why)
{
	int64_t from = pool_count(p, SLOT_RUNNING) + pool_count(p, SLOT_WAITING), n = from;
	struct slot *s;

	for (; n < want && (s = find(p, SLOT_FREE, false)); n++)
		start(p, s);
	for (; n > want; n--) {
		if ((s = find(p, SLOT_WAITING, true)))
			s->state = SLOT_FREE;
		else if ((s = find(p, SLOT_RUNNING, true)))
			let_go(s);
		else
			break;
	}
	if (n != from)
		pool_tell(p, "pool.scaled",
			",\"from\":%lld,\"to\":%lld,\"why\":\"%s\",\"ready\":%lld,\"claimed\":%lld",
			(long long)from, (long long)n, why, (long long)p->load.ready,
			(long long)p->load.claimed);
}

void pool_tick(struct pool *p)
{
	for (int64_t i = 0; i < choices.rules.max; i++)
		if (p->slot[i].state == SLOT_WAITING && clock_now() >= p->slot[i].again)
			start(p, &p->slot[i]);
}

void pool_end_all(struct pool *p, int sig)
{
	for (int64_t i = 0; i < choices.rules.max; i++) {
		struct slot *s = &p->slot[i];

		if (s->state == SLOT_WAITING)
			s->state = SLOT_FREE;
		if (s->state != SLOT_RUNNING && s->state != SLOT_LEAVING)
			continue;
		s->state = SLOT_LEAVING;
		kill(s->child.pid, sig);
	}
}

void slot_ended(struct pool *p, struct slot *s)
{
	char what[64];
	int status, code;

	if (waitpid(s->child.pid, &status, WNOHANG) != s->child.pid)
		return;
	child_close(&s->child);
	code = proc_exit_status(status);
	if (s->state == SLOT_LEAVING) {
		*s = (struct slot){0};
		return;
	}
	if (clock_now() - s->since > STEADY)
		s->crashes = 0;
	snprintf(what, sizeof what, "ended by itself with status %d", code);
	wait_again(p, s, what);
}
