#include "package.h"

#include "die.h"
#include "resolve.h"

#include <fcntl.h>

enum { PACKAGE_MAX = 1 << 20, /* bytes of a package.json */
	TARGET_DEPTH = 16 };  /* conditions in conditions */

struct package *package_read(struct tree *t, struct folder *folder)
{
	AUTO_BUF struct buf path = {0};
	struct err err = {0};
	struct package *p;
	const char *shown;
	json_t *json;
	int code;

	folder_probe(folder);
	if (folder->package_read || !folder->has_package)
		return folder->package;
	folder->package_read = true;
	buf_format(&path, "%s/package.json", folder->path);
	shown = tree_shown(t, path.text);
	json = json_read(AT_FDCWD, shown, PACKAGE_MAX, &code, &err);
	if (!json_is_object(json)) {
		if (json)
			err_set(&err, 0, "%s: not an object", shown);
		warn("%s", err.text);
		json_decref(json);
		return NULL;
	}
	p = arena_new(&t->arena, sizeof *p);
	*p = (struct package){.folder = folder, .json = json};
	p->name = json_string_value(json_object_get(json, "name"));
	return folder->package = p;
}

struct package *package_of(struct tree *t, struct folder *folder)
{
	for (; folder; folder = folder->parent) {
		struct package *p = package_read(t, folder);

		if (p)
			return p;
	}
	return NULL;
}

/* Whether a condition holds; those of no kind we know are taken to. */
static bool holds(const char *condition, struct asking asking)
{
	if (strcmp(condition, "types") == 0 || strncmp(condition, "types@", 6) == 0)
		return asking.types;
	if (strcmp(condition, "import") == 0 || strcmp(condition, "module") == 0)
		return !asking.require;
	return strcmp(condition, "require") != 0 || asking.require;
}

/* What a package was built from: "./dist/x.js" is "./src/x.ts" before that. */
static uint32_t source_file(
	struct tree *t, const struct package *p, const char *target, struct asking asking)
{
	const char *inside = strchr(target + 2, '/');

	if (!inside)
		return NO_FILE;
	return script_file(t,
		tree_path(t, tree_path(t, p->folder->path, "src"), inside + 1), asking);
}

/* A target's text with the pattern's part put in for every star. */
static uint32_t target_text(struct tree *t, const struct package *p, const char *target,
	const char *part, struct asking asking, const char **other)
{
	AUTO_BUF struct buf text = {0};
	uint32_t file;

	for (; *target; target++) {
		if (*target == '*')
			buf_str(&text, part);
		else
			buf_char(&text, *target);
	}
	if (!text.length || strncmp(text.text, "./", 2) != 0) {
		if (text.length && *other == NULL)
			*other = arena_substring(&t->arena, text.text, text.length);
		return NO_FILE;
	}
	file = script_file(t, tree_path(t, p->folder->path, text.text), asking);
	return file == NO_FILE ? source_file(t, p, text.text, asking) : file;
}

/* A target: text, conditions, or an array of alternatives. The first file of the tree is it. */
static uint32_t target_file(struct tree *t, const struct package *p, json_t *target,
	const char *part, struct asking asking, const char **other, unsigned depth)
{
	uint32_t file = NO_FILE;
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_string(target))
		return target_text(t, p, json_string_value(target), part, asking, other);
	if (depth == TARGET_DEPTH)
		return NO_FILE;
	json_array_foreach (target, i, value) {
		file = target_file(t, p, value, part, asking, other, depth + 1);
		if (file != NO_FILE)
			return file;
	}
	json_object_foreach (target, key, value) {
		if (file == NO_FILE && holds(key, asking))
			file = target_file(t, p, value, part, asking, other, depth + 1);
	}
	return file;
}

/* Whether a pattern with one star, or a folder "./x/", matches; the part the star stands for. */
static bool matches(const char *pattern, const char *name, const char **part, size_t *length)
{
	const char *star = strchr(pattern, '*');
	size_t head = star ? (size_t)(star - pattern) : strlen(pattern), n = strlen(name);
	size_t tail = star ? strlen(star + 1) : 0;

	if (!star && (head == 0 || pattern[head - 1] != '/'))
		return false;
	if (n < head + tail || strncmp(pattern, name, head) != 0)
		return false;
	if (star && strcmp(star + 1, name + n - tail) != 0)
		return false;
	*part = name + head;
	*length = n - head - tail;
	return true;
}

/* The longest pattern of the table that matches, its target, and the part for its star. */
static json_t *best_match(json_t *table, const char *name, struct buf *part)
{
	json_t *best = json_object_get(table, name), *value;
	size_t best_length = 0;
	const char *key;

	if (best)
		return best;
	json_object_foreach (table, key, value) {
		const char *at;
		size_t n;

		if (strcspn(key, "*") < best_length || !matches(key, name, &at, &n))
			continue;
		best = value;
		best_length = strcspn(key, "*");
		part->length = 0;
		buf_add(part, at, n);
		if (!strchr(key, '*') && json_is_string(value))
			return value;
	}
	return best;
}

static uint32_t table_file(struct tree *t, const struct package *p, json_t *table,
	const char *name, struct asking asking, const char **other)
{
	AUTO_BUF struct buf part = {0};
	json_t *target = best_match(table, name, &part);

	*other = NULL;
	if (!target)
		return NO_FILE;
	return target_file(t, p, target, part.text ? part.text : "", asking, other, 0);
}

/* Without exports: the fields that name the main module. */
static uint32_t main_file(struct tree *t, const struct package *p, struct asking asking)
{
	static const char *const fields[] = {"types", "typings", "module", "main"};

	for (size_t i = asking.types ? 0 : 2; i < countof(fields); i++) {
		const char *text = json_string_value(json_object_get(p->json, fields[i]));
		uint32_t file = NO_FILE;

		if (text)
			file = script_path(t, tree_path(t, p->folder->path, text), asking);
		if (file == NO_FILE && text) {
			AUTO_BUF struct buf dotted = {0};

			buf_format(&dotted, "./%s", text + (strncmp(text, "./", 2) ? 0 : 2));
			file = source_file(t, p, dotted.text, asking);
		}
		if (file != NO_FILE)
			return file;
	}
	return script_index(t, p->folder->path, asking);
}

/* Exports are one target for ".", or a table of subpaths. */
static bool is_table(const json_t *exports)
{
	const char *key = json_object_iter_key(
		json_object_iter((json_t *)(uintptr_t)exports));

	return key && *key == '.';
}

uint32_t package_file(
	struct tree *t, const struct package *p, const char *subpath, struct asking asking)
{
	json_t *exports = json_object_get(p->json, "exports");
	bool whole = strcmp(subpath, ".") == 0;
	const char *other = NULL;

	if (exports && is_table(exports))
		return table_file(t, p, exports, subpath, asking, &other);
	if (exports && !json_is_null(exports))
		return whole ? target_file(t, p, exports, "", asking, &other, 0) : NO_FILE;
	if (whole)
		return main_file(t, p, asking);
	return script_path(t, tree_path(t, p->folder->path, subpath), asking);
}

uint32_t package_import(struct tree *t, const struct package *p, const char *name,
	struct asking asking, const char **other)
{
	return table_file(t, p, json_object_get(p->json, "imports"), name, asking, other);
}
