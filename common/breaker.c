/*
 * Whoever looks moves the state on: no process watches the clock for the
 * others. What can be answered from the file as it stands is answered without
 * the lock.
 */
#include "breaker.h"

#include "backoff.h"
#include "breaker_file.h"
#include "clock.h"

#include <errno.h>

enum { TRIES = 100 };

#define ASK_AGAIN NS_PER_S /* of a probe that is out: its process may end unseen */

int breaker_init(struct breaker *b, const struct state *s, const char *name,
	const struct breaker_settings *wanted, struct err *e)
{
	*b = (struct breaker){.state = s, .wanted = *wanted};
	if (!name_valid(name))
		return err_set(e, -EINVAL,
			"'%s' is no name for a breaker: 1 to 128 of A-Za-z0-9._:@+-", name);
	snprintf(b->name, sizeof b->name, "%s", name);
	return breaker_settings_check(wanted, e);
}

static void set_state(struct breaker_file *f, enum breaker_state state, const char *why)
{
	f->state = state;
	f->generation++;
	f->since = clock_real();
	f->until = f->hint = f->passed = 0;
	f->probe = (struct probe){0};
	snprintf(f->why, sizeof f->why, "%s", why);
}

/* Doubled at each re-opening, and not the same for all that were opened by one cause. */
static int64_t cooldown(const struct breaker_file *f)
{
	const struct backoff doubling = {.base = f->settings.cooldown,
		.cap = f->settings.cooldown_cap,
		.factor = 2,
		.jitter = JITTER_NONE};
	unsigned times = (unsigned)MIN(f->reopened, 64);
	int64_t ns = backoff_delay(&doubling, times + 1);
	uint32_t random;

	id_random(&random, sizeof random);
	return ns - ns / 5 + (int64_t)((double)ns * 0.4 * (random / 4294967295.0));
}

static void trip(struct breaker_file *f, const char *why)
{
	int64_t hint = f->hint, now = clock_real();

	set_state(f, BREAKER_OPEN, why);
	f->until = hint > now ? hint : now + cooldown(f);
	f->totals.opened++;
}

static void reopen(struct breaker_file *f, const char *why)
{
	f->reopened++;
	trip(f, why);
}

static void close_again(struct breaker_file *f, const char *why)
{
	set_state(f, BREAKER_CLOSED, why);
	f->reopened = 0;
	f->count = 0;
}

static bool probe_lost(const struct breaker_file *f, int64_t now)
{
	const struct probe *p = &f->probe;

	return p->lease[0] && (now >= p->expires || (p->owner.pid && !owner_alive(&p->owner)));
}

/* What time alone has changed since the file was written: whether it has to be written. */
static bool settle(struct breaker_file *f, int64_t now)
{
	bool changed = false;

	if (f->since > now) { /* the clock was set back: what was left is left */
		f->until -= f->until ? f->since - now : 0;
		f->since = now;
		changed = true;
	}
	if (f->state == BREAKER_HALF_OPEN && probe_lost(f, now)) {
		f->totals.lost++;
		reopen(f, "a probe was lost");
		changed = true;
	}
	return changed;
}

/* Outcomes that are too old or too many. */
static void forget(struct breaker_file *f, int64_t now)
{
	size_t drop = 0;

	while (drop < f->count &&
		(now - f->call[drop].time > f->settings.max_age ||
			f->count - drop > (size_t)f->settings.window))
		drop++;
	f->count -= drop;
	memmove(f->call, f->call + drop, f->count * sizeof *f->call);
}

/* Whether the file as it stands answers: 1 go, 0 wait, -EAGAIN: the state has to move on. */
static int answer(const struct breaker_file *f, int64_t now, struct permit *p)
{
	*p = (struct permit){
		.generation = f->generation, .state = f->state, .again = NS_FOREVER};
	switch (f->state) {
	case BREAKER_CLOSED:
	case BREAKER_OBSERVED: return 1;
	case BREAKER_HELD: return 0;
	case BREAKER_OPEN:
		p->again = f->until;
		return now < f->until && f->since <= now ? 0 : -EAGAIN;
	case BREAKER_HALF_OPEN: break;
	}
	p->again = MIN(f->probe.expires, now + ASK_AGAIN);
	return f->probe.lease[0] && !probe_lost(f, now) ? 0 : -EAGAIN;
}

