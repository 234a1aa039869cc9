/* Looking: peek, list, stats, wait. */
#include "loop-queue.h"

#include "clock.h"
#include "die.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>

static struct {
	const char *states;
	int64_t count, timeout;
	bool json, empty;
} options = {.timeout = NS_FOREVER};

#define OPT_JSON                                                                  \
	{                                                                         \
		.name = "json", .help = "print JSON lines", .flag = &options.json \
	}

const struct opt peek_options[] = {OPT_STORE, {0}};

const struct opt list_options[] = {
	{.name = "state",
		.letter = 's',
		.arg = "STATE,...",
		.help = "ready, delayed, claimed, buried (all)",
		.string = &options.states},
	{.name = "count",
		.letter = 'n',
		.arg = "N",
		.help = "at most",
		.number = &options.count,
		.min = 1,
		.max = INT64_MAX},
	OPT_JSON,
	OPT_STORE,
	{0},
};

const struct opt stats_options[] = {OPT_JSON, OPT_STORE, {0}};

const struct opt wait_options[] = {
	{.name = "empty",
		.letter = 'e',
		.help = "until none is ready, delayed or claimed",
		.flag = &options.empty},
	{.name = "timeout",
		.letter = 't',
		.arg = "D",
		.help = "how long (for ever)",
		.duration = &options.timeout},
	OPT_STORE,
	{0},
};

#define EVERY_STATE ((1U << ITEM_DONE) - 1)

struct looking {
	struct queue *queue;
	int64_t left;
};

static int print_json(void *context, const struct item *item)
{
	struct looking *l = context;
	AUTO_BUF struct buf line = {0};

	item_json(&line, l->queue, item, SHOW_STATE | SHOW_BODY);
	buf_char(&line, '\n');
	if (fwrite(line.text, 1, line.length, stdout) != line.length)
		return -EIO;
	return --l->left ? 0 : -ECANCELED;
}

static int print_text(void *context, const struct item *item)
{
	struct looking *l = context;
	AUTO_BUF struct buf body = {0};
	size_t n = MIN(item->body.n, (size_t)60);
	char age[DURATION_SIZE];

	buf_escape(&body, item->body.p, n);
	printf("%-10s %-8s %10lld  try %lld  %8s  %s%s\n", item->id, item_state_name(item->state),
		(long long)item->priority, (long long)item->tries,
		format_duration(age, MAX(clock_real() - item->created, 0)), body.text,
		n < item->body.n ? "..." : "");
	return --l->left ? 0 : -ECANCELED;
}

static void check(int r, const struct err *e)
{
	if (r < 0 && r != -ECANCELED)
		queue_die(r, e);
}

/* NULL: the next. */
static int peek_one(struct looking *l, const char *id)
{
	struct err e = {0};
	int r;

	l->left = INT64_MAX;
	r = l->queue->ops->get(l->queue, id, print_json, l, &e);
	check(r, &e);
	if (r == 0 && id)
		warn("queue %s: no item %s", l->queue->name, id);
	return r ? EXIT_SUCCESS : EXIT_NO;
}

int peek_main(const struct args *args)
{
	struct looking l = {0};
	int status = EXIT_SUCCESS;

	args_expect(args, 1, 0);
	l.queue = open_queue(args->item[0], false);
	if (args->count == 1)
		status = peek_one(&l, NULL);
	for (size_t i = 1; i < args->count; i++) {
		int r = peek_one(&l, args->item[i]);

		status = MAX(status, r);
	}
	close_queue(l.queue);
	return status;
}

int list_main(const struct args *args)
{
	struct looking l = {.left = options.count ? options.count : INT64_MAX};
	unsigned states = options.states ? parse_states(options.states) : EVERY_STATE;
	struct err e = {0};

	args_expect(args, 1, 1);
	l.queue = open_queue(args->item[0], false);
	check(l.queue->ops->each(
		      l.queue, states, options.json ? print_json : print_text, &l, &e),
		&e);
	close_queue(l.queue);
	return EXIT_SUCCESS;
}

static void get_stats(struct queue *q, struct queue_stats *s)
{
	struct err e = {0};
	int r = q->ops->stats(q, s, &e);

	if (r < 0)
		queue_die(r, &e);
}

