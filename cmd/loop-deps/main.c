/*
 * loop-deps: the import graph of Python, JavaScript and TypeScript sources;
 * from it, a plan.
 */
#include "die.h"
#include "opt.h"
#include "show.h"

enum format { FORMAT_STATS,
	FORMAT_JSON,
	FORMAT_DOT,
	FORMAT_PLAN,
	FORMAT_LEVELS };

static const char *const formats[] = {"stats", "json", "dot", "plan", "levels", NULL};
static const char *const units[] = {"file", "directory", NULL};
static const char *const filters[] = {"all", "runtime", "load", NULL};

static int format, by, edges;
static struct strs affected, include, exclude, roots;
static bool cycles, external, unresolved, check;
static bool no_ignore;
static int64_t max_size = INT64_C(64) << 20;

static const struct opt options[] = {
	{.name = "format",
		.letter = 'f',
		.arg = "FORMAT",
		.choice = &format,
		.choices = formats,
		.help = "the whole graph as stats (default), json, dot, plan or levels"},
	{.name = "by",
		.arg = "UNIT",
		.choice = &by,
		.choices = units,
		.help = "a plan's tasks: one a file (default) or one a directory"},
	{.name = "edges",
		.arg = "WHICH",
		.choice = &edges,
		.choices = filters,
		.help = "imports that count: all (default), runtime or load"},
	{.name = "affected",
		.letter = 'a',
		.arg = "FILE",
		.strings = &affected,
		.help = "list what imports this file, over whatever way; - reads names from stdin"},
	{.name = "cycles",
		.letter = 'c',
		.flag = &cycles,
		.help = "list a shortest cycle of every knot, with the place of each import"},
	{.name = "external",
		.letter = 'e',
		.flag = &external,
		.help = "list external packages, with the files and imports that name them"},
	{.name = "unresolved",
		.letter = 'u',
		.flag = &unresolved,
		.help = "list imports that lead nowhere, with their places"},
	{.name = "check",
		.flag = &check,
		.help = "status 1 if there is a cycle or an unresolved import"},
	{.name = "include",
		.letter = 'I',
		.arg = "GLOB",
		.strings = &include,
		.help = "only files that match"},
	{.name = "exclude",
		.letter = 'x',
		.arg = "GLOB",
		.strings = &exclude,
		.help = "no files and folders that match"},
	{.name = "root",
		.letter = 'r',
		.arg = "DIR",
		.strings = &roots,
		.help = "where absolute imports of Python start, before the places known"},
	{.name = "max-size",
		.arg = "SIZE",
		.size = &max_size,
		.help = "leave out larger files (64M)"},
	{.name = "no-ignore",
		.flag = &no_ignore,
		.help = "what .gitignore leaves out, too"},
	{0},
};

static void show_format(const struct view *v)
{
	switch ((enum format)format) {
	case FORMAT_STATS:
		show_stats(v);
		break;
	case FORMAT_JSON:
		show_json(v);
		break;
	case FORMAT_DOT:
		show_dot(v);
		break;
	case FORMAT_PLAN:
		show_plan(v, by);
		break;
	case FORMAT_LEVELS:
		show_levels(v);
		break;
	}
}

static void show(const struct view *v)
{
	if (affected.count)
		show_affected(v, &affected);
	else if (cycles)
		show_cycles(v);
	else if (external)
		show_external(v);
	else if (unresolved)
		show_unresolved(v);
	else
		show_format(v);
}

static void load(struct tree *t, const struct args *args)
{
	struct walk_options walk = {
		.include = &include,
		.exclude = &exclude,
		.max_size = max_size,
		.no_ignore = no_ignore};

	t->working = realpath(".", NULL);
	if (!t->working)
		die_errno(EX_NOINPUT, "the working directory");
	for (size_t i = 0; i < roots.count; i++) {
		AUTO_FREE char *real = realpath(roots.item[i], NULL);

		if (!real)
			die_errno(EX_NOINPUT, "%s", roots.item[i]);
		strs_add(&t->roots, real);
	}
	for (size_t i = 0; i < args->count; i++)
		tree_walk(t, args->item[i], &walk);
	if (!args->count)
		tree_walk(t, ".", &walk);
	tree_read(t, &walk);
	tree_resolve(t);
}

static bool has_unresolved(const struct tree *t)
{
	for (uint32_t i = 0; i < t->references; i++)
		if (t->reference[i].outcome == OUTCOME_UNRESOLVED)
			return true;
	return false;
}

static int run(const struct args *args)
{
	/* All of it lives as long as the program. */
	static struct tree tree;
	static struct graph graph;
	static struct view v = {.tree = &tree, .graph = &graph};

	if ((affected.count > 0) + cycles + external + unresolved + (format != 0) > 1)
		die_usage("--format, --affected, --cycles, --external, --unresolved: one of them");
	if (by && format != FORMAT_PLAN)
		die_usage("--by is for --format plan");
	load(&tree, args);
	graph_build(&graph, &tree, (enum edge_filter)edges);
	cycles_find(&v.cycles, &graph.dag);
	groups_build(&v.groups, &graph, NULL, 0);
	show(&v);
	if (tree.failed)
		return EX_IOERR;
	return check && (v.cycles.count || has_unresolved(&tree)) ? EXIT_NO : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct command deps = {
		.name = "loop-deps",
		.synopsis = "[OPTIONS] [PATH…]",
		.brief = "Shows what Python, JavaScript and TypeScript sources import, and plans "
			 "from it.",
		.options = options,
		.run = run,
	};

	return opt_main(&deps, argc, argv);
}
