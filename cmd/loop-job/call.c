/*
 * call: puts a job, waits for its answer, and does as if the command had run here. It may
 * be killed at any moment and called again with the same name: the job is put once, and its
 * answer waits.
 */
#include "loop-job.h"

#include "clock.h"
#include "deliver.h"
#include "die.h"
#include "id.h"
#include "io.h"
#include "mem.h"
#include "parcel.h"
#include "parse.h"
#include "wait.h"

#include <errno.h>
#include <fcntl.h>

static struct {
	const char *name, *report, *priority, *dir;
	struct strs env, inputs, outputs;
	int64_t timeout, stall, kill_after, lease, tries;
} options = {.kill_after = 10 * NS_PER_S, .lease = 30 * NS_PER_S, .tries = 3};

const struct opt call_options[] = {
	{.name = "name",
		.letter = 'n',
		.arg = "NAME",
		.help = "of the job, which is put once",
		.string = &options.name},
	{.name = "env",
		.letter = 'e',
		.arg = "NAME",
		.help = "the command has this variable too",
		.strings = &options.env},
	{.name = "input-var",
		.arg = "NAME",
		.help = "the file that this variable names goes there",
		.strings = &options.inputs},
	{.name = "output-var",
		.arg = "NAME",
		.help = "the file that this variable names comes back",
		.strings = &options.outputs},
	{.name = "dir",
		.letter = 'd',
		.arg = "DIR",
		.help = "the command's folder there (the worker's)",
		.string = &options.dir},
	{.name = "priority",
		.letter = 'p',
		.arg = "P",
		.help = "high, normal, low or a number (normal)",
		.string = &options.priority},
	{.name = "timeout",
		.letter = 't',
		.arg = "D",
		.help = "end the command when it has run so long",
		.duration = &options.timeout},
	{.name = "stall",
		.arg = "D",
		.help = "end it when it was silent for so long",
		.duration = &options.stall},
	{.name = "kill-after",
		.letter = 'k',
		.arg = "D",
		.help = "from SIGTERM to SIGKILL (10s)",
		.duration = &options.kill_after},
	{.name = "lease",
		.letter = 'l',
		.arg = "D",
		.help = "a worker silent for so long is lost (30s)",
		.duration = &options.lease},
	{.name = "tries",
		.arg = "N",
		.help = "so many workers may be lost over it (3)",
		.number = &options.tries,
		.min = 1,
		.max = 1000},
	{.name = "report",
		.arg = "FILE",
		.help = "write there what came of it, in JSON",
		.string = &options.report},
	OPT_STORE,
	{0},
};

#define LOOK_WATCHED (2 * NS_PER_S) /* at the item itself, where the answer is announced */
#define LOOK_POLLED (200 * NS_PER_MS)

struct call {
	struct desk desk;
	char name[QUEUE_NAME_SIZE];
	struct put put;
	struct buf job;
	bool complained;
};

static void add_command(struct buf *job, char *const *command)
{
	for (; *command; command++) {
		const char *sent = NULL;

		for (size_t i = 0; !sent && i < options.inputs.count; i++) {
			const char *path = getenv(options.inputs.item[i]);

			if (path && strcmp(path, *command) == 0)
				sent = options.inputs.item[i];
		}
		parcel_text(job, sent ? "argument-file" : "argument", sent ? sent : *command);
	}
}

static void add_environment(struct buf *job)
{
	for (size_t i = 0; i < options.env.count; i++) {
		const char *name = options.env.item[i], *value = getenv(name);
		AUTO_FREE char *entry = NULL;

		check_variable("env", name);
		if (!value)
			continue;
		entry = mem_format("%s=%s", name, value);
		parcel_text(job, "env", entry);
	}
}

