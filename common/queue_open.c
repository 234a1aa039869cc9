#include "queue_open.h"

#include "queue_file.h"

#include <errno.h>

int queue_open(struct queue **q, const char *store, const struct state *state, const char *name,
	bool make, int64_t patience, void (*warning)(void *context, const char *text),
	struct err *e)
{
	(void)patience;
	(void)warning;
	if (strcmp(store, "file") == 0)
		return queue_file_open(q, state, name, make, e);
	return err_set(e, -ENOTSUP, "%s: not a store", store);
}
