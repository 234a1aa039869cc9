#include "lookup.h"

#include "mem.h"

#include <errno.h>

struct lookup {
	struct link link;
	uv_work_t work;
	uv_loop_t *loop;
	const struct state *state;
	struct lookups *client; /* NULL: it has left */
	struct search *search;
	struct err err;
	int result;
	char note[LOOKUP_NOTE];
};

void lookups_init(struct lookups *l,
	void (*told)(struct lookups *, const char *note, const struct search *, const struct err *),
	void *context)
{
	link_init(&l->all);
	l->count = 0;
	l->told = told;
	l->context = context;
}

static void lookup_free(struct lookup *l)
{
	link_drop(&l->link);
	search_free(l->search);
	free(l);
}

static void work(uv_work_t *w)
{
	struct lookup *l = w->data;

	l->result = search_run(l->search, l->state, &l->err);
}

static void on_done(uv_work_t *, int status);

static void start(struct lookup *l)
{
	uv_queue_work(l->loop, &l->work, work, on_done);
}

/* The next one begins before this one is told: to be told, a client may leave. */
static void on_done(uv_work_t *w, int status UNUSED)
{
	struct lookup *l = w->data;
	struct lookups *client = l->client;

	if (client) {
		link_drop(&l->link);
		if (--client->count)
			start(container_of(client->all.next, struct lookup, link));
		client->told(client, l->note, l->result < 0 ? NULL : l->search, &l->err);
	}
	lookup_free(l);
}

int lookups_add(struct lookups *client, uv_loop_t *loop, const struct state *state,
	struct search *search, struct span note, struct err *e)
{
	struct lookup *l;

	if (client->count == LOOKUPS_MAX) {
		search_free(search);
		return err_set(e, -EBUSY, "%d such requests wait already", LOOKUPS_MAX);
	}
	l = mem_zero(1, sizeof *l);
	*l = (struct lookup){.loop = loop, .state = state, .client = client, .search = search};
	snprintf(l->note, sizeof l->note, "%.*s", (int)note.n, note.n ? note.p : "");
	l->work.data = l;
	link_add(&client->all, &l->link);
	if (client->count++ == 0)
		start(l);
	return 0;
}

void lookups_clear(struct lookups *client)
{
	struct link *first = client->all.next;

	link_each(&client->all, at)
	{
		struct lookup *l = container_of(at, struct lookup, link);

		l->client = NULL;
		if (at == first)
			link_drop(at); /* under way: it frees itself */
		else
			lookup_free(l);
	}
	client->count = 0;
}
