#include "config.h"

#include "die.h"
#include "io.h"
#include "json.h"
#include "resolve.h"

#include <errno.h>
#include <fcntl.h>

enum { CONFIG_MAX = 1 << 20, /* bytes of one file */
	CONFIG_CHAIN = 16 }; /* files that extend each other */

static const char *skip_string(const char *p)
{
	for (p++; *p && *p != '"'; p++)
		if (*p == '\\' && p[1])
			p++;
	return p + (*p == '"');
}

/* Behind white space and comments. */
static const char *skip_blank(const char *p)
{
	const char *end;

	for (;;) {
		p += strspn(p, " \t\r\n");
		if (p[0] == '/' && p[1] == '/') {
			p += strcspn(p, "\n");
		} else if (p[0] == '/' && p[1] == '*') {
			end = strstr(p + 2, "*/");
			p = end ? end + 2 : p + strlen(p);
		} else {
			return p;
		}
	}
}

/* What compilers take beyond JSON is left out: comments, and commas before an end. */
static void make_strict(struct buf *out, const char *p)
{
	if (strncmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3;
	for (p = skip_blank(p); *p; p = skip_blank(p)) {
		const char *end = *p == '"' ? skip_string(p) : p + 1, *next = skip_blank(end);

		if (*p != ',' || (*next != '}' && *next != ']'))
			buf_add(out, p, (size_t)(end - p));
		if (next > end && *p != ',')
			buf_char(out, ' ');
		p = end;
	}
}

static json_t *read_file(struct tree *t, const char *path)
{
	AUTO_BUF struct buf text = {0}, strict = {0};
	struct err err = {0};
	json_t *json;
	int r = io_read_file(AT_FDCWD, path, CONFIG_MAX, &text);

	if (r < 0) {
		errno = -r;
		if (r == -ENOENT) /* what is not installed is not there */
			warn_errno("%s", tree_shown(t, path));
		else
			tree_failed(t, tree_shown(t, path));
		return NULL;
	}
	make_strict(&strict, text.text ? text.text : "");
	json = json_parse(strict.text ? strict.text : "", strict.length, &err);
	if (!json)
		warn("%s: %s", tree_shown(t, path), err.text);
	return json;
}

static void add_path(struct tree *t, struct config *c, const char *pattern, json_t *targets,
	const char *base)
{
	const char *star = strchr(pattern, '*');
	size_t head = star ? (size_t)(star - pattern) : strlen(pattern), i;
	struct config_path *path;
	json_t *target;

	c->path = mem_grow(c->path, c->paths, &c->capacity, sizeof *c->path);
	path = &c->path[c->paths++];
	*path = (struct config_path){.head = arena_substring(&t->arena, pattern, head)};
	if (star)
		path->tail = arena_substring(&t->arena, star + 1, strlen(star + 1));
	json_array_foreach (targets, i, target)
		if (json_is_string(target))
			strs_add(&path->targets, tree_path(t, base, json_string_value(target)));
}

/* "node16", "nodenext" and the like look as node itself does. */
static void take_manner(struct config *c, const json_t *options)
{
	static const char *const members[] = {"module", "moduleResolution"};

	for (size_t i = 0; i < countof(members); i++) {
		const char *text = json_string_value(json_object_get(options, members[i]));

		if (text)
			c->node = strncasecmp(text, "node1", 5) == 0 ||
				strcasecmp(text, "node20") == 0 ||
				strcasecmp(text, "nodenext") == 0;
	}
}

static void take_conditions(struct config *c, const json_t *options)
{
	json_t *list = json_object_get(options, "customConditions"), *one;
	size_t i;

	if (list)
		strs_clear(&c->conditions);
	json_array_foreach (list, i, one)
		if (json_is_string(one))
			strs_add(&c->conditions, json_string_value(one));
}

static void take_options(struct tree *t, struct config *c, json_t *json, const char *folder)
{
	json_t *options = json_object_get(json, "compilerOptions"), *value;
	const char *base = json_string_value(json_object_get(options, "baseUrl")), *pattern;
	json_t *paths = json_object_get(options, "paths");

	take_manner(c, options);
	take_conditions(c, options);
	if (base)
		c->base = tree_path(t, folder, base);
	if (!json_is_object(paths))
		return;
	c->paths = 0; /* paths are replaced, not joined */
	json_object_foreach (paths, pattern, value) {
		add_path(t, c, pattern, value, c->base ? c->base : folder);
	}
}

/* The file that "extends" names, NULL if there is none. */
static const char *extended(struct tree *t, struct folder *folder, const char *name)
{
	static const char *const suffixes[] = {"", ".json", "/tsconfig.json"};
	bool is_path = *name == '.' || *name == '/';

	for (const struct folder *f = folder; f; f = is_path ? NULL : f->parent) {
		const char *base = is_path ? f->path : tree_path(t, f->path, "node_modules");

		for (size_t i = 0; i < countof(suffixes); i++) {
			AUTO_BUF struct buf path = {0};
			size_t n;

			buf_format(&path, "%s%s", tree_path(t, base, name), suffixes[i]);
			n = path.length;
			if (n > 5 && strcmp(path.text + n - 5, ".json") == 0 &&
				faccessat(AT_FDCWD, path.text, R_OK, 0) == 0)
				return arena_substring(&t->arena, path.text, n);
		}
	}
	return NULL;
}

static struct folder *folder_of(struct tree *t, const char *path)
{
	AUTO_FREE char *folder = mem_substring(
		path, MAX((size_t)(strrchr(path, '/') - path), 1));

	return tree_folder(t, folder);
}

/* Reads the file after those that it extends: its own options come last. */
static void take_file(struct tree *t, struct config *c, const char *path, unsigned depth)
{
	AUTO_JSON json_t *json = depth < CONFIG_CHAIN ? read_file(t, path) : NULL;
	struct folder *folder = folder_of(t, path);
	json_t *extends = json_object_get(json, "extends"), *one;
	const char *next;
	size_t i;

	if (!json)
		return;
	if (json_is_string(extends) && (next = extended(t, folder, json_string_value(extends))))
		take_file(t, c, next, depth + 1);
	json_array_foreach (extends, i, one)
		if (json_is_string(one) && (next = extended(t, folder, json_string_value(one))))
			take_file(t, c, next, depth + 1);
	take_options(t, c, json, folder->path);
	/* A file that only refers to others holds no paths of its own. */
	json_array_foreach (json_object_get(json, "references"), i, one) {
		const char *reference = json_string_value(json_object_get(one, "path"));

		if (c->paths || c->base || !reference)
			continue;
		next = extended(t, folder, tree_path(t, folder->path, reference));
		if (next)
			take_file(t, c, next, depth + 1);
	}
}

static struct config *read_config(struct tree *t, const struct folder *folder)
{
	struct config *c = arena_new(&t->arena, sizeof *c);
	const char *name = folder->has_config ? "tsconfig.json" : "jsconfig.json";

	*c = (struct config){0};
	take_file(t, c, tree_path(t, folder->path, name), 0);
	return c;
}

const struct config *config_of(struct tree *t, struct folder *folder)
{
	for (; folder; folder = folder->parent) {
		folder_probe(folder);
		if (!folder->has_config && !folder->has_jsconfig)
			continue;
		if (!folder->config_read) {
			folder->config_read = true;
			folder->config = read_config(t, folder);
		}
		return folder->config;
	}
	return NULL;
}
