#include "loop-queue.h"

#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

static struct {
	const char *priority, *delay, *key;
	int64_t lease, tries, key_ttl;
	bool jsonl, sync;
} options = {.lease = 300 * NS_PER_S, .tries = 3};

const struct opt put_options[] = {
	{.name = "priority",
		.letter = 'p',
		.arg = "P",
		.help = "high, normal (default), low or a number; smaller is sooner",
		.string = &options.priority},
	{.name = "delay",
		.letter = 'd',
		.arg = "D",
		.help = "not before: a duration or a time",
		.string = &options.delay},
	{.name = "lease",
		.letter = 'l',
		.arg = "D",
		.help = "how long a claim of it lasts (5m)",
		.duration = &options.lease},
	{.name = "tries",
		.letter = 't',
		.arg = "N",
		.help = "buried after so many that failed; 0: never (3)",
		.number = &options.tries,
		.max = QUEUE_TRIES_MAX},
	{.name = "key",
		.letter = 'k',
		.arg = "KEY",
		.help = "not beside another item of this key",
		.string = &options.key},
	{.name = "key-ttl",
		.arg = "D",
		.help = "nor for so long after it was put",
		.duration = &options.key_ttl},
	{.name = "jsonl", .help = "an item a line of standard input", .flag = &options.jsonl},
	OPT_SYNC(options.sync),
	OPT_STORE,
	{0},
};

/* Items until they are put together. */
struct puts {
	struct queue *queue;
	const struct put *defaults;
	bool import, sync;
	struct put_line *line;
	struct put *item;
	size_t count, line_room, item_room;
	struct buf text; /* their bodies */
};

enum { MANY = 4096,
	LARGE = 8 << 20 };

static void print_answer(struct buf *out, const struct put *p)
{
	buf_format(out, "{\"id\":\"%s\"%s}\n", p->id, p->dup ? ",\"dup\":true" : "");
}

static void collect(struct puts *c)
{
	while (c->item_room < c->count)
		c->item = mem_grow(c->item, c->item_room, &c->item_room, sizeof *c->item);
	for (size_t i = 0; i < c->count; i++) {
		struct put_line *l = &c->line[i];

		c->item[i] = l->put;
		c->item[i].body = (struct span){c->text.text + l->body, l->length};
		c->item[i].key = l->key[0] ? l->key : NULL;
	}
}

/* What was put is told, whatever became of the rest. */
static int flush(void *context)
{
	struct puts *c = context;
	AUTO_BUF struct buf out = {0};
	struct err e = {0};
	size_t done = 0;
	int r;

	if (!c->count)
		return 0;
	collect(c);
	r = c->queue->ops->put(c->queue, c->item, c->count, c->sync, &done, &e);
	for (size_t i = 0; i < done; i++)
		print_answer(&out, &c->item[i]);
	c->count = c->text.length = 0;
	if (out.length && io_write(STDOUT_FILENO, out.text, out.length) < 0)
		die_errno(EX_IOERR, "standard output");
	if (r < 0)
		queue_die(r, &e);
	return 0;
}

static int take(void *context, char *line, size_t length, int64_t number)
{
	struct puts *c = context;
	struct err e = {0};

	c->line = mem_grow(c->line, c->count, &c->line_room, sizeof *c->line);
	if (!put_line_parse(&c->line[c->count], c->defaults, (struct span){line, length},
		    c->import, &c->text, &e)) {
		flush(c);
		die(EX_DATAERR, "line %lld: %s", (long long)number, e.text);
	}
	if (++c->count < MANY && c->text.length < LARGE)
		return 0;
	return flush(c);
}

int put_lines(struct queue *q, const struct put *defaults, bool import, bool sync)
{
	struct puts c = {.queue = q, .defaults = defaults, .import = import, .sync = sync};
	const struct intake in = {.take = take, .flush = flush, .context = &c};
	int r;

	buf_add(&c.text, "", 0);
	r = read_lines(&in);
	buf_clear(&c.text);
	free(c.line);
	free(c.item);
	if (r == -EMSGSIZE)
		die(EX_DATAERR, "standard input: a line is too long");
	if (r < 0)
		die(EX_IOERR, "standard input: %s", strerror(-r));
	return EXIT_SUCCESS;
}

static struct span read_body(const struct args *args, struct buf *text)
{
	const char *body = args->count > 1 ? args->item[1] : "-";
	int r;

	if (strcmp(body, "-") != 0)
		return (struct span){body, strlen(body)};
	r = io_read_all(STDIN_FILENO, (size_t)QUEUE_BODY_MAX, text);
	if (r == -EMSGSIZE)
		die(EX_DATAERR, "standard input: more than %lld MiB",
			(long long)(QUEUE_BODY_MAX >> 20));
	if (r < 0)
		die(EX_IOERR, "standard input: %s", strerror(-r));
	return (struct span){text->text, text->length};
}

static void check_options(struct put *p)
{
	if (options.priority && queue_priority_parse(options.priority, &p->priority) < 0)
		die_usage("--priority: '%s' is none of high, normal, low, 0 to 4294967295",
			options.priority);
	if (options.key && !name_valid(options.key))
		die_usage("--key: '%s' is no name", options.key);
	if (options.lease < NS_PER_MS || options.lease > QUEUE_TIME_MAX ||
		options.key_ttl > QUEUE_TIME_MAX)
		die_usage("--lease, --key-ttl: from 1ms to ten years");
	if (options.delay)
		p->delay = parse_delay(options.delay);
	if (options.jsonl && options.key)
		die_usage("--key is a member of each line with --jsonl");
}

int put_main(const struct args *args)
{
	struct put p = {.priority = 1000,
		.key = options.key,
		.lease = options.lease,
		.max_tries = options.tries,
		.key_ttl = options.key_ttl};
	AUTO_BUF struct buf text = {0};
	struct err e = {0};
	struct queue *q;
	size_t done;
	int r;

	args_expect(args, 1, options.jsonl ? 1 : 2);
	check_options(&p);
	if (!options.jsonl)
		p.body = read_body(args, &text);
	q = open_queue(args->item[0], true);
	if (options.jsonl) {
		r = put_lines(q, &p, false, options.sync);
	} else {
		r = q->ops->put(q, &p, 1, options.sync, &done, &e);
		if (r < 0)
			queue_die(r, &e);
		puts(p.id);
	}
	close_queue(q);
	return r;
}