static void lend_probe(struct breaker_file *f, int64_t now, struct permit *p)
{
	uint32_t random;

	if (f->state == BREAKER_OPEN)
		set_state(f, BREAKER_HALF_OPEN, "the cooldown is over");
	id_random(&random, sizeof random);
	f->probe = (struct probe){.since = now, .expires = now + f->settings.lease};
	snprintf(f->probe.lease, sizeof f->probe.lease, "%08x", random);
	if (owner_self(&f->probe.owner) < 0)
		f->probe.owner.pid = 0; /* without /proc its end is seen when it does not renew */
	*p = (struct permit){
		.generation = f->generation, .state = f->state, .again = f->probe.expires};
	memcpy(p->lease, f->probe.lease, sizeof p->lease);
}

static int allow_locked(struct breaker *b, struct permit *p, struct err *e)
{
	struct breaker_file f;
	AUTO_CLOSE int lock = -1;
	int r = breaker_open_locked(b, &f, &lock, e), failed;
	int64_t now, before;
	bool changed;

	if (r < 0)
		return r;
	before = f.generation;
	changed = settle(&f, clock_real()) || b->repaired;
	now = clock_real(); /* not before what has just been settled */
	r = answer(&f, now, p);
	if (r == -EAGAIN) {
		lend_probe(&f, now, p);
		r = 1;
	} else if (!changed) {
		return r; /* another one was faster */
	}
	failed = breaker_commit(b, &f, before, e);
	return failed < 0 ? failed : r;
}

static int allow_once(struct breaker *b, struct permit *p, struct err *e)
{
	struct breaker_file f;
	struct err damage = {0};
	int r = breaker_load(b, &f, &damage);

	if (r == 0)
		r = answer(&f, clock_real(), p);
	if (r == -EAGAIN || r == -EINVAL)
		return allow_locked(b, p, e);
	return r < 0 ? err_set(e, r, "%s", damage.text) : r;
}

/* Where nobody is locked out, one of two that come at once has to look again. */
static bool is_again(int *tries, int r)
{
	return r == -ESTALE && (*tries)++ < TRIES;
}

int breaker_allow(struct breaker *b, struct permit *p, struct err *e)
{
	int r, tries = 0;

	do
		r = allow_once(b, p, e);
	while (is_again(&tries, r));
	return r;
}

/* Whether the permit is one of the state that the file is in. */
static bool permit_valid(const struct breaker_file *f, const struct permit *p)
{
	return p->generation == f->generation &&
		(f->state != BREAKER_HALF_OPEN || strcmp(p->lease, f->probe.lease) == 0);
}

static int renew_once(struct breaker *b, struct permit *p, struct err *e)
{
	struct breaker_file f;
	AUTO_CLOSE int lock = -1;
	int r = breaker_open_locked(b, &f, &lock, e);
	int64_t before;
	bool valid, changed;

	if (r < 0)
		return r;
	before = f.generation;
	changed = settle(&f, clock_real());
	valid = permit_valid(&f, p);
	if (valid)
		p->again = f.probe.expires = clock_real() + f.settings.lease;
	else if (!changed)
		return 0;
	r = breaker_commit(b, &f, before, e);
	return r < 0 ? r : valid;
}

int breaker_renew(struct breaker *b, struct permit *p, struct err *e)
{
	int r, tries = 0;

	if (!p->lease[0])
		return 1;
	do
		r = renew_once(b, p, e);
	while (is_again(&tries, r));
	return r;
}

struct window breaker_window(const struct breaker_file *f)
{
	struct window w = {.calls = (int64_t)f->count};

	for (size_t i = 0; i < f->count; i++) {
		w.failures += f->call[i].failed;
		w.in_a_row = f->call[i].failed ? w.in_a_row + 1 : 0;
	}
	return w;
}

