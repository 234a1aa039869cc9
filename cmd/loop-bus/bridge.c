#include "bridge.h"

#include "choose.h"
#include "clock.h"
#include "commands.h"
#include "daemon.h"
#include "die.h"
#include "id.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#define PATIENCE (2 * NS_PER_S)
#define TICK NS_PER_S /* where nothing wakes us */

static struct {
	const char *name;
	bool background, start;
	int64_t keep;
} options = {.name = "events", .keep = 1000000};

const struct opt bridge_options[] = {
	{.name = "name",
		.arg = "NAME",
		.help = "of the stream: hosts of one name share their events (events)",
		.string = &options.name},
	OPT_TYPE,
	OPT_SUBJECT,
	OPT_WHERE,
	OPT_PRIORITY,
	{.name = "start",
		.help = "the first time: take what the stream holds already, too",
		.flag = &options.start},
	{.name = "keep",
		.arg = "N",
		.help = "how many events the stream holds, about (1000000)",
		.number = &options.keep},
	{.name = "daemon",
		.help = "in the background, once it is ready",
		.flag = &options.background},
	{0},
};

static volatile sig_atomic_t ending;
static bool away; /* it was said that Redis is */

static void on_signal(int number)
{
	ending = number;
}

/* Handled while we wait; a call that is under way comes to its end. */
static void catch_signals(sigset_t *waiting)
{
	const struct sigaction action = {.sa_handler = on_signal};
	sigset_t block;

	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, waiting);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/* Whether a signal has asked for the end. */
static bool ends(void)
{
	sigset_t pending;

	sigpending(&pending);
	return ending || sigismember(&pending, SIGTERM) || sigismember(&pending, SIGINT);
}

/* A rest while Redis is away, or full, which is said once. */
static void wait_for_redis(struct err *e)
{
	if (!away)
		warn("%s; it is tried again", e->text);
	away = true;
	*e = (struct err){0};
	clock_sleep(TICK / 4);
}

int bridge_call(struct bridge *b, const struct redis_words *w, redisReply **reply, struct err *e)
{
	int r;

	while ((r = redis_call(b->redis, w, NULL, reply, e)) == -ENOTCONN || r == -ENOSPC) {
		if (ends())
			return -ECANCELED;
		wait_for_redis(e);
	}
	if (r == 0 && away)
		warn("Redis serves again");
	away = away && r < 0;
	return r;
}

static void say(void *context UNUSED, const char *text)
{
	warn("%s", text);
}

/* What this state directory is called among the others: made once, kept for ever. */
static int find_host(struct bridge *b, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	AUTO_CLOSE int folder = state_folder(&b->state, "bridge");
	char name[64] = "host";
	unsigned char random[4];
	int r = folder < 0 ? folder : io_read_file(folder, ".host", HOST_SIZE - 1, &text);

	if (r == -ENOENT) {
		gethostname(name, sizeof name - 1);
		id_random(random, sizeof random);
		buf_format(&text, "%s-%02x%02x%02x%02x", name, random[0], random[1], random[2],
			random[3]);
		r = io_replace(folder, ".host", text.text, text.length, 0600);
	}
	if (r < 0)
		return err_sys(e, r, "bridge/.host");
	snprintf(b->host, sizeof b->host, "%.*s", (int)text.length, text.text);
	return 0;
}

static int bridge_open(struct bridge *b, const char *url, struct err *e)
{
	const struct redis_how how = {.url = url,
		.library = "bridge",
		.probe = "loop_bridge_1",
		.patience = PATIENCE,
		.warning = say};
	int r = find_host(b, e);

	b->stream = mem_format("loop:bus:{%s}", b->name);
	b->keep = options.keep;
	b->cursor.fd = -1;
	if (r == 0)
		r = redis_open(&b->redis, &how, e);
	if (r == 0)
		r = bridge_out_open(b, e);
	if (r == 0)
		r = bridge_in_open(b, options.start, e);
	return r;
}

/* Both ways until there is nothing; 0, or why it ends. */
static int carry(struct bridge *b, struct err *e)
{
	int in = 1, out = 1;

	while ((in > 0 || out > 0) && !ends()) {
		out = bridge_out(b, e);
		in = out < 0 ? out : bridge_in(b, e);
		if (in < 0)
			return in;
	}
	return 0;
}

static void rest(struct bridge *b, const char *channel, const sigset_t *waiting)
{
	const struct timespec tick = {TICK / NS_PER_S, TICK % NS_PER_S};
	struct pollfd p[] = {
		{.fd = journal_watch(b->reader), .events = POLLIN},
		{.fd = redis_listen(b->redis, channel), .events = POLLIN},
	};

	if (ppoll(p, countof(p), &tick, waiting) <= 0)
		return;
	if (p[0].revents)
		journal_watched(b->reader);
	if (p[1].revents)
		redis_heard(b->redis);
}

static int run(struct bridge *b, const sigset_t *waiting, struct err *e)
{
	AUTO_FREE char *channel = mem_format("%s:wake", b->stream);
	int r = 0;

	while (r == 0 && !ends()) {
		rest(b, channel, waiting);
		r = carry(b, e);
		if (r == 0 && b->unsaved)
			r = bridge_save(b, e);
	}
	return r == -ECANCELED ? 0 : r;
}

static void bridge_close(struct bridge *b)
{
	cursor_close(&b->cursor);
	journal_reader_free(b->reader);
	journal_close(&b->journal);
	redis_close(b->redis);
	filter_clear(&b->filter);
	free(b->stream);
	state_close(&b->state);
}

static const char *where_to(const struct args *args, struct args *types)
{
	const char *url = args->count ? args->item[0] : getenv("LOOP_STORE");

	if (!url)
		die_usage("the address of a Redis is expected, or LOOP_STORE");
	*types = (struct args){.item = args->item + (args->count > 0),
		.count = args->count - (args->count > 0)};
	return url;
}

int bridge_main(const struct args *args)
{
	static struct bridge b;
	struct args types;
	const char *url = where_to(args, &types);
	struct daemon self;
	sigset_t waiting;
	struct err e = {0};
	int r;

	if (!name_valid(options.name))
		die_usage("--name: '%s' is no name", options.name);
	b.name = options.name;
	choose(&b.filter, &types);
	umask(077);
	r = state_open(&b.state, &e);
	if (r == 0)
		r = daemon_begin(&self, &b.state, "bridge", options.background, &e);
	if (r == 0)
		r = bridge_open(&b, url, &e);
	if (r == 0)
		r = daemon_ready(&self, b.stream, &e);
	if (r < 0)
		die_err(r, &e);
	catch_signals(&waiting);
	r = run(&b, &waiting, &e);
	daemon_stopping();
	if (r == 0 && b.unsaved)
		r = bridge_save(&b, &e);
	if (r < 0)
		die_err(r, &e);
	bridge_close(&b);
	daemon_end(&self);
	return EXIT_SUCCESS;
}
