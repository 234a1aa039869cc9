/*
 * loop-cache: remembers results by key, and runs commands only when what they depend on has
 * changed.
 */
#include "commands.h"

#include "die.h"

struct choices choices = {
	.ttl = -1,
	.changes = {.max_size = -1, .max_entries = -1, .policy = -1},
};

/* In the order of enum policy. */
const char *const policies[] = {"lru", "lfu", "ttl", NULL};

static const struct command subs[] = {
	{
		.name = "run",
		.synopsis = "[OPTIONS] -- COMMAND [ARGUMENT...]",
		.brief = "run a command, or replay what came of it",
		.options = run_options,
		.run = run_main,
		.takes_command = true,
	},
	{
		.name = "get",
		.synopsis = "[OPTIONS] KEY",
		.brief = "print what is kept",
		.options = get_options,
		.run = get_main,
	},
	{
		.name = "has",
		.synopsis = "[OPTIONS] KEY",
		.brief = "whether something is kept",
		.options = get_options,
		.run = has_main,
	},
	{
		.name = "set",
		.synopsis = "[OPTIONS] KEY [VALUE]",
		.brief = "keep a value, or standard input",
		.options = set_options,
		.run = set_main,
	},
	{
		.name = "delete",
		.synopsis = "[OPTIONS] KEY...",
		.brief = "remove keys",
		.options = delete_options,
		.run = delete_main,
	},
	{
		.name = "invalidate",
		.synopsis = "[OPTIONS] GLOB...",
		.brief = "remove the keys that a pattern matches",
		.options = invalidate_options,
		.run = invalidate_main,
	},
	{
		.name = "list",
		.synopsis = "[OPTIONS] [GLOB...]",
		.brief = "show what is kept",
		.options = list_options,
		.run = list_main,
	},
	{
		.name = "stats",
		.synopsis = "[OPTIONS]",
		.brief = "show the counts",
		.options = stats_options,
		.run = stats_main,
	},
	{
		.name = "export",
		.synopsis = "[OPTIONS] [GLOB...]",
		.brief = "write entries to standard output",
		.options = export_options,
		.run = export_main,
	},
	{
		.name = "import",
		.synopsis = "[OPTIONS] [FILE]",
		.brief = "take exported entries in",
		.options = import_options,
		.run = import_main,
	},
	{
		.name = "gc",
		.synopsis = "[OPTIONS]",
		.brief = "remove what has expired or is damaged",
		.options = gc_options,
		.run = gc_main,
	},
	{0},
};

static const struct command cache = {
	.name = "loop-cache",
	.synopsis = "run [OPTIONS] -- COMMAND [ARGUMENT...]\n"
		    "get | has KEY\n"
		    "set KEY [VALUE]\n"
		    "delete KEY...\n"
		    "invalidate GLOB...\n"
		    "list | stats | export | import | gc",
	.brief = "Remembers results, and runs commands only when something changed.",
	.subs = subs,
};

int main(int argc, char **argv)
{
	return opt_main(&cache, argc, argv);
}
