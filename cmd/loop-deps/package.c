#include "package.h"

#include "config.h"
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

static bool is_custom(const struct config *c, const char *condition)
{
	for (size_t i = 0; c && i < c->conditions.count; i++)
		if (strcmp(c->conditions.item[i], condition) == 0)
			return true;
	return false;
}

/*
 * Whether a condition holds: node's own for scripts, the compiler's for TypeScript. Where
 * these lead nowhere, as before a build, all others do too.
 */
static bool holds(const char *condition, struct asking asking)
{
	if (strcmp(condition, "types") == 0 || strncmp(condition, "types@", 6) == 0)
		return asking.types;
	if (strcmp(condition, "import") == 0 || strcmp(condition, "module-sync") == 0)
		return !asking.require;
	if (strcmp(condition, "require") == 0)
		return asking.require;
	if (strcmp(condition, "node") == 0 &&
		(!asking.types || (asking.config && asking.config->node)))
		return true;
	return asking.any || strcmp(condition, "default") == 0 ||
		(asking.types && is_custom(asking.config, condition));
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

/* A module that a field names, or what that was made of. */
static uint32_t field_file(
	struct tree *t, const struct package *p, const char *field, struct asking asking)
{
	const char *text = json_string_value(json_object_get(p->json, field));
	AUTO_BUF struct buf dotted = {0};
	uint32_t file;

	if (!text)
		return NO_FILE;
	file = script_path(t, tree_path(t, p->folder->path, text), asking);
	if (file != NO_FILE)
		return file;
	buf_format(&dotted, "./%s", text + (strncmp(text, "./", 2) ? 0 : 2));
	return source_file(t, p, dotted.text, asking);
}

uint32_t package_main(struct tree *t, const struct package *p, struct asking asking)
{
	static const char *const fields[] = {"types", "typings", "main", "module"};

	for (size_t i = asking.types ? 0 : 2; i < countof(fields); i++) {
		uint32_t file = field_file(t, p, fields[i], asking);

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

/* By the exports, under the conditions that hold, or else under any. */
static uint32_t exported_file(struct tree *t, const struct package *p, json_t *exports,
	const char *subpath, struct asking asking)
{
	const char *other = NULL;
	uint32_t file = NO_FILE;

	for (int any = 0; any < 2 && file == NO_FILE; any++) {
		asking.any = any;
		if (is_table(exports))
			file = table_file(t, p, exports, subpath, asking, &other);
		else if (strcmp(subpath, ".") == 0)
			file = target_file(t, p, exports, "", asking, &other, 0);
	}
	return file;
}

uint32_t package_file(
	struct tree *t, const struct package *p, const char *subpath, struct asking asking)
{
	json_t *exports = json_object_get(p->json, "exports");

	if (exports && !json_is_null(exports))
		return exported_file(t, p, exports, subpath, asking);
	if (strcmp(subpath, ".") == 0)
		return package_main(t, p, asking);
	return script_path(t, tree_path(t, p->folder->path, subpath), asking);
}

uint32_t package_import(struct tree *t, const struct package *p, const char *name,
	struct asking asking, const char **other)
{
	json_t *imports = json_object_get(p->json, "imports");
	uint32_t file = table_file(t, p, imports, name, asking, other);

	if (file != NO_FILE || *other)
		return file;
	asking.any = true;
	return table_file(t, p, imports, name, asking, other);
}

/* Whether its folder is one of a workspace's, as the packages are linked into node_modules. */
static bool has_workspaces(const struct package *p)
{
	static const char *const files[] = {"pnpm-workspace.yaml", "lerna.json", "rush.json"};

	for (size_t i = 0; i < countof(files); i++) {
		AUTO_BUF struct buf path = {0};

		buf_format(&path, "%s/%s", p->folder->path, files[i]);
		if (faccessat(AT_FDCWD, path.text, R_OK, 0) == 0)
			return true;
	}
	return json_object_get(p->json, "workspaces") != NULL;
}

bool package_is_shared(struct tree *t, const struct package *p)
{
	bool nested = false;

	for (struct folder *f = p->folder->parent; f && f->walked; f = f->parent) {
		const struct package *above = package_read(t, f);

		if (above && has_workspaces(above))
			return true;
		nested |= above != NULL;
	}
	return !nested;
}
