/*
 * A plan for loop-sched: a task a file or folder, which needs the tasks of what
 * it imports. Files that import each other in a ring are one task, for a plan
 * has no cycles.
 */
#include "show.h"

#include "parse.h"

enum { ID_MAX = 120 }; /* of a name's 128 bytes: room is left for a number */

/* A task's name made of a path: what may not stand in a name becomes "_". */
static void make_name(struct buf *out, const char *path)
{
	size_t n = strlen(path);

	if (n > ID_MAX) /* the end of a path tells more than its start */
		path += n - ID_MAX;
	for (; *path; path++) {
		char c[2] = {*path, '\0'};

		if (*path == '/')
			buf_char(out, ':');
		else
			buf_char(out, name_valid(c) || (*path == '.' && out->length) ? *path : '_');
	}
}

/* Names for all groups, no two the same. */
static char **make_names(const struct groups *g, const char *const *title)
{
	char **name = mem_zero((size_t)g->count + 1, sizeof *name);
	struct map taken = {0};

	for (uint32_t i = 0; i < g->count; i++) {
		AUTO_BUF struct buf text = {0};
		size_t n;

		make_name(&text, title[i]);
		n = text.length;
		for (unsigned k = 2; map_get_n(&taken, text.text, text.length); k++) {
			text.length = n;
			buf_format(&text, "+%u", k);
		}
		n = text.length;
		name[i] = buf_take(&text);
		map_add(&taken, name[i], n, name[i]);
	}
	map_clear(&taken);
	return name;
}

static void add_files(struct buf *out, const struct view *v, const struct groups *g, uint32_t group)
{
	for (uint32_t i = g->first[group]; i < g->first[group + 1]; i++) {
		const char *shown = v->tree->file[g->member[i]].shown;

		buf_str(out, i > g->first[group] ? "," : "");
		buf_json(out, shown, strlen(shown));
	}
}

static void add_task(struct buf *out, const struct view *v, const struct groups *g,
	char *const *name, const char *title, uint32_t i)
{
	const struct dag *d = &g->dag;

	buf_str(out, i ? ",\n{\"id\":" : "\n{\"id\":");
	buf_json(out, name[i], strlen(name[i]));
	buf_str(out, ",\"title\":");
	buf_json(out, title, strlen(title));
	buf_str(out, ",\"files\":[");
	add_files(out, v, g, i);
	buf_str(out, "],\"needs\":[");
	for (uint32_t k = d->first_in[i]; k < d->first_in[i + 1]; k++) {
		buf_str(out, k > d->first_in[i] ? "," : "");
		buf_json(out, name[d->in[k]], strlen(name[d->in[k]]));
	}
	buf_str(out, "]}");
}

/* The folder of each file as its class; folders are sorted as the files are. */
static uint32_t folder_classes(const struct tree *t, uint32_t *class)
{
	struct map numbers = {0};
	uint32_t count;

	for (uint32_t i = 0; i < t->files; i++) {
		const char *path = t->file[i].folder->path;
		uintptr_t number = (uintptr_t)map_add(
			&numbers, path, strlen(path), (void *)(numbers.count + 1));

		class[i] = (uint32_t)(number - 1);
	}
	count = (uint32_t)numbers.count;
	map_clear(&numbers);
	return count;
}

void show_plan(const struct view *v, bool by_folder)
{
	const struct tree *t = v->tree;
	AUTO_FREE uint32_t *class = mem_zero((size_t)t->files + 1, sizeof *class);
	AUTO_FREE const char **title = NULL;
	AUTO_BUF struct buf out = {0};
	struct groups g;
	char **name;

	if (by_folder)
		groups_build(&g, v->graph, class, folder_classes(t, class));
	else
		groups_build(&g, v->graph, NULL, 0);
	title = mem_zero((size_t)g.count + 1, sizeof *title);
	for (uint32_t i = 0; i < g.count; i++) {
		const struct file *file = &t->file[g.member[g.first[i]]];

		title[i] = by_folder ? tree_shown(t, file->folder->path) : file->shown;
	}
	name = make_names(&g, title);
	buf_str(&out, "{\"name\":\"imports\",\"tasks\":[");
	for (uint32_t i = 0; i < g.count; i++) {
		add_task(&out, v, &g, name, title[i], i);
		show_flush(&out, false);
	}
	buf_str(&out, "]}\n");
	show_flush(&out, true);
	for (uint32_t i = 0; i < g.count; i++)
		free(name[i]);
	free(name);
	groups_clear(&g);
}
