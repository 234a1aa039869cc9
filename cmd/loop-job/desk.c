/* Where the queue is, and its answers. */
#include "loop-job.h"

#include "die.h"
#include "parse.h"
#include "queue_open.h"

#include <ctype.h>
#include <errno.h>

struct store_place place = {.patience = 60 * NS_PER_S};

static void on_warning(void *context UNUSED, const char *text)
{
	warn("%s", text);
}

static void NORETURN fail(int code, const struct err *e)
{
	if (code == -EHOSTUNREACH)
		die(EX_UNAVAILABLE, "%s", e->text);
	die_err(code, e);
}

void desk_open(struct desk *d, const char *queue)
{
	const char *store = store_choose(place.store);
	struct err e = {0};
	int r;

	*d = (struct desk){.state = {.dir = -1}};
	if (!name_valid(queue))
		die_usage("'%s' is not a queue's name", queue);
	r = state_open(&d->state, &e);
	if (r == 0)
		r = queue_open(&d->queue, store, &d->state, queue, true, place.patience, on_warning,
			&e);
	if (r == 0)
		r = answers_open(
			&d->answers, store, &d->state, d->queue, place.patience, &e);
	if (r < 0)
		fail(r, &e);
}

void desk_close(struct desk *d)
{
	d->answers->ops->close(d->answers);
	d->queue->ops->close(d->queue);
	state_close(&d->state);
}

void check_variable(const char *option, const char *name)
{
	size_t n = 0;

	while (isalnum((unsigned char)name[n]) || name[n] == '_')
		n++;
	if (!n || name[n] || n > VARIABLE_MAX || isdigit((unsigned char)name[0]))
		die_usage("--%s: '%s' is no variable's name", option, name);
}

char *host_name(char out[65])
{
	if (gethostname(out, 65) < 0)
		snprintf(out, 65, "unknown");
	out[64] = '\0';
	return out;
}
