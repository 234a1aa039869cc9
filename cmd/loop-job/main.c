/*
 * loop-job: runs a command where a worker of a queue is, on whatever host, as if it ran
 * here: its output, its files and its exit status come back.
 */
#include "loop-job.h"

static const struct command commands[] = {
	{.name = "call",
		.synopsis = "[options] QUEUE -- COMMAND [ARGUMENT...]",
		.brief = "have a worker run a command, and wait for its end",
		.options = call_options,
		.run = call_main,
		.takes_command = true},
	{.name = "run",
		.synopsis = "[options]",
		.brief = "run the job on standard input, and answer it",
		.options = run_options,
		.run = run_main},
	{0},
};

int main(int argc, char **argv)
{
	static const struct command job = {
		.name = "loop-job",
		.synopsis = "call [options] QUEUE -- COMMAND [ARGUMENT...]\nrun [options]",
		.brief = "Runs commands by the workers of a queue, on any host.",
		.subs = commands,
	};

	return opt_main(&job, argc, argv);
}
