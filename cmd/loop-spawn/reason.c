#include "reason.h"

#include "die.h"

static const struct {
	const char *name;
	int status; /* 0 where it depends on how the agent ended */
	bool retryable;
} table[] = {
	[SUCCESS] = {"success", 0, false},
	[FAILED] = {"failed", 0, false},
	[STALLED] = {"stalled", 110, true},
	[MAX_TURNS] = {"max_turns", 111, false},
	[BUDGET] = {"budget", 112, false},
	[QUOTA] = {"quota", 113, false},
	[TRANSIENT] = {"transient", 114, true},
	[AUTH] = {"auth", 115, false},
	[PERMISSION] = {"permission", 116, false},
	[MALFORMED] = {"malformed", 117, false},
	[VERIFY_FAILED] = {"verify_failed", 118, false},
	[NEEDS_HUMAN] = {"needs_human", 119, false},
	[REFUSED] = {"refused", 120, false},
	[CONTEXT] = {"context", 121, false},
	[TIMED_OUT] = {"timeout", EXIT_TIMEDOUT, false},
	[SPAWN_FAILED] = {"spawn_failed", 0, true},
	[CRASHED] = {"crashed", 0, true},
	[KILLED] = {"killed", 0, false},
};

enum { OWN_MAX = 99 }; /* an agent's own statuses above that could be taken for ours */

const char *reason_name(enum reason r)
{
	return table[r].name;
}

enum reason reason_of(const char *name)
{
	for (size_t i = 0; i < countof(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return (enum reason)i;
	return FAILED;
}

int reason_status(enum reason r, int own)
{
	if (r == FAILED)
		return own >= 1 && own <= OWN_MAX ? own : 1;
	if (r == CRASHED || r == KILLED)
		return EXIT_SIGNAL + own;
	if (r == SPAWN_FAILED)
		return own;
	return table[r].status;
}

bool reason_retryable(enum reason r)
{
	return table[r].retryable;
}
