#include "fuse.h"

#include "breaker_redis.h"
#include "clock.h"
#include "die.h"
#include "field.h"

enum { RENEW_SECONDS = 20, /* a third of a probe's lease */
	ASK_SECONDS = 5 /* where the breaker does not say when */ };

#define PATIENCE (2 * NS_PER_S) /* with a Redis that is away: all other tasks wait as long */

/* The settings were checked with the plan. */
static struct breaker_settings settings_of(struct plan *p, const char *name)
{
	struct breaker_settings settings = {0};
	struct span value;

	if (p->breakers.n && jscan_get(p->breakers, name, &value))
		object_read(p, NULL, "a breaker", breaker_fields, value, &settings);
	return settings;
}

static int open_fuse(struct fuse *f, const struct state *s, const char *redis, struct plan *p,
	const char *name, struct err *e)
{
	struct breaker_settings settings = settings_of(p, name);
	int r = breaker_init(&f->breaker, s, name, &settings, e);

	if (r == 0 && redis)
		r = breaker_redis_open(&f->breaker, redis, PATIENCE, e);
	return r;
}

int fuse_ask(struct fuse *f, const struct state *s, const char *redis, struct plan *p,
	const struct task *t, int64_t *again, struct err *e)
{
	const char *name = plan_text(p, task_get(p, t, M_BREAKER));
	int r;

	f->used = false;
	f->renew = NS_FOREVER;
	if (!name)
		return 1;
	r = open_fuse(f, s, redis, p, name, e);
	if (r == 0)
		r = breaker_allow(&f->breaker, &f->permit, e);
	f->used = r > 0;
	if (!f->used)
		breaker_redis_close(&f->breaker);
	if (f->used && f->permit.lease[0])
		f->renew = clock_after(RENEW_SECONDS * NS_PER_S);
	*again = clock_after(ASK_SECONDS * NS_PER_S);
	if (r == 0 && f->permit.again != NS_FOREVER)
		*again = clock_after(MAX(f->permit.again - clock_real(), NS_PER_MS));
	return r;
}

void fuse_renew(struct fuse *f)
{
	struct err e = {0};

	f->renew = clock_after(RENEW_SECONDS * NS_PER_S);
	if (breaker_renew(&f->breaker, &f->permit, &e) < 0)
		warn("%s", e.text);
}

void fuse_tell(struct fuse *f, enum outcome outcome, int64_t hint)
{
	struct err e = {0};

	if (!f->used)
		return;
	f->used = false;
	f->renew = NS_FOREVER;
	if (breaker_record(&f->breaker, &f->permit, outcome, hint, &e) < 0)
		warn("%s", e.text);
	breaker_redis_close(&f->breaker);
}
