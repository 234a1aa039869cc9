#include "statuses.h"

#include "die.h"
#include "ending.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

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
static bool add_item(struct statuses *s, char *item, int least)
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
	if (parse_int(item, least, STATUS_MAX, &first) < 0 ||
		parse_int(dash ? dash + 1 : item, first, STATUS_MAX, &last) < 0)
		return false;
	return add(s, first, last), true;
}

int statuses_add(struct statuses *s, const char *list, int least)
{
	AUTO_FREE char *copy = mem_string(list);
	char *rest = copy, *item;

	while ((item = strsep(&rest, ",")))
		if (!add_item(s, item, least))
			return -EINVAL;
	return 0;
}

void statuses_subtract(struct statuses *from, const struct statuses *gone)
{
	for (size_t i = 0; i < countof(gone->bits); i++)
		from->bits[i] &= ~gone->bits[i];
}
