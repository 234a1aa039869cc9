#include "ignore.h"

#include "glob.h"
#include "io.h"
#include "mem.h"

#include <fcntl.h>

enum { IGNORE_FILE_MAX = 1 << 20,
	RULES_MAX = 10000 };

const struct folder *ignore_top(const struct folder *from)
{
	for (const struct folder *f = from; f; f = f->parent) {
		AUTO_FREE char *git = mem_format("%s/.git", f->path);

		if (access(git, F_OK) == 0)
			return f;
	}
	return from;
}

/* A line without the blanks at its end; NULL for a comment or nothing. */
static char *rule_of(struct tree *t, const char *line, size_t length)
{
	while (length && strchr(" \t\r", line[length - 1]))
		length--;
	return length == 0 || *line == '#' ? NULL : arena_substring(&t->arena, line, length);
}

static void add_rules(struct tree *t, struct ignore *list, const char *text, size_t length)
{
	const char *p = text, *end = text + length;
	char **rule = NULL;
	size_t capacity = 0;

	while (p < end && list->count < RULES_MAX) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((newline ? newline : end) - p);
		char *one = rule_of(t, p, n);

		p += n + 1;
		if (!one)
			continue;
		rule = mem_grow(rule, list->count, &capacity, sizeof *rule);
		rule[list->count++] = one;
	}
	if (!rule)
		return;
	list->rule = arena_new(&t->arena, list->count * sizeof *rule);
	memcpy(list->rule, rule, list->count * sizeof *rule);
	free(rule);
}

static const struct ignore *rules_of(struct tree *t, struct folder *f)
{
	AUTO_FREE char *path = NULL;
	AUTO_BUF struct buf text = {0};
	struct ignore *list;

	if (f->ignore)
		return f->ignore;
	list = arena_new(&t->arena, sizeof *list);
	*list = (struct ignore){0};
	path = mem_format("%s/.gitignore", f->path);
	if (io_read_file(AT_FDCWD, path, IGNORE_FILE_MAX, &text) == 0)
		add_rules(t, list, text.text, text.length);
	return f->ignore = list;
}

/* 1 left out, 0 taken in again, -1 nothing is said. The last rule that matches decides. */
static int asked(const struct ignore *list, const char *path, bool is_folder)
{
	for (size_t i = list->count; i-- > 0;) {
		const char *rule = list->rule[i];
		bool again = *rule == '!';

		if (glob_match(rule + (again || *rule == '\\'), path, is_folder))
			return !again;
	}
	return -1;
}

bool ignore_matches(struct tree *t, struct folder *folder, const struct folder *top,
	const char *path, bool is_folder)
{
	for (struct folder *f = folder; f; f = f->parent) {
		size_t n = strlen(f->path);
		const char *below = path + n + (f->path[n - 1] != '/');
		int said = asked(rules_of(t, f), below, is_folder);

		if (said >= 0)
			return said;
		if (f == top)
			break;
	}
	return false;
}