static void add_inputs(struct buf *job)
{
	for (size_t i = 0; i < options.inputs.count; i++) {
		const char *name = options.inputs.item[i], *path = getenv(name);
		AUTO_FREE char *piece = mem_format(FILE_PREFIX "%s", name);
		AUTO_BUF struct buf text = {0};
		int r;

		check_variable("input-var", name);
		if (!path)
			continue;
		r = io_read_file(AT_FDCWD, path, FILE_MAX, &text);
		if (r < 0 && r != -ENOENT)
			die(die_status(r), "%s: %s", path, strerror(-r));
		if (r == 0)
			parcel_add(job, piece, text.text, text.length);
	}
}

static void make_job(struct call *c, char *const *command)
{
	struct buf *job = &c->job;

	parcel_begin(job);
	parcel_text(job, "job", c->name);
	add_command(job, command);
	add_environment(job);
	add_inputs(job);
	for (size_t i = 0; i < options.outputs.count; i++) {
		check_variable("output-var", options.outputs.item[i]);
		parcel_text(job, "back", options.outputs.item[i]);
	}
	if (options.dir)
		parcel_text(job, "dir", options.dir);
	parcel_number(job, "timeout", options.timeout / NS_PER_MS);
	parcel_number(job, "stall", options.stall / NS_PER_MS);
	parcel_number(job, "kill-after", options.kill_after / NS_PER_MS);
	parcel_number(job, "lease", options.lease / NS_PER_MS);
}

/* What passes is said once; what does not ends the program. */
static void store_failed(struct call *c, int r, const struct err *e)
{
	if (r != -ENOTCONN && r != -ETIMEDOUT)
		die(r == -EHOSTUNREACH ? EX_UNAVAILABLE : die_status(r), "%s", e->text);
	if (!c->complained)
		warn("%s; trying on", e->text);
	c->complained = true;
}

/* The answer, once it is there: 1. */
static int ask(struct call *c, struct buf *answer)
{
	struct err e = {0};
	int r = c->desk.answers->ops->ask(c->desk.answers, c->name, answer, &e);

	if (r < 0) {
		store_failed(c, r, &e);
		return 0;
	}
	c->complained = false;
	if (r == 0) {
		deliver_note((struct span){answer->text, answer->length});
		buf_drop(answer, answer->length);
	}
	return r;
}

struct look {
	bool buried;
	char why[256];
};

static int look_taker(void *context, const struct item *item)
{
	struct look *look = context;

	look->buried = item->state == ITEM_BURIED;
	snprintf(look->why, sizeof look->why, "%.*s", (int)MIN(item->why.n, sizeof look->why - 1),
		item->why.n ? item->why.p : "");
	return 0;
}

/* 1 and how the job's item is, 0: it is not there, or a passing error. */
static int look_at(struct call *c, struct look *look)
{
	struct queue *q = c->desk.queue;
	struct err e = {0};
	int r = q->ops->get(q, c->put.id, look_taker, look, &e);

	if (r < 0)
		store_failed(c, r, &e);
	return r;
}

static void purge(struct call *c)
{
	struct err e = {0};
	struct queue *q = c->desk.queue;
	int64_t r = q->ops->purge(q, c->put.id, 0, &e);

	if (r < 0)
		warn("%s", e.text);
}

static void put_once(struct call *c, const char *key)
{
	struct queue *q = c->desk.queue;
	struct err e = {0};
	size_t done;
	int r;

	c->put.key = key;
	r = q->ops->put(q, &c->put, 1, false, &done, &e);
	if (r == -ESHUTDOWN)
		die(EX_TEMPFAIL, "%s", e.text);
	if (r < 0)
		die(r == -EHOSTUNREACH ? EX_UNAVAILABLE : die_status(r), "%s", e.text);
}

/*
 * The key keeps a job from being put twice, also when it is done already. One that is
 * neither done nor there any more was removed, and is put under another key.
 */
