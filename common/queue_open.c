#include "queue_open.h"

#include "queue_file.h"
#include "queue_redis.h"

int queue_open(struct queue **q, const char *store, const struct state *state, const char *name,
	bool make, int64_t patience, void (*warning)(void *context, const char *text),
	struct err *e)
{
	if (strcmp(store, "file") == 0)
		return queue_file_open(q, state, name, make, e);
	return queue_redis_open(q, store, name, patience, warning, e);
}
