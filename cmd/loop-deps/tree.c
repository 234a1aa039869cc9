#include "tree.h"

#include "die.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

const char *const language_names[] = {
	[LANGUAGE_PYTHON] = "python",
	[LANGUAGE_JAVASCRIPT] = "javascript",
	[LANGUAGE_TYPESCRIPT] = "typescript",
};

static const struct {
	const char *suffix;
	uint8_t language, dialect;
} suffixes[] = {
	{".d.ts", LANGUAGE_TYPESCRIPT, SCAN_TYPES | SCAN_DECLARATION},
	{".d.mts", LANGUAGE_TYPESCRIPT, SCAN_TYPES | SCAN_DECLARATION},
	{".d.cts", LANGUAGE_TYPESCRIPT, SCAN_TYPES | SCAN_DECLARATION},
	{".py", LANGUAGE_PYTHON, 0},
	{".pyi", LANGUAGE_PYTHON, 0},
	{".pyw", LANGUAGE_PYTHON, 0},
	{".js", LANGUAGE_JAVASCRIPT, SCAN_JSX},
	{".jsx", LANGUAGE_JAVASCRIPT, SCAN_JSX},
	{".mjs", LANGUAGE_JAVASCRIPT, SCAN_JSX},
	{".cjs", LANGUAGE_JAVASCRIPT, SCAN_JSX},
	{".ts", LANGUAGE_TYPESCRIPT, SCAN_TYPES},
	{".tsx", LANGUAGE_TYPESCRIPT, SCAN_TYPES | SCAN_JSX},
	{".mts", LANGUAGE_TYPESCRIPT, SCAN_TYPES},
	{".cts", LANGUAGE_TYPESCRIPT, SCAN_TYPES},
};

bool language_of(const char *name, uint8_t *language, uint8_t *dialect)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < countof(suffixes); i++) {
		size_t length = strlen(suffixes[i].suffix);

		if (n <= length || strcmp(name + n - length, suffixes[i].suffix) != 0)
			continue;
		*language = suffixes[i].language;
		*dialect = suffixes[i].dialect;
		return true;
	}
	return false;
}

uint32_t tree_file(const struct tree *t, const char *path)
{
	/* Numbers are kept plus one, so that none of them looks like nothing. */
	uintptr_t number = (uintptr_t)map_get(&t->by_path, path);

	return number ? (uint32_t)(number - 1) : NO_FILE;
}

const struct folder *tree_known_folder(const struct tree *t, const char *path)
{
	return map_get(&t->folders, path);
}

struct folder *tree_folder(struct tree *t, const char *path)
{
	struct folder *folder = map_get(&t->folders, path), *child = NULL, *asked = folder;
	size_t n = strlen(path);

	/* From the folder up to one that is known, or to the top. */
	while (!folder) {
		folder = arena_new(&t->arena, sizeof *folder);
		*folder = (struct folder){.path = arena_substring(&t->arena, path, n)};
		map_add(&t->folders, folder->path, n, folder);
		if (child)
			child->parent = folder;
		else
			asked = folder;
		child = folder;
		if (n == 1)
			return asked;
		while (path[n - 1] != '/')
			n--;
		n = MAX(n - 1, 1);
		folder = map_get_n(&t->folders, path, n);
	}
	if (child)
		child->parent = folder;
	return asked;
}

/* Adds the parts of a path to one that is absolute, resolving "." and "..". */
static void add_parts(struct buf *out, const char *path)
{
	for (size_t n; *path; path += n + (path[n] == '/')) {
		n = strcspn(path, "/");
		if (n == 2 && path[0] == '.' && path[1] == '.') {
			while (out->length && out->text[--out->length] != '/')
				;
		} else if (n && !(n == 1 && path[0] == '.')) {
			buf_char(out, '/');
			buf_add(out, path, n);
		}
	}
}

const char *tree_path(struct tree *t, const char *folder, const char *path)
{
	AUTO_BUF struct buf out = {0};

	if (*path != '/')
		add_parts(&out, folder);
	add_parts(&out, path);
	return out.length ? arena_substring(&t->arena, out.text, out.length) : "/";
}

const char *tree_shown(const struct tree *t, const char *path)
{
	size_t n = strlen(t->working);

	if (n == 1 || strncmp(path, t->working, n) != 0 || (path[n] && path[n] != '/'))
		return path;
	return path[n] ? path + n + 1 : ".";
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

/* Sorts the files, drops those that were asked for twice, and numbers the rest. */
static void number_files(struct tree *t)
{
	uint32_t kept = 0;

	if (t->files)
		qsort(t->file, t->files, sizeof *t->file, by_path);
	for (uint32_t i = 0; i < t->files; i++) {
		if (kept && strcmp(t->file[kept - 1].path, t->file[i].path) == 0)
			continue;
		t->file[kept] = t->file[i];
		map_add(&t->by_path, t->file[kept].path, strlen(t->file[kept].path),
			(void *)((uintptr_t)kept + 1));
		kept++;
	}
	t->files = kept;
}

/* A NUL among the first bytes: no text, or one of two bytes a character. */
static bool is_binary(const struct buf *text)
{
	return memchr(text->text, '\0', MIN(text->length, 512)) != NULL;
}

void tree_failed(struct tree *t, const char *shown)
{
	warn_errno("%s", shown);
	t->failed = true;
}

/* The file's text with its padding; false, and a message, where it cannot be had. */
static bool read_text(struct tree *t, const struct file *file, int64_t max, struct buf *text)
{
	int r;

	text->length = 0;
	r = io_read_file(AT_FDCWD, file->path, (size_t)max, text);
	memset(buf_reserve(text, SCAN_PADDING), 0, SCAN_PADDING);
	if (r == -EMSGSIZE) {
		warn("%s: larger than --max-size", file->shown);
	} else if (r < 0) {
		errno = -r;
		tree_failed(t, file->shown);
	} else if (is_binary(text)) {
		warn("%s: not UTF-8 text", file->shown);
		return false;
	}
	return r >= 0;
}

static void add_references(struct tree *t, uint32_t number, const struct imports *found)
{
	for (size_t i = 0; i < found->count; i++) {
		t->reference = mem_grow(t->reference, t->references, &t->reference_capacity,
			sizeof *t->reference);
		t->reference[t->references++] = (struct reference){
			.import = found->item[i], .from = number, .to = NO_FILE};
	}
}

void tree_read(struct tree *t, const struct walk_options *options)
{
	AUTO_BUF struct buf text = {0};
	struct imports found = {.arena = &t->arena};

	number_files(t);
	for (uint32_t i = 0; i < t->files; i++) {
		struct file *file = &t->file[i];

		found.count = 0;
		file->first = t->references;
		if (!read_text(t, file, options->max_size, &text)) {
			t->skipped++;
			continue;
		}
		if (file->language == LANGUAGE_PYTHON)
			scan_python(text.text, text.length, &found);
		else
			scan_script(text.text, text.length, file->dialect, &found);
		add_references(t, i, &found);
		file->count = t->references - file->first;
		file->bytes = text.length;
		t->bytes += text.length;
	}
	free(found.item);
}
