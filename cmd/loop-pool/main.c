/*
 * loop-pool: workers for a queue, more when there is much to do and fewer when there is
 * little.
 */
#include "pool.h"

#include "store.h"

struct choices choices = {
	.rules = {.min = 2,
		.max = 10,
		.up = 10,
		.down = 2,
		.age = NS_FOREVER,
		.drain = NS_FOREVER,
		.cooldown = 30 * NS_PER_S},
	.every = 5 * NS_PER_S,
	.timeout = NS_FOREVER,
	.patience = 10 * NS_PER_S,
};

const struct opt run_options[] = {
	{.name = "min",
		.arg = "N",
		.help = "never fewer workers (2)",
		.number = &choices.rules.min,
		.max = 1000},
	{.name = "max",
		.arg = "N",
		.help = "never more (10)",
		.number = &choices.rules.max,
		.min = 1,
		.max = 1000},
	{.name = "scale-up",
		.arg = "N",
		.help = "more, where so many items a worker are ready (10)",
		.number = &choices.rules.up,
		.min = 1,
		.max = 1000000},
	{.name = "scale-down",
		.arg = "N",
		.help = "fewer, where no more than so many are (2)",
		.number = &choices.rules.down,
		.max = 1000000},
	{.name = "age",
		.arg = "D",
		.help = "one more, where the oldest has waited so long",
		.duration = &choices.rules.age},
	{.name = "drain-time",
		.arg = "D",
		.help = "as many as do all of it in this time",
		.duration = &choices.rules.drain},
	{.name = "cooldown",
		.arg = "D",
		.help = "idle for so long before one goes (30s)",
		.duration = &choices.rules.cooldown},
	{.name = "every",
		.arg = "D",
		.help = "how often it looks (5s)",
		.duration = &choices.every},
	{.name = "breaker",
		.letter = 'b',
		.arg = "NAME",
		.help = "nobody works while it is open",
		.string = &choices.breaker},
	{.name = "lease",
		.letter = 'l',
		.arg = "D",
		.help = "of the workers' claims",
		.duration = &choices.lease},
	{.name = "timeout",
		.letter = 't',
		.arg = "D",
		.help = "end a command that takes longer",
		.duration = &choices.timeout},
	{.name = "raw",
		.help = "the command claims by itself",
		.flag = &choices.raw},
	STORE_OPTIONS(choices, "10s"),
	{0},
};

static const struct command commands[] = {
	{.name = "run",
		.synopsis = "[options] QUEUE -- COMMAND [ARGUMENT...]",
		.brief = "keep workers that run the command for item after item",
		.options = run_options,
		.run = run_main,
		.takes_command = true},
	{.name = "status",
		.synopsis = "[--json] [QUEUE...]",
		.brief = "what the pools here do",
		.options = status_options,
		.run = status_main},
	{0},
};

int main(int argc, char **argv)
{
	static const struct command pool = {
		.name = "loop-pool",
		.synopsis = "[options] QUEUE -- COMMAND [ARGUMENT...]\nstatus [--json] [QUEUE...]",
		.brief = "workers for a queue, as many as it needs",
		.options = run_options,
		.subs = commands,
		.run = run_main,
		.takes_command = true,
	};

	return opt_main(&pool, argc, argv);
}
