/*
 * loop-sched: checks, draws and runs a plan as a graph of tasks. One process
 * runs a run; everything it knows is in runs/ID, where every change of state
 * is written before it takes effect.
 */
#include "commands.h"

static const struct command commands[] = {
	{.name = "check",
		.synopsis = "[--json] PLAN",
		.brief = "find every error of a plan; tell its figures",
		.options = check_options,
		.run = check_main},
	{.name = "graph",
		.synopsis = "[--format=FORMAT] PLAN",
		.brief = "draw a plan",
		.options = graph_options,
		.run = graph_main},
	{.name = "import",
		.synopsis = "PLAN",
		.brief = "print a plan of another shape in our own",
		.run = import_main},
	{.name = "run",
		.synopsis = "[OPTIONS] PLAN",
		.brief = "run a plan",
		.options = run_options,
		.run = run_main},
	{.name = "resume",
		.synopsis = "[-j N] [-v] [RUN]",
		.brief = "go on with a run that was cut off or cancelled",
		.options = resume_options,
		.run = resume_main},
	{.name = "retry",
		.synopsis = "[-j N] [-v] [RUN]",
		.brief = "run again what failed in a run, and what hung on it",
		.options = resume_options,
		.run = retry_main},
	{.name = "pause",
		.synopsis = "[RUN]",
		.brief = "start nothing more until it continues",
		.run = pause_main},
	{.name = "continue", .synopsis = "[RUN]", .brief = "end a pause", .run = continue_main},
	{.name = "cancel",
		.synopsis = "[RUN [TASK]]",
		.brief = "end a run, or one task of it",
		.run = cancel_main},
	{.name = "status",
		.synopsis = "[--json] [RUN]",
		.brief = "tell how far a run is",
		.options = status_options,
		.run = status_main},
	{.name = "list",
		.synopsis = "[--json]",
		.brief = "list all runs, oldest first",
		.options = list_options,
		.run = list_main},
	{.name = "show",
		.synopsis = "[--json] [RUN]",
		.brief = "list the tasks of a run",
		.options = status_options,
		.run = show_main},
	{.name = "why",
		.synopsis = "TASK [RUN]",
		.brief = "tell what a task waits for, or what became of it",
		.run = why_main},
	{0},
};

static const struct command command = {
	.name = "loop-sched",
	.synopsis = "COMMAND [OPTIONS] [ARGUMENTS]",
	.brief = "check, draw and run a plan as a graph of tasks",
	.subs = commands,
};

int main(int argc, char **argv)
{
	return opt_main(&command, argc, argv);
}
