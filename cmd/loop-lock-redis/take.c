/* Several leases, all or none, and their renewal. */
#include "loop-lock-redis.h"

#include "clock.h"
#include "die.h"
#include "wait.h"

#include <errno.h>

#define TOLD_AFTER NS_PER_S	     /* a wait that is worth an event */
#define ASK_LISTENING (3 * NS_PER_S) /* well within a waiter's attendance */
#define ASK_BY_TIME (200 * NS_PER_MS)

/* One lease that is waited for. */
struct wish {
	struct redis *redis, *ears; /* ears: a connection that only listens; NULL: none yet */
	struct lease *lease, *all;
	size_t had; /* of all; they are renewed meanwhile */
	const struct asker *asker;
	int64_t begun, deadline;
	bool told, complained;
};

static int64_t waited(const struct wish *w)
{
	return clock_now() - w->begun;
}

static void tell_waiting(struct wish *w, const struct err *e)
{
	if (w->told || waited(w) < TOLD_AFTER)
		return;
	w->told = true;
	tell(NEWS_WAITING, w->lease, waited(w), e->text);
}

static int listen_to(struct wish *w)
{
	struct err e = {0};

	if (!w->ears && lease_store(&w->ears, choices.store, NS_PER_S, &e) < 0)
		w->ears = NULL;
	return w->ears ? lease_listen(w->ears, w->lease) : -1;
}

/* Until something was given back, a lease ran out, or time is up. -EINTR: told to end. */
static int sleep_for(struct wish *w, int64_t again)
{
	int fd = listen_to(w), sig;
	int64_t until = clock_after(MIN(again, fd >= 0 ? ASK_LISTENING : ASK_BY_TIME));

	if (!w->told)
		until = MIN(until, w->begun + TOLD_AFTER);
	until = MIN(until, MIN(w->deadline, next_renewal(w->all, w->had)));
	switch (wait_for(fd, until, &sig)) {
	case WAIT_READY: redis_heard(w->ears); break;
	case WAIT_DEADLINE: break;
	case WAIT_SIGNAL: return wait_signal_ends(sig) ? sig : 0;
	}
	return 0;
}

static int refused(int code, const struct err *e)
{
	if (code != -ECANCELED)
		fail(code, e);
	warn("%s", e->text);
	return EX_TEMPFAIL;
}

/* Redis may be away for a while: whoever waits, waits. */
static bool passes(struct wish *w, int code, const struct err *e)
{
	if (code != -ENOTCONN || !w->asker->waits)
		return false;
	if (!w->complained)
		warn("%s; waiting for it", e->text);
	return w->complained = true;
}

/* 0: not yet; -1: it is held; else the exit status. */
static int ask_once(struct wish *w, int64_t *again, struct err *e)
{
	int code = lease_ask(w->redis, w->lease, w->asker, again, e);

	if (code > 0)
		return -1;
	if (code < 0 && !passes(w, code, e))
		return refused(code, e);
	if (code == 0)
		w->complained = false;
	tell_waiting(w, e);
	if (w->asker->waits && clock_now() < w->deadline)
		return 0;
	warn("%s", e->text);
	return w->asker->waits ? EXIT_TIMEDOUT : EX_TEMPFAIL;
}

static int wait_for_it(struct wish *w)
{
	for (;;) {
		struct err e = {0};
		int64_t again = ASK_LISTENING;
		int status = ask_once(w, &again, &e), sig;

		if (status < 0) {
			if (w->told) {
				tell(NEWS_ACQUIRED, w->lease, waited(w), NULL);
				w->lease->told = true;
			}
			return 0;
		}
		sig = status ? 0 : sleep_for(w, again + 5 * NS_PER_MS);
		if (sig)
			status = EXIT_SIGNAL + sig;
		else if (!status && !renew_all(w->redis, w->all, w->had))
			status = EX_TEMPFAIL;
		if (status) {
			(void)lease_free(w->redis, w->lease, &e);
			return status;
		}
	}
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct lease *)a)->name, ((const struct lease *)b)->name);
}

/* In the order of their names, as everybody does: so nobody waits for one another for ever. */
int take_all(struct redis *redis, struct lease *l, size_t count, const struct asker *asker)
{
	int64_t deadline = clock_after(choices.timeout >= 0 ? choices.timeout : NS_FOREVER);
	int status = 0;

	qsort(l, count, sizeof *l, by_name);
	for (size_t i = 1; i < count; i++)
		if (by_name(&l[i - 1], &l[i]) == 0)
			die_usage("%s is named twice", l[i].name);
	for (size_t i = 0; !status && i < count; i++) {
		struct wish w = {.redis = redis,
			.lease = &l[i],
			.all = l,
			.had = i,
			.asker = asker,
			.begun = clock_now(),
			.deadline = deadline};

		status = wait_for_it(&w);
		if (w.ears)
			redis_close(w.ears);
	}
	if (status)
		free_all(redis, l, count);
	return status;
}

void free_all(struct redis *redis, struct lease *l, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct err e = {0};

		if (!l[i].held)
			continue;
		if (lease_free(redis, &l[i], &e) < 0)
			warn("locks/%s: %s: it is free when its lease ends", l[i].name, e.text);
		if (l[i].told)
			tell(NEWS_RELEASED, &l[i], 0, NULL);
	}
}

int64_t next_renewal(const struct lease *l, size_t count)
{
	int64_t next = NS_FOREVER;

	for (size_t i = 0; i < count; i++)
		next = MIN(next, l[i].renew_at);
	return next;
}

static void lost(struct lease *l, const char *why)
{
	warn("%s", why);
	tell(NEWS_LOST, l, 0, why);
	l->renew_at = NS_FOREVER;
}

int64_t renew_all(struct redis *redis, struct lease *l, size_t count)
{
	int64_t until = NS_FOREVER;

	for (size_t i = 0; i < count; i++) {
		struct err e = {0};
		int code = 1;

		if (clock_now() >= l[i].renew_at)
			code = lease_renew(redis, &l[i], choices.lease, &e);
		if (code == 0) {
			lost(&l[i], e.text);
			return 0;
		}
		if (code < 0) {
			warn("locks/%s: not renewed: %s", l[i].name, e.text);
			l[i].renew_at = clock_after(MIN(NS_PER_S, choices.lease / 10));
		}
		until = MIN(until, l[i].until);
	}
	return until;
}
