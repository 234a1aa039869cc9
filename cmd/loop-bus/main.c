/*
 * loop-bus: everything that reads the journal for others: subscribers, handlers,
 * routes, and people who want to know what happened.
 */
#include "commands.h"

static const struct command commands[] = {
	{.name = "serve",
		.synopsis = "[--daemon] [--no-fifo] [--silence=DURATION]",
		.brief = "hand events out and take them in over bus.sock and bus.fifo",
		.options = serve_options,
		.run = serve_main},
	{.name = "stop",
		.synopsis = "[--timeout=DURATION]",
		.brief = "end the bus that runs here",
		.options = stop_options,
		.run = stop_main},
	{.name = "status",
		.synopsis = "[--json]",
		.brief = "whether a bus runs here and answers",
		.options = status_options,
		.run = status_main},
	{.name = "sub",
		.synopsis = "[options] [PATTERN...]",
		.brief = "print events as they come",
		.options = sub_options,
		.run = sub_main},
	{.name = "history",
		.synopsis = "[options] [PATTERN...]",
		.brief = "print what happened, the newest 1000 by default",
		.options = history_options,
		.run = history_main},
	{.name = "replay",
		.synopsis = "[options] [PATTERN...]",
		.brief = "print what happened, in its own time or faster",
		.options = replay_options,
		.run = replay_main},
	{.name = "verify",
		.synopsis = "[--quiet]",
		.brief = "check the whole journal",
		.options = verify_options,
		.run = verify_main},
	{.name = "on",
		.synopsis = "[options] [PATTERN...] -- COMMAND [ARGUMENT...]",
		.brief = "run a command for every event of a kind",
		.options = on_options,
		.run = on_main,
		.takes_command = true},
	{.name = "redrive",
		.synopsis = "[--list] [options] NAME",
		.brief = "send the dead letters of a handler again",
		.options = redrive_options,
		.run = redrive_main},
	{.name = "route",
		.synopsis = "[--check] [--from=PLACE] FILE",
		.brief = "run the routes of a file",
		.options = route_options,
		.run = route_main},
	{.name = "bridge",
		.synopsis = "[options] [URL [PATTERN...]]",
		.brief = "share events with other hosts, over a Redis",
		.options = bridge_options,
		.run = bridge_main},
	{0},
};

int main(int argc, char **argv)
{
	static const struct command bus = {
		.name = "loop-bus",
		.synopsis = "COMMAND [options] [arguments]",
		.brief = "subscribe to events, look at them, act on them",
		.subs = commands,
	};

	return opt_main(&bus, argc, argv);
}
