/*
 * loop-lock-redis: loop-lock for locks that hosts share, which it becomes when a store is
 * named. It is a program of its own, so that a lock among the processes of one machine costs
 * no library and no process that stays.
 */
#include "loop-lock-redis.h"

#include "clock.h"
#include "die.h"
#include "store.h"

struct choices choices = {
	.timeout = -1, .level = 2, .lease = 30 * NS_PER_S, .patience = 10 * NS_PER_S};

static const char *const levels[] = {"background", "low", "normal", "high", "critical", NULL};
static const char *const losses[] = {"end", "warn", NULL};

/* clang-format off */
#define ASKING \
	{.name = "shared", .letter = 's', .flag = &choices.shared, \
	 .help = "share a plain lock with others that do"}, \
	{.name = "timeout", .letter = 't', .arg = "DURATION", .duration = &choices.timeout, \
	 .help = "give up after waiting this long"}, \
	{.name = "nonblock", .letter = 'n', .flag = &choices.nonblock, .help = "do not wait"}, \
	{.name = "priority", .letter = 'p', .arg = "LEVEL", .choice = &choices.level, \
	 .choices = levels, .help = "background, low, normal (the default), high or critical"}, \
	{.name = "label", .arg = "TEXT", .string = &choices.label, \
	 .help = "what the list shows; by default the command"}
#define LEASE(LOSS) \
	{.name = "lease", .letter = 'l', .arg = "D", .duration = &choices.lease, \
	 .help = "how long it is held without being renewed (30s)"}, \
	{.name = "on-loss", .arg = "WHAT", .choice = &choices.on_loss, .choices = losses, \
	 .help = LOSS}
#define STORE \
	{.name = "store", .arg = "STORE", .help = "redis://... (LOOP_STORE)", \
	 .string = &choices.store}, \
	{.name = "patience", .arg = "D", .help = "how long to try to reach Redis (10s)", \
	 .duration = &choices.patience}
#define JSON {.name = "json", .flag = &choices.json, .help = "JSON, a line a lock"}
#define PID \
	{.name = "pid", .arg = "PID", .number = &choices.pid, .min = 1, .max = INT32_MAX, \
	 .help = "only this process"}
/* clang-format on */

static const struct opt run_options[] = {
	ASKING,
	{.name = "close",
		.letter = 'o',
		.flag = &choices.close,
		.help = "the command does not inherit the hold: so it is in any case"},
	LEASE("end the command when the lock is lost, or only warn"),
	STORE,
	{0},
};
static const struct opt acquire_options[] = {
	{.name = "fd",
		.letter = 'f',
		.arg = "N",
		.number = &choices.fd,
		.min = 3,
		.max = INT32_MAX,
		.help = "the script's descriptor on which the lock lives"},
	ASKING,
	{.name = "print",
		.flag = &choices.print,
		.help = "print the fencing token and the slots"},
	LEASE("end the script when the lock is lost, or only tell"),
	STORE,
	{0},
};
static const struct opt look_options[] = {JSON, STORE, {0}};
static const struct opt why_options[] = {STORE, {0}};
static const struct opt cancel_options[] = {PID, STORE, {0}};
static const struct opt break_options[] = {
	PID,
	{.name = "yes", .flag = &choices.yes, .help = "really: the hold ends, and its command"},
	STORE,
	{0},
};

static const struct command commands[] = {
	{.name = "acquire",
		.synopsis = "NAME[:UNITS][/CAPACITY] --fd N [OPTION...]",
		.brief = "Locks for as long as the calling script has a descriptor open.",
		.options = acquire_options,
		.run = run_acquire},
	{.name = "list",
		.synopsis = "[--json] [NAME...]",
		.brief = "Lists who holds and who waits.",
		.options = look_options,
		.run = run_list},
	{.name = "why",
		.synopsis = "NAME",
		.brief = "Says why a lock is not to be had.",
		.options = why_options,
		.run = run_why},
	{.name = "stats",
		.synopsis = "[--json] [NAME...]",
		.brief = "Counts requests and waits.",
		.options = look_options,
		.run = run_stats},
	{.name = "cancel",
		.synopsis = "NAME [--pid PID]",
		.brief = "Makes those who wait give up.",
		.options = cancel_options,
		.run = run_cancel},
	{.name = "break",
		.synopsis = "NAME --yes [--pid PID]",
		.brief = "Ends the hold, and thereby the command of whoever has it.",
		.options = break_options,
		.run = run_break},
	{0},
};

void fail(int code, const struct err *e)
{
	die_err(code, e);
}

struct redis *open_store(void)
{
	struct redis *r;
	struct err e = {0};
	int code;

	choices.store = store_choose(choices.store);
	if (store_in_files(choices.store))
		die_usage("no Redis is named: by --store, or LOOP_STORE");
	code = lease_store(&r, choices.store, choices.patience, &e);
	if (code < 0)
		fail(code, &e);
	return r;
}

struct redis *open_to_hold(void)
{
	struct redis *r = open_store();

	redis_patience(r, MIN(choices.patience, choices.lease / 6));
	return r;
}

int main(int argc, char **argv)
{
	static const struct command lock = {
		.name = "loop-lock-redis",
		.synopsis = "NAME[:UNITS][/CAPACITY]... [OPTION...] -- COMMAND...\nCOMMAND ...",
		.brief = "Holds locks that hosts share while a command runs.",
		.options = run_options,
		.subs = commands,
		.run = run_command,
		.takes_command = true,
	};

	return opt_main(&lock, argc, argv);
}