static void put_job(struct call *c)
{
	AUTO_BUF struct buf answer = {0};
	struct look look;

	put_once(c, c->name);
	for (int n = 2; c->put.dup && n < 100; n++) {
		char key[QUEUE_NAME_SIZE];

		if (look_at(c, &look) != 0 || ask(c, &answer))
			return;
		snprintf(key, sizeof key, "%.110s@%d", c->name, n);
		put_once(c, key);
	}
}

/* What ends the waiting otherwise than by an answer: 0 it goes on, else the exit status. */
static int check_item(struct call *c, struct buf *answer)
{
	struct look look = {0};
	struct deliver d = {.report = options.report, .name = c->name};
	int there = look_at(c, &look);

	if (there < 0 || (there && !look.buried))
		return 0;
	if (ask(c, answer))
		return deliver(&d, answer, &options.outputs);
	if (there)
		purge(c);
	else
		snprintf(look.why, sizeof look.why, "it was removed from the queue");
	return deliver_lost(&d, look.why);
}

static int cancelled(struct call *c, int sig)
{
	struct err e = {0};

	purge(c);
	(void)c->desk.answers->ops->drop(c->desk.answers, c->name, &e);
	return EXIT_SIGNAL + sig;
}

/* Sleeps until something may be there. Returns the signal that ends us, or 0. */
static int sleep_once(struct call *c, int64_t *look)
{
	struct answers *a = c->desk.answers;
	int watch = a->ops->watch(a), sig = 0;
	int64_t until = MIN(*look, clock_after(watch >= 0 ? LOOK_WATCHED : LOOK_POLLED));

	switch (wait_for(watch, until, &sig)) {
	case WAIT_READY: a->ops->heard(a); break;
	case WAIT_SIGNAL: return wait_signal_ends(sig) ? sig : 0;
	case WAIT_DEADLINE: break;
	}
	return 0;
}

static int await(struct call *c)
{
	AUTO_BUF struct buf answer = {0};
	struct deliver d = {.report = options.report, .name = c->name};
	int64_t look = clock_after(NS_PER_S);

	for (;;) {
		int sig, status;

		/* Listening first: what is answered between the two is heard. */
		(void)c->desk.answers->ops->watch(c->desk.answers);
		if (ask(c, &answer)) {
			struct err e = {0};

			status = deliver(&d, &answer, &options.outputs);
			(void)c->desk.answers->ops->drop(c->desk.answers, c->name, &e);
			return status;
		}
		if (clock_now() >= look) {
			status = check_item(c, &answer);
			if (status)
				return status;
			look = clock_after(LOOK_WATCHED);
		}
		sig = sleep_once(c, &look);
		if (sig)
			return cancelled(c, sig);
	}
}

static void check_choices(const struct args *args)
{
	args_expect(args, 1, 1);
	if (!args->command || !args->command[0])
		die_usage("a command is needed behind --");
	if (options.name && !name_valid(options.name))
		die_usage("--name: '%s' is not a name", options.name);
	if (options.lease < NS_PER_S || options.lease > QUEUE_TIME_MAX)
		die_usage("--lease: from 1s to ten years");
}

int call_main(const struct args *args)
{
	struct call c = {0};
	char unique[UUID_SIZE];
	int status;

	check_choices(args);
	snprintf(c.name, sizeof c.name, "%s", options.name ? options.name : id_uuid(unique));
	status = deliver_before(options.report);
	if (status >= 0)
		return status;
	c.put = (struct put){.priority = 1000,
		.lease = options.lease,
		.max_tries = options.tries,
		.key_ttl = ANSWERS_KEPT};
	if (options.priority && queue_priority_parse(options.priority, &c.put.priority) < 0)
		die_usage("--priority: '%s' is none", options.priority);
	make_job(&c, args->command);
	c.put.body = (struct span){c.job.text, c.job.length};
	if (wait_init() < 0)
		die_errno(EX_OSERR, "signals");
	desk_open(&c.desk, args->item[0]);
	put_job(&c);
	status = await(&c);
	desk_close(&c.desk);
	buf_clear(&c.job);
	return status;
}
