/*
 * JavaScript and TypeScript: relative paths with extensions and index files,
 * the paths and baseUrl of a tsconfig.json, and packages that are in the tree
 * by their package.json, the importing file's own included. Any other bare
 * name is an external package. A file with the source's extension stands for
 * the one that will be made of it (x.ts for "./x.js").
 */
#include "config.h"
#include "package.h"
#include "resolve.h"

#include <fcntl.h>

static uint32_t with_suffix(struct tree *t, const char *path, size_t n, const char *suffix)
{
	char full[4096 + 16];

	if (n >= 4096)
		return NO_FILE;
	memcpy(full, path, n);
	memcpy(full + n, suffix, strlen(suffix) + 1);
	return tree_file(t, full);
}

/* "./x.js" is what "./x.ts" or "./x.tsx" will be. */
static uint32_t source_of(struct tree *t, const char *path)
{
	static const char *const made[][4] = {{".js", ".ts", ".tsx", ".d.ts"},
		{".jsx", ".tsx", ".d.ts", NULL},
		{".mjs", ".mts", ".d.mts", NULL},
		{".cjs", ".cts", ".d.cts", NULL},
		{".ts", ".d.ts", NULL, NULL},
		{".tsx", ".d.ts", NULL, NULL},
		{".mts", ".d.mts", NULL, NULL},
		{".cts", ".d.cts", NULL, NULL}};
	size_t length = strlen(path);

	for (size_t i = 0; i < countof(made); i++) {
		size_t n = strlen(made[i][0]);

		if (length <= n || strcmp(path + length - n, made[i][0]) != 0)
			continue;
		for (size_t k = 1; k < 4 && made[i][k]; k++) {
			uint32_t file = with_suffix(t, path, length - n, made[i][k]);

			if (file != NO_FILE)
				return file;
		}
	}
	return NO_FILE;
}

uint32_t script_file(struct tree *t, const char *path, struct asking asking)
{
	size_t n = strlen(path);
	bool made = asking.types && n > 2 && strcmp(path + n - 2, "js") == 0;
	uint32_t file = made ? source_of(t, path) : NO_FILE;

	if (file == NO_FILE)
		file = tree_file(t, path);
	return file == NO_FILE ? source_of(t, path) : file;
}

static uint32_t with_any_suffix(struct tree *t, const char *path, struct asking asking)
{
	static const char *const of_types[] = {".ts", ".tsx", ".d.ts", ".js", ".jsx", ".mts",
		".cts", ".mjs", ".cjs", NULL};
	static const char *const of_scripts[] = {".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx",
		".mts", ".cts", ".d.ts", NULL};
	const char *const *s = asking.types ? of_types : of_scripts;
	uint32_t file = NO_FILE;

	for (; *s && file == NO_FILE; s++)
		file = with_suffix(t, path, strlen(path), *s);
	return file;
}

uint32_t script_index(struct tree *t, const char *folder, struct asking asking)
{
	return with_any_suffix(t, tree_path(t, folder, "index"), asking);
}

uint32_t script_path(struct tree *t, const char *path, struct asking asking)
{
	uint32_t file = script_file(t, path, asking);
	const struct folder *folder;
	struct package *package;

	if (file == NO_FILE)
		file = with_any_suffix(t, path, asking);
	folder = file == NO_FILE ? tree_known_folder(t, path) : NULL;
	if (!folder)
		return file;
	package = folder->has_package ? package_read(t, tree_folder(t, path)) : NULL;
	return package ? package_main(t, package, asking) : script_index(t, path, asking);
}

/* Whether the import names its file by a path. */
static bool is_path(const char *spec)
{
	size_t dots = strspn(spec, ".");

	return dots <= 2 && (spec[dots] == '/' || (dots && !spec[dots]));
}

/* "node:fs", "https://…", "data:…": an address of its own kind. */
static bool has_scheme(const char *spec)
{
	size_t n = strspn(spec, "abcdefghijklmnopqrstuvwxyz0123456789+-");

	return n > 1 && spec[n] == ':';
}

/* What bundlers add is left out: "loader!./x?query". */
static const char *plain(struct tree *t, const char *spec)
{
	const char *bang = strrchr(spec, '!');
	size_t n;

	if (bang && bang[1])
		spec = bang + 1;
	n = strcspn(spec, "?");
	if (spec[n] && n)
		return arena_substring(&t->arena, spec, n);
	return spec;
}

/* Whether something is there that is none of the tree's files: data, or a file outside of it. */
static bool exists(const char *path)
{
	return faccessat(AT_FDCWD, path, F_OK, 0) == 0;
}

static void resolve_path(
	struct tree *t, struct reference *r, const char *path, struct asking asking)
{
	static const char *const suffixes[] = {"", ".ts", ".tsx", ".js", ".json", ".node"};
	uint32_t file = script_path(t, path, asking);

	if (file != NO_FILE) {
		resolved(r, file);
		return;
	}
	r->outcome = OUTCOME_UNRESOLVED;
	for (size_t i = 0; i < countof(suffixes); i++) {
		AUTO_BUF struct buf full = {0};

		buf_format(&full, "%s%s", path, suffixes[i]);
		if (exists(full.text) && !tree_known_folder(t, full.text))
			r->outcome = OUTCOME_OTHER;
	}
}

/* The paths of the configuration: the longest head wins, an exact name before all. */
static const struct config_path *best_path(
	const struct config *c, const char *spec, size_t *head, size_t *part)
{
	const struct config_path *best = NULL;
	size_t n = strlen(spec);

	for (size_t i = 0; i < c->paths; i++) {
		const struct config_path *p = &c->path[i];
		size_t h = strlen(p->head), tail = p->tail ? strlen(p->tail) : 0;

		if (!p->tail && strcmp(p->head, spec) == 0) {
			*head = n;
			*part = 0;
			return p;
		}
		if (!p->tail || n < h + tail || strncmp(p->head, spec, h) != 0 ||
			strcmp(spec + n - tail, p->tail) != 0 || (best && h < *head))
			continue;
		best = p;
		*head = h;
		*part = n - h - tail;
	}
	return best;
}

