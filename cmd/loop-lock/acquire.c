#include "loop-lock.h"

#include "die.h"
#include "parse.h"

#include <errno.h>

/* Cuts ":N" or "/N" off the end. */
static void cut_number(char *text, char mark, const char *what, int64_t *out)
{
	char *at = strrchr(text, mark);

	if (!at || !at[1] || at[1 + strspn(at + 1, "0123456789")])
		return;
	if (parse_int(at + 1, 1, LOCK_CAPACITY_MAX, out) < 0)
		die_usage("'%s': %s is a number from 1 to %d", at, what, LOCK_CAPACITY_MAX);
	*at = '\0';
}

void want_parse(struct lock_want *want, char *text)
{
	*want = (struct lock_want){.name = text, .units = 1, .shared = choices.shared};
	cut_number(text, '/', "the capacity", &want->capacity);
	cut_number(text, ':', "the number of units", &want->units);
	if (want->shared && want->units > 1)
		die_usage("--shared is for plain locks, not for units of '%s'", text);
}

struct lock_options choices_options(const char *label)
{
	struct lock_options o = {.timeout = NS_FOREVER,
		.priority = choices.level * 25,
		.label = choices.label ? choices.label : label};

	if (choices.nonblock && choices.timeout > 0)
		die_usage("--nonblock and --timeout exclude each other");
	if (choices.nonblock)
		o.timeout = 0;
	else if (choices.timeout >= 0)
		o.timeout = choices.timeout;
	return o;
}

int refuse(int code, const struct err *e)
{
	switch (-code) {
	case EAGAIN:
	case EDEADLK:
	case ECANCELED:
	case EBUSY: warn("%s", e->text); return EX_TEMPFAIL;
	case ETIMEDOUT: warn("%s", e->text); return EXIT_TIMEDOUT;
	default: die_err(code, e);
	}
}
