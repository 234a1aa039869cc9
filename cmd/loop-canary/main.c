/*
 * loop-canary: a gradual rollout of anything that a command can set, watched by checks, taken
 * back when they fail.
 */
#include "commands.h"

static const struct command subs[] = {
	{
		.name = "run",
		.synopsis = "[--again] [--no-wait] ROLLOUT.json",
		.brief = "roll out, or go on where it stopped",
		.options = run_options,
		.run = run_main,
	},
	{
		.name = "check",
		.synopsis = "ROLLOUT.json...",
		.brief = "say what is wrong with a rollout",
		.run = check_main,
	},
	{
		.name = "simulate",
		.synopsis = "[OPTIONS] ROLLOUT.json",
		.brief = "tell what would become of releases with given error rates",
		.options = simulate_options,
		.run = simulate_main,
	},
	{
		.name = "status",
		.synopsis = "[--json] [NAME...]",
		.brief = "show rollouts in full, all if none is named",
		.options = show_options,
		.run = status_main,
	},
	{
		.name = "list",
		.synopsis = "[--json] [NAME...]",
		.brief = "show rollouts, a line each, all if none is named",
		.options = show_options,
		.run = list_main,
	},
	{
		.name = "promote",
		.synopsis = "[--full] [--by WHO] [--why TEXT] NAME",
		.brief = "go to the next step now, whatever the checks say",
		.options = promote_options,
		.run = promote_main,
	},
	{
		.name = "pause",
		.synopsis = "[--by WHO] [--why TEXT] NAME",
		.brief = "stay at this weight",
		.options = request_options,
		.run = pause_main,
	},
	{
		.name = "resume",
		.synopsis = "[--by WHO] [--why TEXT] NAME",
		.brief = "go on after a pause",
		.options = request_options,
		.run = resume_main,
	},
	{
		.name = "abort",
		.synopsis = "[--by WHO] [--why TEXT] NAME",
		.brief = "roll back now",
		.options = request_options,
		.run = abort_main,
	},
	{
		.name = "retry",
		.synopsis = "[--by WHO] [--why TEXT] NAME",
		.brief = "begin a paused step anew, or try a failed rollback again",
		.options = request_options,
		.run = retry_main,
	},
	{0},
};

static const struct command canary = {
	.name = "loop-canary",
	.synopsis = "run | check | simulate ROLLOUT.json\n"
		    "promote | pause | resume | abort | retry NAME\n"
		    "status | list [NAME...]",
	.brief = "Rolls out step by step, and back when checks fail.",
	.subs = subs,
};

int main(int argc, char **argv)
{
	return opt_main(&canary, argc, argv);
}
