#include "opt.h"

#include "buf.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "version.h"

#include <errno.h>

/*
 * The state of one pass over argv: operands are gathered in place, behind the program's name
 * and in front of what is still to be read.
 */
struct parser {
	const struct command *command;
	char **argv;
	int argc;
	int next;
	struct args args;
};

static const char *type_word(const struct opt *o)
{
	return o->flag	      ? "flag"
		: o->string   ? "string"
		: o->strings  ? "strings"
		: o->number   ? "number"
		: o->duration ? "duration"
		: o->size     ? "size"
			      : "choice";
}

static void set_choice(const struct opt *o, const char *value)
{
	AUTO_BUF struct buf list = {0};

	for (int i = 0; o->choices[i]; i++) {
		if (strcmp(o->choices[i], value) == 0) {
			*o->choice = i;
			return;
		}
		buf_format(&list, "%s%s", i ? ", " : "", o->choices[i]);
	}
	die_usage("--%s: '%s' is none of %s", o->name, value, list.text);
}

static void set_number(const struct opt *o, const char *value)
{
	int64_t max = o->min || o->max ? o->max : INT64_MAX;
	int r = parse_int(value, o->min, max, o->number);

	if (r == -ERANGE)
		die_usage("--%s: %s is not between %lld and %lld", o->name, value,
			(long long)o->min, (long long)max);
	if (r < 0)
		die_usage("--%s: '%s' is not a number", o->name, value);
}

static void set_value(const struct opt *o, const char *value)
{
	if (o->string)
		*o->string = value;
	else if (o->strings)
		strs_add(o->strings, value);
	else if (o->number)
		set_number(o, value);
	else if (o->choice)
		set_choice(o, value);
	else if (o->duration && parse_duration(value, o->duration) < 0)
		die_usage("--%s: '%s' is not a duration such as 250ms, 90s, 5m or 1h30m", o->name,
			value);
	else if (o->size && parse_size(value, o->size) < 0)
		die_usage("--%s: '%s' is not a size such as 512, 64K, 10M or 2G", o->name, value);
}

static int show_help(const struct command *, const char *path);
static int describe(const struct command *);

static const struct opt standard[] = {
	{.name = "help", .help = "show this help"},
	{.name = "version", .help = "show the version"},
	{.name = "describe", .help = "show the options as JSON"},
	{0},
};

/* Answers one of the standard options; does not return. */
static void answer(const struct parser *p, const struct opt *o)
{
	int status = EXIT_SUCCESS;

	if (o == &standard[0])
		status = show_help(p->command, die_program());
	else if (o == &standard[1])
		printf("%s %s\n", die_program(), LOOP_VERSION);
	else
		status = describe(p->command);
	exit(finish(status));
}

/* The option of this name or unambiguous beginning; counts how many fit. */
static const struct opt *match(const struct opt *table, const char *name, size_t n, int *fits)
{
	const struct opt *found = NULL;

	for (const struct opt *o = table; o && o->name; o++) {
		if (strncmp(o->name, name, n) != 0)
			continue;
		if (!o->name[n]) {
			*fits = 1;
			return o;
		}
		found = o;
		++*fits;
	}
	return found;
}

static void unknown_option(const struct parser *p, const char *name, size_t n)
{
	AUTO_FREE char *word = mem_substring(name, n);
	struct nearest near = {.word = word};

	for (const struct opt *o = p->command->options; o && o->name; o++)
		nearest_try(&near, o->name);
	if (near.best)
		die_usage("unknown option '--%s'; did you mean '--%s'?", word, near.best);
	die_usage("unknown option '--%s'", word);
}

static char *next_value(struct parser *p, const char *dashes, const char *name)
{
	if (p->next >= p->argc)
		die_usage("%s%s needs a value", dashes, name);
	return p->argv[p->next++];
}

