#include "job.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"

#define SWEEP_TIME (10 * NS_PER_S)
#define KILL_AFTER (10 * NS_PER_S)

static void make_environment(struct strs *env, const struct queue *q, const struct item *item)
{
	static const char *const ours[] = {"LOOP_JOB_", "LOOP_QUEUE=", NULL};

	proc_environ(env, ours);
	strs_format(env, "LOOP_QUEUE=%s", q->name);
	strs_format(env, "LOOP_JOB_ID=%s", item->id);
	strs_format(env, "LOOP_JOB_TOKEN=%s", item->token);
	strs_format(env, "LOOP_JOB_TRY=%lld", (long long)item->tries);
	strs_format(env, "LOOP_JOB_TRIES=%lld", (long long)item->max_tries);
	if (item->key[0])
		strs_format(env, "LOOP_JOB_KEY=%s", item->key);
}

static void settle(struct job *j, struct queue *q, enum settling how, struct settle *s)
{
	struct err e = {0};
	int64_t pause = 100 * NS_PER_MS;
	bool told = false;
	int r;

	s->id = j->item.id;
	s->token = j->item.token;
	/* A store that is away comes back; once the lease is over, there is nothing to say. */
	while ((r = q->ops->settle(q, how, s, 1, false, &e)) < 0) {
		if (!told)
			warn("item %s: %s", j->item.id, e.text);
		told = true;
		if (clock_now() >= j->lease_end)
			return;
		clock_sleep(pause);
		pause = MIN(pause * 2, NS_PER_S);
		e.text[0] = '\0';
	}
	if (s->result < 0)
		warn("item %s: the lease was lost: somebody else has it, or had", j->item.id);
}

/* A start that failed is a try that failed: the next worker's machine may be another. */
static void give_back(struct job *j, struct queue *q, const struct work_how *how, const char *why)
{
	struct settle s = {.delay = how->error_delay, .priority = -1, .why = why};

	warn("item %s: %s", j->item.id, why);
	settle(j, q, SETTLE_NACK, &s);
}

static void begin_lease(struct job *j)
{
	j->lease_end = clock_after(j->item.lease);
	j->renew = clock_after(j->item.lease / 3);
}

void job_start(
	struct job *j, struct queue *q, const struct work_how *how, const struct item *item)
{
	AUTO_STRS struct strs env = {0};
	AUTO_CLOSE int body = -1;
	struct spawn s = {.argv = how->command, .out = STDOUT_FILENO, .error = STDERR_FILENO};
	struct err e = {0};

	*j = (struct job){.item = *item, .permit = j->permit};
	begin_lease(j);
	body = io_memory("body", item->body.p, item->body.n);
	if (body < 0) {
		give_back(j, q, how, strerror(-body));
		return;
	}
	make_environment(&env, q, item);
	s.in = body;
	s.env = env.item;
	if (proc_spawn(&j->child, &s, &e) < 0) {
		give_back(j, q, how, e.text);
		return;
	}
	j->timeout = clock_after(how->timeout);
	j->busy = true;
}

void job_end(struct job *j, bool give_up)
{
	j->given_up |= give_up;
	child_end(&j->child, KILL_AFTER);
}

static void renew(struct job *j, struct queue *q)
{
	struct settle s = {.id = j->item.id, .token = j->item.token};
	struct err e = {0};
	int r = q->ops->settle(q, SETTLE_TOUCH, &s, 1, false, &e);

	if (r < 0) {
		/* Soon again: the store may come back before the lease is over. */
		warn("item %s: %s", j->item.id, e.text);
		j->renew = clock_after(MIN(NS_PER_S, j->item.lease / 6));
		return;
	}
	if (s.result == 0) {
		begin_lease(j);
		return;
	}
	warn("item %s: the lease was lost: the command is ended", j->item.id);
	j->lost = true;
	j->renew = NS_FOREVER;
	job_end(j, false);
}

void job_tick(struct job *j, struct queue *q)
{
	int64_t now = clock_now();

	if (now >= j->renew)
		renew(j, q);
	if (now >= j->timeout) {
		j->timed_out = true;
		j->timeout = NS_FOREVER;
		job_end(j, false);
	}
	child_tick(&j->child);
}

int64_t job_next(const struct job *j)
{
	return MIN(j->renew, MIN(j->timeout, j->child.kill_at));
}

static void sweep(const struct job *j, const pid_t *spare, size_t spare_count)
{
	AUTO_FREE char *token = mem_format("LOOP_JOB_TOKEN=%s", j->item.token);
	const char *const marks[] = {token, NULL};
	struct sweep swept;

	/* Alone, whatever is left below us is its; else what was started with its token. */
	proc_sweep(spare_count ? marks : NULL, spare, spare_count, clock_after(SWEEP_TIME),
		&swept);
}

static void settle_by_status(struct job *j, struct queue *q, const struct work_how *how, int status)
{
	char why[64];
	struct settle s = {.delay = how->error_delay, .priority = -1, .why = why};

	if (j->timed_out)
		snprintf(why, sizeof why, "timed out");
	else if (status > EXIT_SIGNAL)
		snprintf(why, sizeof why, "signal %d", status - EXIT_SIGNAL);
	else
		snprintf(why, sizeof why, "status %d", status);
	if (j->given_up) {
		s = (struct settle){.priority = -1, .uncounted = true};
		settle(j, q, SETTLE_NACK, &s);
	} else if (j->timed_out) {
		settle(j, q, SETTLE_NACK, &s);
	} else if (status == 0) {
		s.why = NULL;
		settle(j, q, SETTLE_ACK, &s);
	} else if (status == EX_DATAERR) {
		settle(j, q, SETTLE_BURY, &s);
	} else {
		s.uncounted = status == EX_TEMPFAIL;
		settle(j, q, SETTLE_NACK, &s);
	}
}

int job_finish(struct job *j, struct queue *q, const struct work_how *how, const pid_t *spare,
	size_t spare_count)
{
	int status = child_wait(&j->child);

	sweep(j, spare, spare_count);
	j->busy = false;
	if (!j->lost)
		settle_by_status(j, q, how, status);
	return status;
}
