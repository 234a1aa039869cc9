/* loop-lock: holds named locks while a command runs. */
#include "loop-lock.h"

struct choices choices = {.timeout = -1, .level = 2};

/* A step of priority is worth a minute of waiting; their values are those of events. */
static const char *const levels[] = {"background", "low", "normal", "high", "critical", NULL};

#define SHARED                                                            \
	{                                                                 \
		.name = "shared", .letter = 's', .flag = &choices.shared, \
		.help = "share a plain lock with others that do"          \
	}
#define TIMEOUT                                                                         \
	{                                                                               \
		.name = "timeout", .letter = 't', .arg = "DURATION",                    \
		.duration = &choices.timeout, .help = "give up after waiting this long" \
	}
#define NONBLOCK                                                          \
	{                                                                 \
		.name = "nonblock", .letter = 'n', .help = "do not wait", \
		.flag = &choices.nonblock                                 \
	}
#define PRIORITY                                                                  \
	{                                                                         \
		.name = "priority", .letter = 'p', .arg = "LEVEL",                \
		.choice = &choices.level, .choices = levels,                      \
		.help = "background, low, normal (the default), high or critical" \
	}
#define LABEL                                                             \
	{                                                                 \
		.name = "label", .arg = "TEXT", .string = &choices.label, \
		.help = "what the list shows; by default the command"     \
	}

static const struct opt run_options[] = {
	SHARED,
	TIMEOUT,
	NONBLOCK,
	PRIORITY,
	LABEL,
	{
		.name = "close",
		.letter = 'o',
		.flag = &choices.close,
		.help = "the command does not inherit the hold",
	},
	{0},
};

static const struct command loop_lock = {
	.name = "loop-lock",
	.synopsis = "NAME[:UNITS][/CAPACITY]... [OPTION...] -- COMMAND...",
	.brief = "Holds named locks, or units of counted resources, while a command runs.",
	.options = run_options,
	.run = run_command,
	.takes_command = true,
};

int main(int argc, char **argv)
{
	return opt_main(&loop_lock, argc, argv);
}
