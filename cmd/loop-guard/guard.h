/*
 * guard: what the parts of loop-guard share: the choices of the command line,
 * the commands, and the few things that one attempt is made of.
 */
#ifndef GUARD_H
#define GUARD_H

#include "backoff.h"
#include "breaker.h"
#include "opt.h"
#include "statuses.h"
#include "store.h"

/* What is asked for on the command line of a guarded run. */
struct choices {
	int64_t retries;
	struct backoff backoff;
	double rate;
	int jitter; /* an enum jitter */
	const char *factor, *rate_text;
	const char *on, *never_on, *count, *ignore;
	int64_t timeout, kill_after, max_elapsed, wait;
	const char *breaker, *store;
	int64_t patience;
	struct breaker_settings settings;
	bool keep, verbose;
};
extern struct choices choices;

/* Which statuses call for another try, and which tell the breaker what. */
struct policy {
	struct statuses retry, count;
};
void policy_init(struct policy *);
enum outcome policy_outcome(const struct policy *, int status) __attribute__((pure));

/* Where the breakers are: a store as options and environment name it. */
void breaker_place(struct breaker *);
#define OPT_STORE STORE_OPTIONS(choices, "10s")

int guard_run(const struct args *);

extern const struct opt list_options[], force_options[], trip_options[];
int list_run(const struct args *);
int trip_run(const struct args *);
int reset_run(const struct args *);
int hold_run(const struct args *);
int observe_run(const struct args *);

#endif
