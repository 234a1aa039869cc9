#include "loop-queue.h"

#include "clock.h"
#include "die.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>

static struct {
	int64_t wait, count, lease;
	const char *id, *body_to;
	bool sync;
} options = {.count = 1};

const struct opt claim_options[] = {
	{.name = "wait",
		.letter = 'w',
		.arg = "D",
		.help = "how long to wait for one",
		.duration = &options.wait},
	{.name = "count",
		.letter = 'n',
		.arg = "N",
		.help = "up to so many (1)",
		.number = &options.count,
		.min = 1,
		.max = INT32_MAX},
	{.name = "lease",
		.letter = 'l',
		.arg = "D",
		.help = "how long the lease lasts (as put)",
		.duration = &options.lease},
	{.name = "id", .arg = "ID", .help = "this one and no other", .string = &options.id},
	{.name = "body-to",
		.arg = "FILE",
		.help = "the body goes there, byte by byte",
		.string = &options.body_to},
	OPT_SYNC(options.sync),
	OPT_STORE,
	{0},
};

enum { ENOUGH = 256 << 10 };

struct claims {
	struct queue *queue;
	struct buf out;
};

static void print(struct claims *c)
{
	if (c->out.length && io_write(STDOUT_FILENO, c->out.text, c->out.length) < 0)
		die_errno(EX_IOERR, "standard output");
	c->out.length = 0;
}

/* A symbolic link or a device is written to as it is: it is the user's file. */
static void write_body(struct span body)
{
	AUTO_CLOSE int fd = io_open(AT_FDCWD, options.body_to, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	int r = fd < 0 ? fd : io_write(fd, body.p, body.n);

	if (r < 0)
		die(die_status(r), "%s: %s", options.body_to, strerror(-r));
}

static int on_item(void *context, const struct item *item)
{
	struct claims *c = context;

	if (options.body_to)
		write_body(item->body);
	item_json(&c->out, c->queue, item, options.body_to ? 0 : SHOW_BODY);
	buf_char(&c->out, '\n');
	if (c->out.length > ENOUGH)
		print(c);
	return 0;
}

static int64_t claim(struct claims *c)
{
	const struct claim how = {.count = options.count,
		.lease = options.lease,
		.id = options.id,
		.sync = options.sync};
	struct err e = {0};
	int64_t n = c->queue->ops->claim(c->queue, &how, on_item, c, &e);

	print(c);
	if (n < 0)
		queue_die((int)n, &e);
	return n;
}

/* Sleeps until there may be one, or the deadline has come. */
static void wait_for_more(struct queue *q, int64_t deadline)
{
	struct pollfd p = {.fd = q->ops->watch(q), .events = POLLIN};
	struct queue_stats s;
	struct err e = {0};
	int r = q->ops->stats(q, &s, &e);

	if (r < 0)
		queue_die(r, &e);
	if (s.count[ITEM_READY] && !s.paused)
		return; /* it came while we were looking */
	if (s.next != NS_FOREVER)
		deadline = MIN(deadline, clock_after(MAX(s.next - s.now, NS_PER_MS)));
	if (p.fd < 0)
		deadline = MIN(deadline, clock_after(NS_PER_S));
	if (poll(&p, 1, clock_poll_timeout(deadline)) > 0)
		q->ops->heard(q);
}

int claim_main(const struct args *args)
{
	int64_t deadline = clock_after(options.wait), n;
	struct claims c = {0};

	args_expect(args, 1, 1);
	if (options.body_to && options.count > 1)
		die_usage("--body-to: one body at a time");
	if (options.lease && (options.lease < NS_PER_MS || options.lease > QUEUE_TIME_MAX))
		die_usage("--lease: from 1ms to ten years");
	c.queue = open_queue(args->item[0], options.wait > 0);
	if (options.wait)
		(void)c.queue->ops->watch(c.queue);
	while ((n = claim(&c)) == 0 && clock_now() < deadline)
		wait_for_more(c.queue, deadline);
	buf_clear(&c.out);
	close_queue(c.queue);
	return n ? EXIT_SUCCESS : EXIT_NO;
}
