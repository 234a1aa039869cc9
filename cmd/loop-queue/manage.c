/* What people do to a queue: kick, pause, resume, drain, age, purge, sweep, fsck. */
#include "loop-queue.h"

#include "buf.h"
#include "die.h"
#include "parse.h"

#include <errno.h>

static struct {
	int64_t count;
	bool all, reset, repair;
	const char *states;
	struct strs ids;
} options = {.count = 1};

const struct opt kick_options[] = {
	{.name = "count",
		.letter = 'n',
		.arg = "N",
		.help = "up to so many (1)",
		.number = &options.count,
		.min = 1,
		.max = INT64_MAX},
	{.name = "all", .letter = 'a', .help = "all that are", .flag = &options.all},
	{.name = "reset", .help = "their tries begin anew", .flag = &options.reset},
	OPT_STORE,
	{0},
};

const struct opt purge_options[] = {
	{.name = "id", .arg = "ID", .help = "this one (repeatable)", .strings = &options.ids},
	{.name = "state",
		.letter = 's',
		.arg = "STATE,...",
		.help = "all that are ready, delayed, claimed, buried",
		.string = &options.states},
	OPT_STORE,
	{0},
};

const struct opt fsck_options[] = {
	{.name = "repair", .help = "put right what is wrong", .flag = &options.repair},
	OPT_STORE,
	{0},
};

static int64_t checked(int64_t r, const struct err *e)
{
	if (r < 0)
		queue_die((int)r, e);
	return r;
}

int kick_main(const struct args *args)
{
	struct err e = {0};
	struct queue *q;
	bool some = true;

	args_expect(args, 1, 0);
	q = open_queue(args->item[0], false);
	for (size_t i = 1; i < args->count; i++)
		if (!checked(q->ops->kick(q, args->item[i], 1, options.reset, &e), &e)) {
			warn("queue %s: no item %s that is buried or delayed", q->name,
				args->item[i]);
			some = false;
		}
	if (args->count == 1)
		some = checked(q->ops->kick(q, NULL, options.all ? INT64_MAX : options.count,
				       options.reset, &e),
			       &e) > 0;
	close_queue(q);
	return some ? EXIT_SUCCESS : EXIT_NO;
}

int pause_main(const struct args *args)
{
	int64_t time = NS_FOREVER;
	struct err e = {0};
	struct queue *q;

	args_expect(args, 1, 2);
	if (args->count == 2 && (time = parse_delay(args->item[1])) == 0)
		die_usage("a pause of no time; see resume");
	q = open_queue(args->item[0], true);
	checked(q->ops->pause(q, time, &e), &e);
	close_queue(q);
	return EXIT_SUCCESS;
}

int resume_main(const struct args *args)
{
	struct err e = {0};
	struct queue *q;

	args_expect(args, 1, 1);
	q = open_queue(args->item[0], false);
	checked(q->ops->drain(q, false, &e), &e);
	checked(q->ops->pause(q, 0, &e), &e);
	close_queue(q);
	return EXIT_SUCCESS;
}

int drain_main(const struct args *args)
{
	struct err e = {0};
	struct queue *q;

	args_expect(args, 1, 1);
	q = open_queue(args->item[0], true);
	checked(q->ops->drain(q, true, &e), &e);
	close_queue(q);
	return EXIT_SUCCESS;
}

int age_main(const struct args *args)
{
	struct err e = {0};
	struct queue *q;
	int64_t time;

	args_expect(args, 2, 2);
	if (parse_duration(args->item[1], &time) < 0 || time > QUEUE_TIME_MAX)
		die_usage("'%s' is no duration of at most ten years", args->item[1]);
	q = open_queue(args->item[0], true);
	checked(q->ops->age(q, time ? time : NS_FOREVER, &e), &e);
	close_queue(q);
	return EXIT_SUCCESS;
}

int purge_main(const struct args *args)
{
	struct err e = {0};
	struct queue *q;
	unsigned states;
	bool all = true;

	args_expect(args, 1, 1);
	if (!options.ids.count == !options.states)
		die_usage("one of --id and --state");
	states = options.states ? parse_states(options.states) : 0;
	q = open_queue(args->item[0], false);
	for (size_t i = 0; i < options.ids.count; i++)
		if (!checked(q->ops->purge(q, options.ids.item[i], 0, &e), &e)) {
			warn("queue %s: no item %s", q->name, options.ids.item[i]);
			all = false;
		}
	if (options.states)
		checked(q->ops->purge(q, NULL, states, &e), &e);
	close_queue(q);
	return all ? EXIT_SUCCESS : EXIT_NO;
}

int sweep_main(const struct args *args)
{
	struct err e = {0};
	struct queue *q;

	args_expect(args, 1, 1);
	q = open_queue(args->item[0], false);
	checked(q->ops->sweep(q, &e), &e);
	close_queue(q);
	return EXIT_SUCCESS;
}

static void complain(void *context UNUSED, const char *text)
{
	puts(text);
}

int fsck_main(const struct args *args)
{
	struct err e = {0};
	struct queue *q;
	int64_t left;

	args_expect(args, 1, 1);
	q = open_queue(args->item[0], false);
	left = checked(q->ops->check(q, options.repair, complain, NULL, &e), &e);
	close_queue(q);
	return left ? EXIT_NO : EXIT_SUCCESS;
}
