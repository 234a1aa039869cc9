/* What a change reaches: the files named, and all that import them over whatever way. */
#include "show.h"

#include "die.h"
#include "io.h"

enum { NAMES_MAX = 64 << 20 }; /* bytes of names on stdin */

static void mark(struct tree *t, bool *marked, const char *name)
{
	AUTO_FREE char *real = realpath(name, NULL);
	uint32_t file = tree_file(t, real ? real : tree_path(t, t->working, name));

	/* What is no source of the tree reaches nothing; a misspelt name must be said. */
	if (file != NO_FILE)
		marked[file] = true;
	else if (!real)
		warn("%s: no such file", name);
}

static void mark_lines(struct tree *t, bool *marked)
{
	AUTO_BUF struct buf text = {0};
	int r = io_read_all(STDIN_FILENO, NAMES_MAX, &text);

	if (r < 0)
		die(EX_IOERR, "stdin: %s", strerror(-r));
	for (char *line = text.text, *end; line && *line; line = end) {
		size_t n = strcspn(line, "\n");

		end = line + n + (line[n] == '\n');
		line[n] = '\0';
		if (n)
			mark(t, marked, line);
	}
}

void show_affected(const struct view *v, const struct strs *names)
{
	AUTO_FREE bool *marked = mem_zero((size_t)v->tree->files + 1, sizeof *marked);

	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->item[i], "-") == 0)
			mark_lines(v->tree, marked);
		else
			mark(v->tree, marked, names->item[i]);
	}
	graph_affected(v->graph, marked);
	show_files(v, marked);
}
