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

static int print(void *context, const struct item *item)
{
	AUTO_BUF struct buf line = {0};

	item_json(&line, context, item, SHOW_PORTABLE | SHOW_BODY);
	buf_char(&line, '\n');
	return fwrite(line.text, 1, line.length, stdout) == line.length ? 0 : -EIO;
}

int export_main(const struct args *args)
{
	struct err e = {0};
	struct queue *q;
	int r;

	args_expect(args, 1, 1);
	q = open_queue(args->item[0], false);
	r = q->ops->each(q, EVERY_STATE, print, q, &e);
	if (r < 0)
		queue_die(r, &e);
	close_queue(q);
	return EXIT_SUCCESS;
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

struct migration {
	struct queue *from, *to;
	struct strs moved; /* ids that are to be removed here */
	int64_t claimed;
	int64_t ahead; /* of our clock, the store's that is left */
	struct err err;
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

static int move(void *context, const struct item *item)
{
	struct migration *m = context;
	char key[QUEUE_NAME_SIZE];
	struct put p = {.body = item->body,
		.key = key,
		.priority = item->priority,
		.lease = item->lease,
		.max_tries = item->max_tries,
		.tries = item->tries,
		.buried = item->state == ITEM_BURIED};
	size_t done;
	int r;

	if (item->state == ITEM_CLAIMED)
		return m->claimed++, 0;
	if (item->state == ITEM_DELAYED)
		p.delay = MAX(item->due - clock_real() - m->ahead, 0);
	way_key(m, item, key);
	r = m->to->ops->put(m->to, &p, 1, false, &done, &m->err);
	if (r < 0)
		return r;
	strs_add(&m->moved, item->id);
	return 0;
}

static int remove_moved(struct migration *m)
{
	for (size_t i = 0; i < m->moved.count; i++) {
		int64_t r = m->from->ops->purge(m->from, m->moved.item[i], 0, &m->err);

		if (r < 0)
			return (int)r;
	}
	return 0;
}

int migrate_main(const struct args *args)
{
	struct migration m = {0};
	struct queue_stats s;
	int r;

	args_expect(args, 1, 1);
	if (!options.to)
		die_usage("--to is needed");
	m.from = open_queue(args->item[0], false);
	place.store = options.to;
	m.to = open_queue(args->item[0], true);
	r = m.from->ops->stats(m.from, &s, &m.err);
	if (r < 0)
		queue_die(r, &m.err);
	m.ahead = s.now - clock_real();
	r = m.from->ops->each(m.from, EVERY_STATE, move, &m, &m.err);
	if (r >= 0)
		r = remove_moved(&m);
	if (r < 0)
		queue_die(r, &m.err);
	strs_clear(&m.moved);
	close_queue(m.from);
	close_queue(m.to);
	if (m.claimed)
		warn("%lld items are claimed and stay; run it again when they are given back",
			(long long)m.claimed);
	return m.claimed ? EX_TEMPFAIL : EXIT_SUCCESS;
}