static void long_option(struct parser *p, const char *text)
{
	size_t n = strcspn(text, "=");
	const char *value = text[n] ? text + n + 1 : NULL;
	int fits = 0, standard_fits = 0;
	const struct opt *o = match(p->command->options, text, n, &fits);

	if (fits > 1)
		die_usage("'--%.*s' is ambiguous", (int)n, text);
	if (!o) {
		o = match(standard, text, n, &standard_fits);
		if (!o || value)
			unknown_option(p, text, n);
		answer(p, o);
	}
	if (o->flag && value)
		die_usage("--%s takes no value", o->name);
	if (o->flag)
		*o->flag = true;
	else
		set_value(o, value ? value : next_value(p, "--", o->name));
}

/* A bundle of letters; the first that takes a value takes the rest of the word. */
static void short_options(struct parser *p, const char *letters)
{
	for (; *letters; letters++) {
		const struct opt *o = p->command->options;

		while (o && o->name && o->letter != *letters)
			o++;
		if ((!o || !o->name) && *letters == 'h' && !letters[1])
			answer(p, &standard[0]);
		if (!o || !o->name)
			die_usage("unknown option '-%c'", *letters);
		if (o->flag) {
			*o->flag = true;
			continue;
		}
		set_value(o, letters[1] ? letters + 1 : next_value(p, "-", (char[]){*letters, 0}));
		return;
	}
}

static void operand(struct parser *p, char *word)
{
	p->args.item[p->args.count++] = word;
}

/* Reads up to the end, or with first_only up to and without the first operand. */
static void parse(struct parser *p, bool first_only)
{
	while (p->next < p->argc) {
		char *word = p->argv[p->next];

		if (word[0] != '-' || !word[1]) {
			if (first_only)
				return;
			p->next++;
			operand(p, word);
			continue;
		}
		p->next++;
		if (word[1] != '-') {
			short_options(p, word + 1);
		} else if (word[2]) {
			long_option(p, word + 2);
		} else if (p->command->takes_command) {
			p->args.command = p->argv + p->next;
			return;
		} else {
			while (p->next < p->argc)
				operand(p, p->argv[p->next++]);
		}
	}
}

static const struct command *find_sub(const struct command *c, const char *word)
{
	for (const struct command *sub = c->subs; sub && sub->name; sub++)
		if (strcmp(sub->name, word) == 0)
			return sub;
	return NULL;
}

static void unknown_sub(const struct command *c, const char *word)
{
	struct nearest near = {.word = word};

	for (const struct command *sub = c->subs; sub->name; sub++)
		nearest_try(&near, sub->name);
	if (near.best)
		die_usage("unknown command '%s'; did you mean '%s'?", word, near.best);
	die_usage("unknown command '%s'", word);
}

int opt_main(const struct command *root, int argc, char **argv)
{
	struct parser p = {.command = root, .argv = argv, .argc = argc, .next = 1};

	io_fill_standard();
	die_init(root->name, root->takes_command ? EXIT_OWN : 0);
	p.args.item = argv + 1;
	if (root->subs) {
		const struct command *sub = NULL;

		parse(&p, true);
		if (p.next < argc && !p.args.command)
			sub = find_sub(root, p.argv[p.next]);
		if (sub) {
			p.next++;
			p.command = sub;
			die_init(root->name, sub->takes_command ? EXIT_OWN : 0);
		} else if (!root->run && p.next < argc) {
			unknown_sub(root, p.argv[p.next]);
		}
	}
	if (!p.args.command)
		parse(&p, false);
	if (!p.command->run)
		die_usage("a command is needed");
	p.args.item[p.args.count] = NULL;
	return finish(p.command->run(&p.args));
}

void args_expect(const struct args *a, size_t min, size_t max)
{
	if (a->count < min)
		die_usage("an operand is missing");
	if (max && a->count > max)
		die_usage("one operand too many: '%s'", a->item[max]);
}

void args_none(const struct args *a)
{
	if (a->count)
		die_usage("one operand too many: '%s'", a->item[0]);
}

/* "  -t, --timeout=D" */
static void option_head(struct buf *b, const struct opt *o)
{
	if (o->letter)
		buf_format(b, "  -%c, --%s", o->letter, o->name);
	else
		buf_format(b, "      --%s", o->name);
	if (o->arg)
		buf_format(b, "=%s", o->arg);
}

