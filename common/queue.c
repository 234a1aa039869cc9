#include "queue.h"

#include "backoff.h"
#include "id.h"
#include "parse.h"

#include <errno.h>

static const char *const state_names[] = {
	[ITEM_READY] = "ready",
	[ITEM_DELAYED] = "delayed",
	[ITEM_CLAIMED] = "claimed",
	[ITEM_BURIED] = "buried",
	[ITEM_DONE] = "done",
};

int item_state_parse(const char *text, enum item_state *out)
{
	for (int i = 0; i < ITEM_STATES; i++)
		if (strcmp(text, state_names[i]) == 0)
			return *out = (enum item_state)i, 0;
	return -EINVAL;
}

const char *item_state_name(enum item_state state)
{
	return state_names[state];
}

int queue_priority_parse(const char *text, int64_t *out)
{
	static const struct {
		const char *name;
		int64_t value;
	} names[] = {{"high", 0}, {"normal", 1000}, {"low", 2000}};

	for (size_t i = 0; i < countof(names); i++)
		if (strcmp(text, names[i].name) == 0)
			return *out = names[i].value, 0;
	return parse_int(text, 0, QUEUE_PRIORITY_MAX, out) < 0 ? -EINVAL : 0;
}

void queue_tell_buried(const struct queue *q, const char *id, int64_t tries, const char *why)
{
	if (q->on_buried)
		q->on_buried(q->context, q, id, tries, why);
}

int64_t queue_retry_delay(int64_t tries)
{
	static const struct backoff backoff = BACKOFF_DEFAULT;

	return backoff_delay(&backoff, (unsigned)MIN(MAX(tries, 1), 100));
}

void queue_token(char out[TOKEN_SIZE])
{
	uint64_t random;

	id_random(&random, sizeof random);
	snprintf(out, TOKEN_SIZE, "%016llx", (unsigned long long)random);
}
