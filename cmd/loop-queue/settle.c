/* What a holder says of its items: ack, nack, bury, touch. */
#include "loop-queue.h"

#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

static struct {
	const char *delay, *priority, *why;
	int64_t lease;
	bool no_count, jsonl, sync;
} options;

/* clang-format off */
#define OPT_JSONL \
	{.name = "jsonl", .help = "ids and tokens from standard input", .flag = &options.jsonl}
#define OPT_WHY {.name = "why", .arg = "TEXT", .help = "the reason", .string = &options.why}
/* clang-format on */

const struct opt ack_options[] = {OPT_JSONL, OPT_SYNC(options.sync), OPT_STORE, {0}};

const struct opt nack_options[] = {
	{.name = "delay",
		.letter = 'd',
		.arg = "D",
		.help = "not again before: a duration or a time (by the tries)",
		.string = &options.delay},
	{.name = "priority",
		.letter = 'p',
		.arg = "P",
		.help = "another priority",
		.string = &options.priority},
	{.name = "no-count", .help = "this was no try", .flag = &options.no_count},
	OPT_WHY,
	OPT_JSONL,
	OPT_SYNC(options.sync),
	OPT_STORE,
	{0},
};

const struct opt bury_options[] = {OPT_WHY, OPT_JSONL, OPT_SYNC(options.sync), OPT_STORE, {0}};

const struct opt touch_options[] = {
	{.name = "lease",
		.letter = 'l',
		.arg = "D",
		.help = "how long (as before)",
		.duration = &options.lease},
	OPT_JSONL,
	OPT_SYNC(options.sync),
	OPT_STORE,
	{0},
};

/* Items until they are settled together. */
struct settles {
	struct queue *queue;
	enum settling how;
	struct settle defaults, *item;
	size_t count, room;
	struct strs words; /* their ids and tokens */
	bool refused;
};

enum { MANY = 4096 };

static void answer(struct buf *out, const struct settle *s)
{
	buf_str(out, "{\"id\":");
	buf_json(out, s->id, strlen(s->id));
	if (s->result == 0)
		buf_str(out, ",\"ok\":true}\n");
	else
		buf_format(out, ",\"ok\":false,\"error\":\"%s\"}\n",
			s->result == -ENOENT ? "missing" : "stale");
}

static int flush(void *context)
{
	struct settles *c = context;
	AUTO_BUF struct buf out = {0};
	struct err e = {0};
	int r;

	if (!c->count)
		return 0;
	r = c->queue->ops->settle(c->queue, c->how, c->item, c->count, options.sync, &e);
	if (r < 0)
		queue_die(r, &e);
	for (size_t i = 0; i < c->count; i++) {
		answer(&out, &c->item[i]);
		c->refused |= c->item[i].result < 0;
	}
	c->count = 0;
	strs_clear(&c->words);
	if (io_write(STDOUT_FILENO, out.text, out.length) < 0)
		die_errno(EX_IOERR, "standard output");
	return 0;
}

static bool text_member(struct span line, const char *key, struct strs *out)
{
	AUTO_BUF struct buf text = {0};
	struct span value;

	if (!jscan_get(line, key, &value) || jscan_text(value, &text) < 0)
		return false;
	strs_take(out, buf_take(&text));
	return true;
}

static int take(void *context, char *line, size_t length, int64_t number)
{
	struct settles *c = context;
	struct span s = {line, length};
	const char *what;
	size_t at;

	if (jscan_check(line, length, &at, &what) < 0 || jscan_kind(s) != '{' ||
		!text_member(s, "id", &c->words) || !text_member(s, "token", &c->words)) {
		flush(c);
		die(EX_DATAERR, "line %lld: not an object with id and token", (long long)number);
	}
	c->item = mem_grow(c->item, c->count, &c->room, sizeof *c->item);
	c->item[c->count] = c->defaults;
	c->item[c->count].id = c->words.item[c->words.count - 2];
	c->item[c->count++].token = c->words.item[c->words.count - 1];
	return c->count < MANY ? 0 : flush(c);
}

static int settle_lines(struct settles *c)
{
	const struct intake in = {.take = take, .flush = flush, .context = c};
	int r = read_lines(&in);

	if (r < 0)
		die(die_status(r), "standard input: %s", strerror(-r));
	free(c->item);
	return c->refused ? EXIT_NO : EXIT_SUCCESS;
}

static int settle_one(struct settles *c, const struct args *args)
{
	struct settle s = c->defaults;
	struct err e = {0};
	int r;

	s.id = args->item[1];
	s.token = args->item[2];
	r = c->queue->ops->settle(c->queue, c->how, &s, 1, options.sync, &e);
	if (r < 0)
		queue_die(r, &e);
	if (s.result == -ENOENT)
		die(EXIT_NO, "queue %s: no item %s", c->queue->name, s.id);
	if (s.result < 0)
		die(EX_NOPERM, "queue %s: item %s: the lease is not this token's (any more)",
			c->queue->name, s.id);
	return EXIT_SUCCESS;
}

static int settle(const struct args *args, enum settling how)
{
	struct settles c = {.how = how,
		.defaults = {.delay = -1,
			.priority = -1,
			.lease = options.lease,
			.uncounted = options.no_count,
			.why = options.why}};
	size_t words = options.jsonl ? 1 : 3;
	int status;

	args_expect(args, words, words);
	if (options.delay)
		c.defaults.delay = parse_delay(options.delay);
	if (options.priority &&
		queue_priority_parse(options.priority, &c.defaults.priority) < 0)
		die_usage("--priority: '%s' is none", options.priority);
	if (options.lease > QUEUE_TIME_MAX)
		die_usage("--lease: up to ten years");
	c.queue = open_queue(args->item[0], false);
	status = options.jsonl ? settle_lines(&c) : settle_one(&c, args);
	close_queue(c.queue);
	return status;
}

int ack_main(const struct args *args)
{
	return settle(args, SETTLE_ACK);
}

int nack_main(const struct args *args)
{
	return settle(args, SETTLE_NACK);
}

int bury_main(const struct args *args)
{
	return settle(args, SETTLE_BURY);
}

int touch_main(const struct args *args)
{
	return settle(args, SETTLE_TOUCH);
}
