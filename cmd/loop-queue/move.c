/* A queue to other places: export, import, migrate. */
#include "loop-queue.h"

#include "clock.h"
#include "die.h"
#include "mem.h"
#include "queue_open.h"

#include <errno.h>

static struct {
	const char *to;
} options;

const struct opt migrate_options[] = {
	{.name = "to", .arg = "STORE", .help = "the store it goes to", .string = &options.to},
	OPT_STORE,
	{0},
};

#define EVERY_STATE ((1U << ITEM_DONE) - 1)

/* How far the store's clock is ahead of ours. */
static int64_t clock_ahead(struct queue *q)
{
	struct queue_stats s;
	struct err e = {0};
	int r = q->ops->stats(q, &s, &e);

	if (r < 0)
		queue_die(r, &e);
	return s.now - clock_real();
}

/* An item that is damaged goes nowhere: fsck first. */
static bool is_whole(const struct queue *q, const struct item *item, bool *damaged)
{
	if (item->damaged)
		warn("queue %s: item %s is damaged and stays: see fsck", q->name, item->id);
	*damaged |= item->damaged;
	return !item->damaged;
}

struct exporting {
	struct queue *queue;
	int64_t ahead;
	bool damaged;
};

/* The time that something is due goes out as a time of the wall clock: import reads it by that. */
static int print(void *context, const struct item *item)
{
	struct exporting *x = context;
	AUTO_BUF struct buf line = {0};
	struct item out = *item;

	if (!is_whole(x->queue, item, &x->damaged))
		return 0;
	out.due -= x->ahead;
	item_json(&line, x->queue, &out, SHOW_PORTABLE | SHOW_BODY);
	buf_char(&line, '\n');
	return fwrite(line.text, 1, line.length, stdout) == line.length ? 0 : -EIO;
}

int export_main(const struct args *args)
{
	struct exporting x = {0};
	struct err e = {0};
	int r;

	args_expect(args, 1, 1);
	x.queue = open_queue(args->item[0], false);
	x.ahead = clock_ahead(x.queue);
	r = x.queue->ops->each(x.queue, EVERY_STATE, print, &x, &e);
	if (r < 0)
		queue_die(r, &e);
	close_queue(x.queue);
	return x.damaged ? EX_DATAERR : EXIT_SUCCESS;
}

int import_main(const struct args *args)
{
	static const struct put defaults = {
		.priority = 1000, .lease = 300 * NS_PER_S, .max_tries = 3};
	struct queue *q;
	int status;

	args_expect(args, 1, 1);
	q = open_queue(args->item[0], true);
	status = put_lines(q, &defaults, true, true);
	close_queue(q);
	return status;
}

enum { STEP = 100000, /* items that are moved before they are removed */
	BATCH = 500,  /* of them that are put at once, and their bodies */
	BATCH_BYTES = 4 << 20 };

struct migration {
	struct queue *from, *to;
	struct strs moved; /* ids that are to be removed here */
	int64_t ahead;	   /* of our clock, the store's that is left */
	bool damaged;
	struct err err;

	/* Those that are put next, the last of moved. */
	size_t count;
	struct put put[BATCH];
	char key[BATCH][QUEUE_NAME_SIZE];
	size_t body[BATCH]; /* where it is in bodies */
	struct buf bodies;
};

/*
 * The key of an item on its way: put twice it is there once. An item that has a key
 * of its own keeps that.
 */
static void way_key(const struct migration *m, const struct item *item, char out[QUEUE_NAME_SIZE])
{
	if (item->key[0])
		snprintf(out, QUEUE_NAME_SIZE, "%s", item->key);
	else
		snprintf(out, QUEUE_NAME_SIZE, "migrate-%.40s-%s", m->from->name, item->id);
}

static int put_batch(struct migration *m)
{
	size_t done;
	int r;

	for (size_t i = 0; i < m->count; i++) {
		m->put[i].body.p = m->bodies.text + m->body[i];
		m->put[i].key = m->key[i];
	}
	r = m->to->ops->put(m->to, m->put, m->count, false, &done, &m->err);
	m->count = m->bodies.length = 0;
	return r;
}

static void add_to_batch(struct migration *m, const struct item *item)
{
	size_t i = m->count++;

	m->put[i] = (struct put){.body = {.n = item->body.n},
		.priority = item->priority,
		.lease = item->lease,
		.max_tries = item->max_tries,
		.tries = item->tries,
		.buried = item->state == ITEM_BURIED};
	if (item->state == ITEM_DELAYED)
		m->put[i].delay = MAX(item->due - clock_real() - m->ahead, 0);
	way_key(m, item, m->key[i]);
	m->body[i] = m->bodies.length;
	buf_add(&m->bodies, item->body.p, item->body.n);
	strs_add(&m->moved, item->id);
}

static int move(void *context, const struct item *item)
{
	struct migration *m = context;
	int r = 0;

	if (!is_whole(m->from, item, &m->damaged))
		return 0;
	if (m->count == BATCH || (m->count && m->bodies.length + item->body.n > BATCH_BYTES))
		r = put_batch(m);
	if (r < 0)
		return r;
	add_to_batch(m, item);
	return m->moved.count < STEP ? 0 : -ECANCELED;
}

static int remove_moved(struct migration *m)
{
	int64_t r = 0;

	for (size_t i = 0; r >= 0 && i < m->moved.count; i++)
		r = m->from->ops->purge(m->from, m->moved.item[i], 0, &m->err);
	strs_clear(&m->moved);
	return (int)MIN(r, 0);
}

/* Step by step, so that not all ids are in memory, until there is nothing left to move. */
static int move_all(struct migration *m)
{
	int r = -ECANCELED;

	while (r == -ECANCELED) {
		r = m->from->ops->each(
			m->from, EVERY_STATE & ~(1U << ITEM_CLAIMED), move, m, &m->err);
		if (r == 0 || r == -ECANCELED) {
			int done = put_batch(m);

			if (done == 0)
				done = remove_moved(m);
			r = done < 0 ? done : r;
		}
	}
	return r;
}

int migrate_main(const struct args *args)
{
	static struct migration m;
	struct queue_stats s;
	int r;

	args_expect(args, 1, 1);
	if (!options.to)
		die_usage("--to is needed");
	m.from = open_queue(args->item[0], false);
	place.store = options.to;
	m.to = open_queue(args->item[0], true);
	m.ahead = clock_ahead(m.from);
	r = move_all(&m);
	if (r == 0)
		r = m.from->ops->stats(m.from, &s, &m.err);
	if (r < 0)
		queue_die(r, &m.err);
	buf_clear(&m.bodies);
	close_queue(m.from);
	close_queue(m.to);
	if (s.count[ITEM_CLAIMED])
		warn("%lld items are claimed and stay; run it again when they are given back",
			(long long)s.count[ITEM_CLAIMED]);
	if (m.damaged)
		return EX_DATAERR;
	return s.count[ITEM_CLAIMED] ? EX_TEMPFAIL : EXIT_SUCCESS;
}
