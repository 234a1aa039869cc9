/* What a status means where nothing else was said: another try or none, and to the breaker. */
#include "guard.h"

#include "die.h"

/* What another try cannot mend, and what says nothing about the one that was called. */
static const char never_retried[] = "64,65,77,78,112,115,116,119,125-127";
static const char never_counted[] = "64,65";
static const char not_counted[] = "111,112,118-121,125-127";

static struct statuses listed(const char *option, const char *list)
{
	struct statuses s = {0};

	if (statuses_add(&s, list, 1) < 0)
		die_usage("--%s: '%s' is no list such as 75,110-114,timeout,signal", option, list);
	return s;
}

static void subtract(struct statuses *from, const char *option, const char *list)
{
	const struct statuses gone = listed(option, list);

	statuses_subtract(from, &gone);
}

void policy_init(struct policy *p)
{
	p->retry = listed("on", choices.on ? choices.on : "1-255");
	if (!choices.on)
		subtract(&p->retry, "never-on", never_retried);
	if (choices.never_on)
		subtract(&p->retry, "never-on", choices.never_on);
	p->count = listed("count", choices.count ? choices.count : "1-255");
	if (!choices.count)
		subtract(&p->count, "ignore", not_counted);
	if (choices.ignore)
		subtract(&p->count, "ignore", choices.ignore);
	subtract(&p->count, "ignore", never_counted);
}

enum outcome policy_outcome(const struct policy *p, int status)
{
	if (status == EXIT_SUCCESS)
		return OUTCOME_OK;
	return statuses_has(&p->count, status) ? OUTCOME_FAILED : OUTCOME_IGNORED;
}