static void count_call(struct breaker_file *f, bool failed, int64_t now)
{
	struct window w;
	char why[sizeof f->why];

	if (f->count == BREAKER_WINDOW_MAX)
		memmove(f->call, f->call + 1, --f->count * sizeof *f->call);
	f->call[f->count++] = (struct call){.time = now, .failed = failed};
	forget(f, now);
	w = breaker_window(f);
	if (f->state == BREAKER_OBSERVED)
		return;
	if (w.in_a_row >= f->settings.consecutive)
		snprintf(why, sizeof why, "%lld failures in a row", (long long)w.in_a_row);
	else if (w.calls >= f->settings.min_calls &&
		(double)w.failures >= f->settings.rate * (double)w.calls)
		snprintf(why, sizeof why, "%lld of %lld calls failed", (long long)w.failures,
			(long long)w.calls);
	else
		return;
	trip(f, why);
}

static void count_probe(struct breaker_file *f, bool failed)
{
	f->probe = (struct probe){0};
	if (failed)
		reopen(f, "a probe failed");
	else if (++f->passed >= f->settings.probes)
		close_again(f, "the probes succeeded");
}

static void count_outcome(struct breaker_file *f, enum outcome o, int64_t hint)
{
	int64_t now = clock_real();

	if (o == OUTCOME_IGNORED) {
		f->totals.ignored++;
		f->probe = (struct probe){0}; /* another may try */
		return;
	}
	*(o == OUTCOME_OK ? &f->totals.ok : &f->totals.failed) += 1;
	if (hint > f->hint && hint <= now + BREAKER_HINT_MAX)
		f->hint = hint;
	if (f->state == BREAKER_HALF_OPEN)
		count_probe(f, o == OUTCOME_FAILED);
	else
		count_call(f, o == OUTCOME_FAILED, now);
}

static int record_once(struct breaker *b, const struct permit *p, enum outcome o, int64_t hint,
	struct err *e)
{
	struct breaker_file f;
	AUTO_CLOSE int lock = -1;
	int r = breaker_open_locked(b, &f, &lock, e);
	int64_t before;
	bool valid;

	if (r < 0)
		return r;
	before = f.generation;
	settle(&f, clock_real());
	valid = permit_valid(&f, p);
	if (valid)
		count_outcome(&f, o, hint);
	else
		f.totals.late++;
	r = breaker_commit(b, &f, before, e);
	return r < 0 ? r : valid;
}

int breaker_record(struct breaker *b, const struct permit *p, enum outcome o, int64_t hint,
	struct err *e)
{
	int r, tries = 0;

	do
		r = record_once(b, p, o, hint, e);
	while (is_again(&tries, r));
	return r;
}

static int force_once(struct breaker *b, enum breaker_state state, int64_t until, const char *why,
	struct err *e)
{
	struct breaker_file f;
	AUTO_CLOSE int lock = -1;
	int r = breaker_open_locked(b, &f, &lock, e);
	int64_t before;

	if (r < 0)
		return r;
	before = f.generation;
	if (state == BREAKER_CLOSED) {
		close_again(&f, why);
	} else if (state == BREAKER_OPEN) {
		f.hint = until;
		trip(&f, why);
	} else {
		set_state(&f, state, why);
	}
	return breaker_commit(b, &f, before, e);
}

int breaker_force(struct breaker *b, enum breaker_state state, int64_t until, const char *why,
	struct err *e)
{
	int r, tries = 0;

	do
		r = force_once(b, state, until, why, e);
	while (is_again(&tries, r));
	return r;
}

int breaker_read(const struct breaker *b, struct breaker_view *v, struct err *e)
{
	struct breaker_file f;
	struct window w;
	int r = breaker_load(b, &f, e);

	if (r < 0)
		return r;
	forget(&f, clock_real());
	w = breaker_window(&f);
	*v = (struct breaker_view){
		.state = f.state,
		.generation = f.generation,
		.since = f.since,
		.until = f.until,
		.reopened = f.reopened,
		.passed = f.passed,
		.calls = w.calls,
		.failures = w.failures,
		.in_a_row = w.in_a_row,
		.prober = f.probe.lease[0] ? f.probe.owner : (struct owner){0},
		.settings = f.settings,
	};
	memcpy(v->why, f.why, sizeof v->why);
	return 0;
}
