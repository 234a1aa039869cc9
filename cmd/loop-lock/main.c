/* loop-lock: holds named locks while a command runs. */
#include "loop-lock.h"

struct choices choices = {.timeout = -1, .level = 2};

/* A step of priority is worth a minute of waiting; their values are those of events. */
static const char *const levels[] = {"background", "low", "normal", "high", "critical", NULL};
static const char *const losses[] = {"end", "warn", NULL};

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

/* clang-format off */
#define LEASE(LOSS) \
	{.name = "lease", .letter = 'l', .arg = "D", .duration = &choices.lease, \
	 .help = "how long it is held in Redis without being renewed (30s)"}, \
	{.name = "on-loss", .arg = "WHAT", .choice = &choices.on_loss, .choices = losses, \
	 .help = LOSS}
#define STORE \
	{.name = "store", .arg = "STORE", .string = &choices.store, \
	 .help = "file, or redis://... for locks of many hosts (LOOP_STORE)"}, \
	{.name = "patience", .arg = "D", .duration = &choices.patience, \
	 .help = "how long to try to reach Redis (10s)"}
/* clang-format on */

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
	LEASE("end the command when a lock in Redis is lost, or only warn"),
	STORE,
	{0},
};

#define JSON                                                                         \
	{                                                                            \
		.name = "json", .flag = &choices.json, .help = "JSON, a line a lock" \
	}
#define FD                                                                                  \
	{                                                                                   \
		.name = "fd", .letter = 'f', .arg = "N", .number = &choices.fd, .min = 3,   \
		.max = INT32_MAX, .help = "the script's descriptor on which the lock lives" \
	}
#define PID                                                                                      \
	{                                                                                        \
		.name = "pid", .arg = "PID", .number = &choices.pid, .min = 1, .max = INT32_MAX, \
		.help = "only this process"                                                      \
	}

static const struct opt no_options[] = {{0}};
static const struct opt acquire_options[] = {
	FD,
	SHARED,
	TIMEOUT,
	NONBLOCK,
	PRIORITY,
	LABEL,
	{
		.name = "print",
		.flag = &choices.print,
		.help = "print the fencing token and the slots",
	},
	LEASE("end the script when a lock in Redis is lost, or only tell"),
	STORE,
	{0},
};
static const struct opt release_options[] = {FD, {0}};
static const struct opt list_options[] = {JSON, STORE, {0}};
static const struct opt why_options[] = {STORE, {0}};
static const struct opt cancel_options[] = {PID, STORE, {0}};
static const struct opt break_options[] = {
	PID,
	{
		.name = "yes",
		.flag = &choices.yes,
		.help = "really: whoever holds the lock is killed",
	},
	STORE,
	{0},
};

static const struct command commands[] = {
	{
		.name = "path",
		.synopsis = "NAME",
		.brief = "Prints the path of a lock's file, for a script to open.",
		.options = no_options,
		.run = run_path,
	},
	{
		.name = "acquire",
		.synopsis = "NAME[:UNITS][/CAPACITY] --fd N [OPTION...]",
		.brief = "Locks on a descriptor that the calling script has open.",
		.options = acquire_options,
		.run = run_acquire,
	},
	{
		.name = "release",
		.synopsis = "NAME --fd N",
		.brief = "Lets go of what acquire got.",
		.options = release_options,
		.run = run_release,
	},
	{
		.name = "list",
		.synopsis = "[--json] [NAME...]",
		.brief = "Lists who holds and who waits.",
		.options = list_options,
		.run = run_list,
	},
	{
		.name = "why",
		.synopsis = "NAME",
		.brief = "Says why a lock is not to be had, down to what its holders wait for.",
		.options = why_options,
		.run = run_why,
	},
	{
		.name = "stats",
		.synopsis = "[--json] [NAME...]",
		.brief = "Counts requests and waits.",
		.options = list_options,
		.run = run_stats,
	},
	{
		.name = "cancel",
		.synopsis = "NAME [--pid PID]",
		.brief = "Makes those who wait give up.",
		.options = cancel_options,
		.run = run_cancel,
	},
	{
		.name = "break",
		.synopsis = "NAME --yes [--pid PID]",
		.brief = "Kills whoever holds a lock.",
		.options = break_options,
		.run = run_break,
	},
	{0},
};

static const struct command loop_lock = {
	.name = "loop-lock",
	.synopsis = "NAME[:UNITS][/CAPACITY]... [OPTION...] -- COMMAND...\nCOMMAND ...",
	.brief = "Holds named locks, or units of counted resources, while a command runs.",
	.options = run_options,
	.subs = commands,
	.run = run_command,
	.takes_command = true,
};

int main(int argc, char **argv)
{
	go_elsewhere(argv);
	return opt_main(&loop_lock, argc, argv);
}
