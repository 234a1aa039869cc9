/* Exit statuses: sets of them, and what they mean where nothing else was said. */
#include "guard.h"

#include "die.h"
#include "ending.h"
#include "mem.h"

enum { STATUS_MAX = 255 };

static void add(struct statuses *s, int64_t first, int64_t last)
{
	for (int64_t i = first; i <= last; i++)
		s->bits[i / 64] |= UINT64_C(1) << (i % 64);
}

bool statuses_has(const struct statuses *s, int status)
{
	return status >= 0 && status <= STATUS_MAX && s->bits[status / 64] >> (status % 64) & 1;
}

/* "75" or "110-114", or a word. */
static bool add_item(struct statuses *s, char *item)
{
	char *dash = strchr(item, '-');
	int64_t first, last;
	int status = ending_status(item);

	if (strcmp(item, "timeout") == 0)
		return add(s, EXIT_TIMEDOUT, EXIT_TIMEDOUT), true;
	if (strcmp(item, "signal") == 0)
		return add(s, EXIT_SIGNAL + 1, EXIT_SIGNAL + 64), true;
	if (status > 0)
		return add(s, status, status), true;
	if (dash)
		*dash = '\0';
	if (parse_int(item, 1, STATUS_MAX, &first) < 0 ||
		parse_int(dash ? dash + 1 : item, first, STATUS_MAX, &last) < 0)
		return false;
	return add(s, first, last), true;
}

/* Adds "75,110-114,timeout,signal"; dies with the option's name for what is none. */
static void statuses_add(struct statuses *s, const char *option, const char *list)
{
	AUTO_FREE char *copy = mem_string(list);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ",")))
		if (!add_item(s, item))
			die_usage("--%s: '%s' is no list such as 75,110-114,timeout,signal", option,
				list);
}

/* What another try cannot mend, and what says nothing about the one that was called. */
static const char never_retried[] = "64,65,77,78,112,115,116,119,125-127";
static const char never_counted[] = "64,65";
static const char not_counted[] = "111,112,118-121,125-127";

static void subtract(struct statuses *from, const char *option, const char *list)
{
	struct statuses gone = {0};

	statuses_add(&gone, option, list);
	for (size_t i = 0; i < countof(gone.bits); i++)
		from->bits[i] &= ~gone.bits[i];
}

void policy_init(struct policy *p)
{
	*p = (struct policy){0};
	statuses_add(&p->retry, "on", choices.on ? choices.on : "1-255");
	if (!choices.on)
		subtract(&p->retry, "never-on", never_retried);
	if (choices.never_on)
		subtract(&p->retry, "never-on", choices.never_on);
	statuses_add(&p->count, "count", choices.count ? choices.count : "1-255");
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
