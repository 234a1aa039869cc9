/*
 * Which options each of the programs has, and which of ours they are; the others
 * are taken and have no effect.
 */
#include "persona.h"

#include "buf.h"
#include "mem.h"

struct word {
	const char *name;
	bool value;	  /* the next word is its value */
	const char *ours; /* NULL: taken, and that is all */
};

static const struct word claude[] = {
	{"-p", false, NULL},
	{"--verbose", false, NULL},
	{"--strict-mcp-config", false, NULL},
	{"--include-partial-messages", false, NULL},
	{"--output-format", true, NULL},
	{"--permission-mode", true, NULL},
	{"--allowedTools", true, NULL},
	{"--append-system-prompt-file", true, NULL},
	{"--session-id", true, "--session-id"},
	{"--resume", true, "--session-id"},
	{"--model", true, "--model"},
	{"--max-turns", true, "--max-turns"},
	{"--max-budget-usd", true, "--budget"},
	{"--version", false, "--version"},
	{0},
};

static const struct word codex[] = {
	{"exec", false, NULL},
	{"resume", false, NULL},
	{"-", false, NULL},
	{"--json", false, NULL},
	{"--skip-git-repo-check", false, NULL},
	{"--dangerously-bypass-approvals-and-sandbox", false, NULL},
	{"-c", true, NULL},
	{"-s", true, NULL},
	{"-m", true, "--model"},
	{"--version", false, "--version"},
	{0},
};

static const struct word gemini[] = {
	{"--approval-mode", true, NULL},
	{"--output-format", true, NULL},
	{"--allowed-tools", true, NULL},
	{"--session-id", true, "--session-id"},
	{"--resume", true, "--session-id"},
	{"-m", true, "--model"},
	{"--version", false, "--version"},
	{0},
};

static const struct persona {
	const char *name;
	const struct word *words;
	const char *operand; /* which of ours a word of its own is; NULL: there is none */
} personas[] = {
	{"claude", claude, NULL}, {"codex", codex, "--session-id"}, {"gemini", gemini, NULL}};

static const struct persona *persona_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < countof(personas); i++)
		if (strcmp(name, personas[i].name) == 0)
			return &personas[i];
	return NULL;
}

static const struct word *word_of(const struct persona *p, const char *text)
{
	const struct word *w = p->words;

	while (w->name && strcmp(w->name, text) != 0)
		w++;
	return w->name ? w : NULL;
}

static NORETURN void refuse(const struct persona *p, const char *text)
{
	fprintf(stderr, "%s: error: unknown option '%s'\n", p->name, text);
	exit(EXIT_FAILURE);
}

static char **translate(const struct persona *p, char **argv, struct strs *out)
{
	const struct word *w = word_of(p, *argv);

	if (!w && (!p->operand || **argv == '-'))
		refuse(p, *argv);
	if (!w)
		strs_format(out, "%s=%s", p->operand, *argv);
	else if (w->value && !argv[1])
		refuse(p, *argv);
	else if (w->ours && w->value)
		strs_format(out, "%s=%s", w->ours, argv[1]);
	else if (w->ours)
		strs_add(out, w->ours);
	return argv + 1 + (w && w->value);
}

char **persona_argv(int *argc, char **argv)
{
	static struct strs out;
	static char **words; /* apart from their owner: opt_main moves them about */
	const struct persona *p = argv[0] ? persona_of(argv[0]) : NULL;

	if (!p)
		return argv;
	strs_add(&out, "loop-mock");
	strs_format(&out, "--dialect=%s", p->name);
	for (argv++; *argv;)
		argv = translate(p, argv, &out);
	words = mem_zero(out.count + 1, sizeof *words);
	memcpy(words, out.item, out.count * sizeof *words);
	*argc = (int)out.count;
	return words;
}