static int64_t age_of(const struct queue_stats *s)
{
	return s->oldest ? MAX(s->now - s->oldest, 0) : 0;
}

static void print_stats_json(const struct queue *q, const struct queue_stats *s)
{
	printf("{\"queue\":\"%s\"", q->name);
	for (int i = 0; i < ITEM_DONE; i++)
		printf(",\"%s\":%lld", item_state_name((enum item_state)i),
			(long long)s->count[i]);
	printf(",\"oldest_ms\":%lld,\"age_ms\":%lld,\"paused\":%s,\"draining\":%s}\n",
		(long long)(age_of(s) / NS_PER_MS),
		(long long)(s->age == NS_FOREVER ? 0 : s->age / NS_PER_MS),
		s->paused ? "true" : "false", s->draining ? "true" : "false");
}

static void print_stats_text(const struct queue *q, const struct queue_stats *s)
{
	char age[DURATION_SIZE];

	printf("%-24s", q->name);
	for (int i = 0; i < ITEM_DONE; i++)
		printf(" %lld %s%s", (long long)s->count[i], item_state_name((enum item_state)i),
			i + 1 < ITEM_DONE ? "," : "");
	if (s->oldest)
		printf("; oldest %s", format_duration(age, age_of(s)));
	printf("%s%s\n", s->paused ? "; paused" : "", s->draining ? "; drains" : "");
}

static void show_stats(const char *name)
{
	struct queue *q = open_queue(name, false);
	struct queue_stats s;

	get_stats(q, &s);
	if (options.json)
		print_stats_json(q, &s);
	else
		print_stats_text(q, &s);
	close_queue(q);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void list_queues(struct strs *names)
{
	const struct state *s = queue_state(false);
	int fd = s ? state_file(s, "queues", O_RDONLY | O_DIRECTORY, 0) : -ENOENT;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		if (name_valid(entry->d_name))
			strs_add(names, entry->d_name);
	closedir(dir);
	if (names->count)
		qsort(names->item, names->count, sizeof *names->item, by_name);
}

int stats_main(const struct args *args)
{
	AUTO_STRS struct strs names = {0};

	for (size_t i = 0; i < args->count; i++)
		strs_add(&names, args->item[i]);
	if (!args->count && !store_is_file())
		die_usage("name the queues: only those in files can be listed");
	if (!args->count)
		list_queues(&names);
	for (size_t i = 0; i < names.count; i++)
		show_stats(names.item[i]);
	return EXIT_SUCCESS;
}

static bool is_empty(struct queue *q)
{
	struct queue_stats s;

	get_stats(q, &s);
	return !s.count[ITEM_READY] && !s.count[ITEM_DELAYED] && !s.count[ITEM_CLAIMED];
}

static int is_buried(void *context, const struct item *item)
{
	bool *buried = context;

	*buried = item->state == ITEM_BURIED;
	return 0;
}

/* Whether all that was named is over; dropped from the list as it is. */
static bool all_over(struct queue *q, const struct args *args, bool *over)
{
	bool all = true;

	for (size_t i = 1; i < args->count; i++) {
		bool buried = false;
		struct err e = {0};
		int r = over[i] ? 0 : q->ops->get(q, args->item[i], is_buried, &buried, &e);

		check(r, &e);
		over[i] |= r == 0 || buried;
		all &= over[i];
	}
	return all;
}

int wait_main(const struct args *args)
{
	int64_t deadline = clock_after(options.timeout), pause = 5 * NS_PER_MS;
	AUTO_FREE bool *over = calloc(args->count + 1, sizeof *over);
	int status = EXIT_SUCCESS;
	struct queue *q;

	args_expect(args, options.empty ? 1 : 2, options.empty ? 1 : 0);
	q = open_queue(args->item[0], false);
	while (!(options.empty ? is_empty(q) : all_over(q, args, over))) {
		if (clock_now() >= deadline) {
			status = EXIT_TIMEDOUT;
			break;
		}
		clock_sleep(MIN(pause, MAX(deadline - clock_now(), 0)));
		pause = MIN(pause * 2, 200 * NS_PER_MS);
	}
	close_queue(q);
	return status;
}