enum { HELP_COLUMN = 30 };

static void help_line(struct buf *b, const char *help)
{
	const char *newline = strrchr(b->text, '\n');
	size_t column = b->length - (newline ? (size_t)(newline + 1 - b->text) : 0);

	if (column + 2 > HELP_COLUMN) {
		buf_char(b, '\n');
		column = 0;
	}
	buf_format(b, "%*s%s\n", (int)(HELP_COLUMN - column), "", help);
}

static void help_options(struct buf *b, const struct opt *table)
{
	for (const struct opt *o = table; o && o->name; o++) {
		option_head(b, o);
		help_line(b, o->help);
	}
}

static void help_usage(struct buf *b, const char *path, const char *word, const char *synopsis)
{
	for (const char *head = "Usage:"; *synopsis; head = "      ") {
		size_t n = strcspn(synopsis, "\n");

		buf_format(b, "%s %s%s%s%s%.*s\n", head, path, word ? " " : "", word ? word : "",
			n ? " " : "", (int)n, synopsis);
		synopsis += n + (synopsis[n] == '\n');
	}
}

static int show_help(const struct command *c, const char *path)
{
	AUTO_BUF struct buf b = {0};

	help_usage(&b, path, strcmp(c->name, path) == 0 ? NULL : c->name,
		*c->synopsis ? c->synopsis : " ");
	buf_format(&b, "\n%s\n", c->brief);
	if (c->subs)
		buf_str(&b, "\nCommands:\n");
	for (const struct command *sub = c->subs; sub && sub->name; sub++) {
		buf_format(&b, "  %s", sub->name);
		help_line(&b, sub->brief);
	}
	buf_str(&b, "\nOptions:\n");
	help_options(&b, c->options);
	help_options(&b, standard);
	fwrite(b.text, 1, b.length, stdout);
	return EXIT_SUCCESS;
}

static void json_member(struct buf *b, const char *key, const char *value)
{
	buf_format(b, "\"%s\":", key);
	if (value)
		buf_json(b, value, strlen(value));
	else
		buf_str(b, "null");
}

static void describe_option(struct buf *b, const struct opt *o)
{
	buf_char(b, '{');
	json_member(b, "name", o->name);
	buf_char(b, ',');
	json_member(b, "letter", o->letter ? (char[]){o->letter, 0} : NULL);
	buf_char(b, ',');
	json_member(b, "arg", o->arg);
	buf_char(b, ',');
	json_member(b, "type", type_word(o));
	buf_char(b, ',');
	json_member(b, "help", o->help);
	if (o->choices) {
		buf_str(b, ",\"choices\":[");
		for (int i = 0; o->choices[i]; i++) {
			buf_str(b, i ? "," : "");
			buf_json(b, o->choices[i], strlen(o->choices[i]));
		}
		buf_char(b, ']');
	}
	buf_char(b, '}');
}

static void describe_command(struct buf *b, const struct command *c)
{
	buf_char(b, '{');
	json_member(b, "name", c->name);
	buf_char(b, ',');
	json_member(b, "synopsis", c->synopsis);
	buf_char(b, ',');
	json_member(b, "brief", c->brief);
	buf_format(b, ",\"takes_command\":%s,\"options\":[", c->takes_command ? "true" : "false");
	for (const struct opt *o = c->options; o && o->name; o++) {
		buf_str(b, o == c->options ? "" : ",");
		describe_option(b, o);
	}
	buf_str(b, "],\"commands\":[");
	for (const struct command *sub = c->subs; sub && sub->name; sub++) {
		buf_str(b, sub == c->subs ? "" : ",");
		describe_command(b, sub);
	}
	buf_str(b, "]}");
}

static int describe(const struct command *c)
{
	AUTO_BUF struct buf b = {0};

	describe_command(&b, c);
	buf_char(&b, '\n');
	fwrite(b.text, 1, b.length, stdout);
	return EXIT_SUCCESS;
}
