/*
 * Waiting for the journal to grow.
 */
#include "journal_reader.h"

#include "clock.h"
#include "watch.h"

#include <errno.h>
#include <poll.h>

/* Without inotify, how often to look. */
#define LOOK_AGAIN (20 * NS_PER_MS)

int journal_watch(struct journal_reader *r)
{
	if (r->watch == WATCH_LATER)
		r->watch = watch_folder(r->state->path);
	return r->watch < 0 ? -1 : r->watch;
}

bool journal_watched(struct journal_reader *r)
{
	unsigned told = watch_drain(r->watch, "events.");

	r->renamed |= (told & WATCH_NAMED) != 0;
	return told;
}

int journal_wait(struct journal_reader *r, int64_t deadline)
{
	bool fresh = r->watch == WATCH_LATER;
	struct pollfd p = {.fd = journal_watch(r), .events = POLLIN};

	/* What came before the watch was there is not told by it. */
	if (fresh)
		return 1;
	if (p.fd < 0) {
		clock_sleep(MAX(MIN(LOOK_AGAIN, deadline - clock_now()), INT64_C(0)));
		return clock_now() < deadline;
	}
	for (;;) {
		int n = poll(&p, 1, clock_poll_timeout(deadline));

		if (n <= 0)
			return n == 0 ? 0 : -errno;
		if (journal_watched(r))
			return 1;
	}
}
