/*
 * loop-stream: shows what the journal and the runs tell, to browsers and
 * programs over HTTP, and to people on a terminal.
 */
#include "commands.h"

static const struct command subs[] = {
	{
		.name = "serve",
		.synopsis = "[OPTIONS]",
		.brief = "serve the journal over HTTP on loopback",
		.options = serve_options,
		.run = serve_run,
	},
	{
		.name = "stop",
		.synopsis = "[OPTIONS]",
		.brief = "end the server of this state directory",
		.options = stop_options,
		.run = stop_run,
	},
	{
		.name = "status",
		.synopsis = "[OPTIONS]",
		.brief = "tell whether the server answers, and where",
		.options = status_options,
		.run = status_run,
	},
	{
		.name = "show",
		.synopsis = "[OPTIONS] [RUN]",
		.brief = "show a run on the terminal until it ends",
		.options = show_options,
		.run = show_run,
	},
	{0},
};

static const struct command stream = {
	.name = "loop-stream",
	.synopsis = "serve [--listen ADDRESS] [--daemon]\n"
		    "stop | status\n"
		    "show [--style STYLE] [RUN]",
	.brief = "Shows the journal and its runs over HTTP and on the terminal.",
	.subs = subs,
};

int main(int argc, char **argv)
{
	return opt_main(&stream, argc, argv);
}
