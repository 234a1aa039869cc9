/* loop-gate: a question to a human that work waits at. */
#include "loop-gate.h"

#include "die.h"

static const struct command subs[] = {
	{
		.name = "ask",
		.synopsis = "[OPTIONS] QUESTION",
		.brief = "raise a gate",
		.options = ask_options,
		.run = ask_run,
	},
	{
		.name = "wait",
		.synopsis = "[OPTIONS] ID",
		.brief = "wait until it is answered",
		.options = wait_options,
		.run = wait_run,
	},
	{
		.name = "approve",
		.synopsis = "[OPTIONS] ID...",
		.brief = "let the work go on",
		.options = resolve_options,
		.run = approve_run,
	},
	{
		.name = "reject",
		.synopsis = "[OPTIONS] ID...",
		.brief = "do not let the work go on",
		.options = resolve_options,
		.run = reject_run,
	},
	{
		.name = "answer",
		.synopsis = "[OPTIONS] ID ANSWER",
		.brief = "answer a question",
		.options = resolve_options,
		.run = answer_run,
	},
	{
		.name = "list",
		.synopsis = "[--pending] [--json] [ID...]",
		.brief = "show the gates",
		.options = list_options,
		.run = list_run,
	},
	{0},
};

static const struct command gate = {
	.name = "loop-gate",
	.synopsis = "ask [--wait] QUESTION\n"
		    "wait ID\n"
		    "approve | reject ID...\n"
		    "answer ID ANSWER\n"
		    "list [--pending] [--json]",
	.brief = "Asks a human, and lets work wait for the answer.",
	.subs = subs,
};

void open_state(struct state *s, bool make)
{
	struct err e = {0};
	int r = make ? state_open(s, &e) : state_find(s, &e);

	if (r < 0)
		die_err(r, &e);
}

int main(int argc, char **argv)
{
	return opt_main(&gate, argc, argv);
}
