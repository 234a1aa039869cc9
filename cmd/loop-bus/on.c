/*
 * on: runs a command for every event of a kind.
 */
#include "commands.h"
#include "handler.h"

#include "choose.h"
#include "die.h"
#include "mem.h"
#include "parse.h"

static struct {
	int64_t jobs, timeout, retries, backoff, count;
	const char *durable, *name;
	int priority; /* an index into priority_choices */
} options = {
	.jobs = 1,
	.timeout = 300 * NS_PER_S,
	.retries = 2,
	.backoff = NS_PER_S,
	.count = -1,
	.priority = 2,
};

const struct opt on_options[] = {
	OPT_TYPE,
	OPT_SUBJECT,
	OPT_WHERE,
	{.name = "priority",
		.letter = 'p',
		.arg = "PRIORITY",
		.help = "of several handlers of an event, the higher begins first (normal)",
		.choice = &options.priority,
		.choices = priority_choices},
	OPT_FROM,
	{.name = "jobs",
		.letter = 'j',
		.arg = "N",
		.help = "so many at once (1)",
		.number = &options.jobs,
		.min = 1,
		.max = 1024},
	{.name = "timeout",
		.arg = "DURATION",
		.help = "how long one may take (5m)",
		.duration = &options.timeout},
	{.name = "retries",
		.arg = "N",
		.help = "how often a failed one is tried again (2)",
		.number = &options.retries,
		.min = 0,
		.max = 1000},
	{.name = "backoff",
		.arg = "DURATION",
		.help = "how long to wait before the first retry; it doubles (1s)",
		.duration = &options.backoff},
	{.name = "durable",
		.arg = "NAME",
		.help = "go on behind the last event that was finished under this name",
		.string = &options.durable},
	{.name = "name",
		.arg = "NAME",
		.help = "its name in events and of its dead letters (the command's)",
		.string = &options.name},
	{.name = "number",
		.letter = 'n',
		.arg = "N",
		.help = "end after N events",
		.number = &options.count},
	{0},
};

static char *handler_name(const char *command)
{
	const char *slash = strrchr(command, '/');
	const char *name = options.name ? options.name
		: options.durable	? options.durable
		: slash			? slash + 1
					: command;

	if (!name_valid(name))
		die(EXIT_OWN, "'%s' is not a name; give it one with --name", name);
	return mem_string(name);
}

static enum priority handler_priority(void)
{
	enum priority p = NORMAL;

	return priority_parse(priority_choices[options.priority], &p) < 0 ? NORMAL : p;
}

int on_main(const struct args *args)
{
	static struct engine engine;
	static struct state state;
	static struct turn turn;
	struct handler *h;
	struct err e = {0};
	int r;

	if (!args->command || !*args->command)
		die_usage("a command is needed, behind --");
	h = mem_zero(1, sizeof *h);
	handler_init(h);
	h->name = handler_name(args->command[0]);
	h->target.command = args->command;
	h->jobs = options.jobs;
	h->timeout = options.timeout;
	h->retries = options.retries;
	h->backoff.base = options.backoff;
	choose(&h->filter, args);
	r = state_open(&state, &e);
	if (r == 0)
		r = handler_place(h, &state, options.durable, choice.from, &e);
	if (r == 0)
		r = turn_open(&turn, &state, handler_priority(), journal_position(h->reader), &e);
	if (r == 0)
		r = engine_open(&engine, &state, &e);
	if (r < 0)
		die_err(r, &e);
	h->turn = &turn;
	engine.left = options.count;
	engine_add(&engine, h);
	engine_run(&engine);
	r = engine.failed ? EXIT_NO : EXIT_SUCCESS;
	engine_close(&engine);
	turn_close(&turn);
	state_close(&state);
	return r;
}
