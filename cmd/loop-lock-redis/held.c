/*
 * What the leases are held for, a command or a script, while it runs. Where one is lost, or
 * cannot be renewed, it is ended before somebody else may hold the lock: by SIGTERM when a
 * sixth of the lease is left, by SIGKILL at its end.
 */
#include "loop-lock-redis.h"

#include "clock.h"
#include "die.h"
#include "wait.h"

#include <signal.h>

/* The next SIGKILL, if that was not the end of all. */
#define AGAIN NS_PER_S

void held_begin(struct held *h)
{
	int64_t until = NS_FOREVER;

	for (size_t i = 0; i < h->count; i++)
		until = MIN(until, h->lease[i].until);
	h->end_at = until - choices.lease / 6;
	h->kill_at = until;
}

static void end_it(struct held *h)
{
	for (size_t i = 0; i < h->count; i++)
		if (h->lease[i].renew_at != NS_FOREVER) /* it was not told of */
			tell(NEWS_LOST, &h->lease[i], 0, "it could not be renewed");
	h->lost = true;
	h->end_at = NS_FOREVER;
	if (choices.on_loss == LOSS_WARNS) {
		h->kill_at = NS_FOREVER;
		return;
	}
	warn("the lease is lost: what holds it is ended");
	h->send(h, SIGTERM);
	h->send(h, SIGCONT);
	h->kill_at = MIN(h->kill_at, clock_after(choices.lease / 6));
}

/* The leases are looked after; how long it may go on follows from them. */
static void on_time(struct held *h)
{
	int64_t now = clock_now();

	if (now >= h->kill_at) {
		h->send(h, SIGKILL);
		h->kill_at = clock_after(AGAIN);
	}
	if (h->lost)
		return;
	if (now >= next_renewal(h->lease, h->count)) {
		int64_t until = renew_all(h->redis, h->lease, h->count);

		h->end_at = until ? until - choices.lease / 6 : 0;
		h->kill_at = until ? until : NS_FOREVER;
	}
	if (clock_now() >= h->end_at)
		end_it(h);
}

static bool is_over(const struct held *h)
{
	return h->until_loss && h->lost && choices.on_loss == LOSS_WARNS;
}

void held_watch(struct held *h, int ended)
{
	while (!is_over(h)) {
		int64_t renewal = h->lost ? NS_FOREVER : next_renewal(h->lease, h->count);
		int sig;

		switch (wait_for(ended, MIN(renewal, MIN(h->end_at, h->kill_at)), &sig)) {
		case WAIT_READY: return;
		case WAIT_SIGNAL:
			if (h->hand_on)
				h->hand_on(h, sig);
			break;
		case WAIT_DEADLINE:
			on_time(h);
			if (ended < 0)
				return;
			break;
		}
	}
}
