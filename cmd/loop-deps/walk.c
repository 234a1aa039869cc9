/*
 * The walk: folders are opened one by one from a list, never by recursion, and
 * links to folders are not followed, so that it ends whatever the tree looks
 * like. What cannot be read is said and left out.
 */
#include "tree.h"

#include "die.h"
#include "glob.h"
#include "ignore.h"
#include "io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

struct walk {
	struct tree *tree;
	const struct walk_options *options;
	const char *top; /* the path that was asked for */
	const struct folder *ignore_top;
	struct strs folder; /* still to be read */
};

struct entry {
	char *name;
	unsigned char type;
};

/* Never of interest: what others wrote, and what was made of the sources. */
static bool is_skipped(const char *name)
{
	static const char *const names[] = {"node_modules", "__pycache__", "bower_components"};

	for (size_t i = 0; i < countof(names); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return *name == '.';
}

static bool any_match(const struct strs *globs, const char *path, bool folder)
{
	for (size_t i = 0; i < globs->count; i++)
		if (glob_match(globs->item[i], path, folder))
			return true;
	return false;
}

static bool is_wanted(const struct walk *w, const char *path, bool folder)
{
	path += strlen(w->top);
	path += *path == '/';
	if (any_match(w->options->exclude, path, folder))
		return false;
	return folder || !w->options->include->count || any_match(w->options->include, path, false);
}

static void add_file(struct tree *t, const char *path, struct folder *folder)
{
	struct file file = {.folder = folder};

	if (!language_of(path, &file.language, &file.dialect))
		return;
	file.path = arena_substring(&t->arena, path, strlen(path));
	file.shown = tree_shown(t, file.path);
	t->file = mem_grow(t->file, t->files, &t->file_capacity, sizeof *t->file);
	t->file[t->files++] = file;
}

/* Remembers the files that resolving asks a folder for. */
static void note(struct folder *folder, const char *name)
{
	const struct {
		const char *name;
		bool *has;
	} names[] = {
		{"package.json", &folder->has_package},
		{"tsconfig.json", &folder->has_config},
		{"jsconfig.json", &folder->has_jsconfig},
		{"pyproject.toml", &folder->has_project},
		{"setup.py", &folder->has_project},
		{"setup.cfg", &folder->has_project},
		{"__init__.py", &folder->has_init},
		{"__init__.pyi", &folder->has_init},
	};

	for (size_t i = 0; i < countof(names); i++)
		if (strcmp(name, names[i].name) == 0)
			*names[i].has = true;
}

/* What the entry is, a link being what it leads to, but for folders. */
static unsigned char kind(int dir, const struct entry *e)
{
	struct stat st;

	if (e->type == DT_REG || e->type == DT_DIR)
		return e->type;
	if (e->type == DT_UNKNOWN && fstatat(dir, e->name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		S_ISDIR(st.st_mode))
		return DT_DIR;
	if (fstatat(dir, e->name, &st, 0) == 0 && S_ISREG(st.st_mode))
		return DT_REG;
	return DT_UNKNOWN;
}

static void take_entry(struct walk *w, int dir, struct folder *folder, const struct entry *e)
{
	AUTO_BUF struct buf path = {0};
	unsigned char type;

	note(folder, e->name);
	if (is_skipped(e->name))
		return;
	type = kind(dir, e);
	buf_format(&path, "%s/%s", strcmp(folder->path, "/") == 0 ? "" : folder->path, e->name);
	if (!is_wanted(w, path.text, type == DT_DIR))
		return;
	if (!w->options->no_ignore &&
		ignore_matches(w->tree, folder, w->ignore_top, path.text, type == DT_DIR))
		return;
	if (type == DT_DIR)
		strs_add(&w->folder, path.text);
	else if (type == DT_REG)
		add_file(w->tree, path.text, folder);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

/* The folder's names, sorted, so that everything that follows is in one order everywhere. */
static struct entry *entries(struct tree *t, const char *path, DIR *dir, size_t *count)
{
	struct entry *list = NULL;
	size_t capacity = 0;

	for (const struct dirent *d; errno = 0, (d = readdir(dir));) {
		if (strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0)
			continue;
		list = mem_grow(list, *count, &capacity, sizeof *list);
		list[(*count)++] = (struct entry){mem_string(d->d_name), d->d_type};
	}
	if (errno)
		tree_failed(t, tree_shown(t, path));
	if (list)
		qsort(list, *count, sizeof *list, by_name);
	return list;
}

/* A Python environment holds others' sources. */
static bool is_environment(const struct entry *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].name, "pyvenv.cfg") == 0)
			return true;
	return false;
}

static void read_folder(struct walk *w, const char *path)
{
	struct folder *folder = tree_folder(w->tree, path);
	int fd = io_open(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct entry *list;
	size_t count = 0;

	if (!dir) {
		errno = fd < 0 ? -fd : errno;
		tree_failed(w->tree, tree_shown(w->tree, path));
		w->tree->skipped++;
		if (fd >= 0)
			close(fd);
		return;
	}
	if (folder->walked) { /* asked for twice */
		closedir(dir);
		return;
	}
	folder->walked = folder->probed = true;
	list = entries(w->tree, path, dir, &count);
	if (strcmp(path, w->top) == 0 || !is_environment(list, count))
		for (size_t i = 0; i < count; i++)
			take_entry(w, dirfd(dir), folder, &list[i]);
	for (size_t i = 0; i < count; i++)
		free(list[i].name);
	free(list);
	closedir(dir);
}

static void walk_file(struct tree *t, const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *folder = mem_substring(path, MAX((size_t)(slash - path), 1));
	uint32_t before = t->files;

	add_file(t, path, tree_folder(t, folder));
	if (t->files == before) {
		warn("%s: not a file of Python, JavaScript or TypeScript", tree_shown(t, path));
		t->skipped++;
	}
}

void tree_walk(struct tree *t, const char *path, const struct walk_options *options)
{
	struct walk w = {.tree = t, .options = options};
	AUTO_FREE char *real = realpath(path, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0)
		die_errno(EX_NOINPUT, "%s", path);
	w.top = real;
	if (!S_ISDIR(st.st_mode)) {
		walk_file(t, real);
		return;
	}
	strs_add(&t->paths, real);
	strs_add(&w.folder, real);
	w.ignore_top = ignore_top(tree_folder(t, real));
	for (size_t i = 0; i < w.folder.count; i++)
		read_folder(&w, w.folder.item[i]);
	strs_clear(&w.folder);
}
