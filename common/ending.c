#include "ending.h"

#include <errno.h>

static const struct {
	const char *word;
	int status;
} reasons[] = {
	{"stalled", 110},
	{"max_turns", 111},
	{"budget", 112},
	{"quota", ENDING_QUOTA},
	{"transient", 114},
	{"auth", 115},
	{"permission", 116},
	{"malformed", 117},
	{"verify_failed", 118},
	{"needs_human", 119},
	{"refused", 120},
	{"context", 121},
};

int ending_status(const char *word)
{
	for (size_t i = 0; i < countof(reasons); i++)
		if (strcmp(word, reasons[i].word) == 0)
			return reasons[i].status;
	return -ENOENT;
}

void ending_each(void (*see)(void *context, const char *word), void *context)
{
	for (size_t i = 0; i < countof(reasons); i++)
		see(context, reasons[i].word);
}