static uint32_t configured_path(
	struct tree *t, const struct config *c, const char *spec, struct asking asking)
{
	size_t head = 0, part = 0;
	const struct config_path *path = best_path(c, spec, &head, &part);
	uint32_t file = NO_FILE;

	for (size_t i = 0; path && i < path->targets.count && file == NO_FILE; i++) {
		const char *target = path->targets.item[i], *star = strchr(target, '*');
		AUTO_BUF struct buf full = {0};

		buf_add(&full, target, star ? (size_t)(star - target) : strlen(target));
		if (star) {
			buf_add(&full, spec + head, part);
			buf_str(&full, star + 1);
		}
		file = script_path(t, tree_path(t, "/", full.text), asking);
	}
	return file;
}

static uint32_t configured(
	struct tree *t, struct folder *folder, const char *spec, struct asking asking)
{
	const struct config *c = config_of(t, folder);
	uint32_t file;

	if (!c)
		return NO_FILE;
	file = configured_path(t, c, spec, asking);
	if (file == NO_FILE && c->base)
		file = script_path(t, tree_path(t, c->base, spec), asking);
	return file;
}

/* The length of the package's name in "name/sub" or "@scope/name/sub". */
static size_t package_length(const char *spec)
{
	size_t n = strcspn(spec, "/");

	return *spec == '@' && spec[n] ? n + 1 + strcspn(spec + n + 1, "/") : n;
}

/* The importing file's own package, if it is called so and has exports; or one that all see. */
static const struct package *named(
	struct tree *t, const struct reference *r, const char *name, size_t n)
{
	const struct package *own = package_of(t, t->file[r->from].folder);

	if (own && own->name && strlen(own->name) == n && memcmp(own->name, name, n) == 0 &&
		own->folder->walked && json_object_get(own->json, "exports"))
		return own;
	return map_get_n(&t->packages, name, n);
}

static void resolve_package(
	struct tree *t, struct reference *r, const char *spec, struct asking asking)
{
	size_t n = package_length(spec);
	const struct package *p = node_provides(spec) ? NULL : named(t, r, spec, n);
	AUTO_BUF struct buf subpath = {0};
	uint32_t file;

	buf_format(&subpath, ".%s", spec + n);
	file = p ? package_file(t, p, subpath.text, asking) : NO_FILE;
	if (file != NO_FILE)
		resolved(r, file);
	else if (p && spec[n] && exists(tree_path(t, p->folder->path, subpath.text)))
		r->outcome = OUTCOME_OTHER;
	else if (p)
		r->outcome = OUTCOME_UNRESOLVED;
	else
		resolved_external(t, r, spec, n);
}

static void resolve_bare(
	struct tree *t, struct reference *r, const char *spec, struct asking asking)
{
	uint32_t file = configured(t, t->file[r->from].folder, spec, asking);

	if (file != NO_FILE)
		resolved(r, file);
	else
		resolve_package(t, r, spec, asking);
}

/* "#name": the package's own imports, or else the configuration's paths. */
static void resolve_private(
	struct tree *t, struct reference *r, const char *spec, struct asking asking)
{
	struct folder *folder = t->file[r->from].folder;
	const struct package *p = package_of(t, folder);
	const char *other = NULL;
	uint32_t file = p ? package_import(t, p, spec, asking, &other) : NO_FILE;

	if (file == NO_FILE)
		file = configured(t, folder, spec, asking);
	if (file != NO_FILE)
		resolved(r, file);
	else if (other)
		resolve_package(t, r, other, asking);
	else
		r->outcome = OUTCOME_UNRESOLVED;
}

/* A path from the root of a site: below the path that was asked for, if it is there. */
static const char *absolute(struct tree *t, const char *spec)
{
	for (size_t i = 0; *spec == '/' && i < t->paths.count; i++) {
		const char *path = tree_path(t, t->paths.item[i], spec + 1);

		if (exists(path))
			return path;
	}
	return spec;
}

void resolve_script(struct tree *t, struct reference *r)
{
	const struct file *file = &t->file[r->from];
	struct asking asking = {.types = file->language == LANGUAGE_TYPESCRIPT,
		.require = r->import.form == IMPORT_REQUIRE || r->import.form == IMPORT_RESOLVE,
		.config = config_of(t, file->folder)};
	const char *spec = plain(t, r->import.spec);

	if (has_scheme(spec))
		resolved_external(t, r, spec, strlen(spec));
	else if (is_path(spec) || r->import.form == IMPORT_PATH)
		resolve_path(t, r, tree_path(t, file->folder->path, absolute(t, spec)), asking);
	else if (*spec == '#')
		resolve_private(t, r, spec, asking);
	else if (*spec)
		resolve_bare(t, r, spec, asking);
	else
		r->outcome = OUTCOME_UNRESOLVED;
}

/* The names of the packages that all see; of two with one name the first in the tree counts. */
void resolve_script_start(struct tree *t)
{
	for (uint32_t i = 0; i < t->files; i++) {
		struct package *p;

		if (t->file[i].language == LANGUAGE_PYTHON)
			continue;
		p = package_of(t, t->file[i].folder);
		if (p && p->name && !map_get(&t->packages, p->name) && package_is_shared(t, p))
			map_add(&t->packages, p->name, strlen(p->name), p);
	}
}
