/*
 * Python: a dotted name is looked for from a folder, part by part. A package is
 * a folder with an __init__, or without one if there are files below it
 * (PEP 420). Absolute names start at the paths that were asked for, at their
 * src, lib and python folders, at those of every project file, at --root, and
 * last at the folder that the importing file's own package lies in, as for a
 * script. "from a import b" is a's module b if there is one, else a itself;
 * a package's __init__ that is only passed through is not depended on.
 */
#include "resolve.h"

/* How far a dotted name was found. */
struct module {
	struct buf path;  /* of the folder of the last part found */
	uint32_t file;	  /* the deepest file found, or NO_FILE */
	const char *rest; /* of the name: "" when all of it was found */
	bool is_package;  /* names may go on below path */
	bool any;	  /* the first part was found */
	bool regular;	  /* so was a file on the way, not only namespaces */
};

static uint32_t try_file(const struct tree *t, struct buf *path, const char *suffix)
{
	size_t n = path->length;
	uint32_t file;

	buf_str(path, suffix);
	file = tree_file(t, path->text);
	path->length = n;
	path->text[n] = '\0';
	return file;
}

/* A stub prefers stubs, a source sources. */
static uint32_t try_kinds(const struct tree *t, struct buf *path, const char *base, bool stub)
{
	static const char *const order[2][3] = {{".py", ".pyi", ".pyw"}, {".pyi", ".py", ".pyw"}};

	for (size_t i = 0; i < 3; i++) {
		char suffix[32];
		uint32_t file;

		snprintf(suffix, sizeof suffix, "%s%s", base, order[stub][i]);
		file = try_file(t, path, suffix);
		if (file != NO_FILE)
			return file;
	}
	return NO_FILE;
}

/* One more part of the name; false if it is not there. */
static bool step(const struct tree *t, struct module *m, const char *part, size_t n, bool stub)
{
	size_t before = m->path.length;
	uint32_t file;

	buf_char(&m->path, '/');
	buf_add(&m->path, part, n);
	file = try_kinds(t, &m->path, "/__init__", stub);
	m->is_package = file != NO_FILE;
	if (file == NO_FILE)
		file = try_kinds(t, &m->path, "", stub);
	if (file == NO_FILE && tree_known_folder(t, m->path.text))
		m->is_package = true; /* a namespace */
	if (file == NO_FILE && !m->is_package) {
		m->path.length = before;
		m->path.text[before] = '\0';
		m->is_package = true;
		return false;
	}
	m->file = file;
	m->regular |= file != NO_FILE;
	return true;
}

/* Looks for a dotted name below a folder. */
static void find(const struct tree *t, struct module *m, const char *folder, const char *name,
	bool stub)
{
	m->path.length = 0;
	buf_str(&m->path, strcmp(folder, "/") == 0 ? "" : folder);
	m->file = NO_FILE;
	m->is_package = true;
	m->any = m->regular = false;
	for (m->rest = name; *m->rest && m->is_package;) {
		size_t n = strcspn(m->rest, ".");

		if (!step(t, m, m->rest, n, stub))
			return;
		m->any = true;
		m->rest += n + (m->rest[n] == '.');
	}
}

/* The folder that a file's outermost package lies in. */
static const char *own_root(struct folder *folder)
{
	while (folder->parent) {
		folder_probe(folder);
		if (!folder->has_init)
			break;
		folder = folder->parent;
	}
	return folder->path;
}

/* What an import depends on once its module was found; false if that is nothing. */
static bool settle(const struct tree *t, struct module *m, struct reference *r, bool stub)
{
	const char *name = r->import.name;
	uint32_t base = m->file;

	if (*m->rest) { /* "os.path": the rest is the module's own affair */
		if (base == NO_FILE || m->is_package)
			return false;
	} else if (name && strcmp(name, "*") != 0 && m->is_package &&
		step(t, m, name, strlen(name), stub) && m->file != NO_FILE) {
		base = m->file;
	}
	if (base == NO_FILE)
		return false;
	resolved(r, base);
	return true;
}

static void resolve_relative(struct tree *t, struct module *m, struct reference *r, bool stub)
{
	const struct folder *folder = t->file[r->from].folder;

	r->outcome = OUTCOME_UNRESOLVED;
	for (unsigned i = 1; i < r->import.level && folder; i++)
		folder = folder->parent;
	if (!folder)
		return;
	find(t, m, folder->path, r->import.spec, stub);
	if (!*r->import.spec) /* "from . import x": x, or what the package itself has */
		m->file = try_kinds(t, &m->path, "/__init__", stub);
	settle(t, m, r, stub);
}

/* Looks in one root; whether the search ends here. */
static bool resolve_in(struct tree *t, struct module *m, struct reference *r, const char *root,
	bool stub, bool *known)
{
	find(t, m, root, r->import.spec, stub);
	if (!m->any)
		return false;
	*known |= m->regular; /* a namespace alone may go on elsewhere */
	return settle(t, m, r, stub) || *known;
}

static void resolve_absolute(struct tree *t, struct module *m, struct reference *r, bool stub)
{
	bool known = false;

	r->outcome = OUTCOME_UNRESOLVED;
	for (size_t i = 0; i < t->roots.count; i++)
		if (resolve_in(t, m, r, t->roots.item[i], stub, &known))
			return;
	if (resolve_in(t, m, r, own_root(t->file[r->from].folder), stub, &known))
		return;
	resolved_external(t, r, r->import.spec, strcspn(r->import.spec, "."));
}

void resolve_python(struct tree *t, struct reference *r)
{
	struct module m = {.file = NO_FILE};
	const char *path = t->file[r->from].path;
	bool stub = path[strlen(path) - 1] == 'i';

	if (r->import.level)
		resolve_relative(t, &m, r, stub);
	else
		resolve_absolute(t, &m, r, stub);
	buf_clear(&m.path);
}

static void add_root(struct tree *t, const char *path)
{
	const struct folder *folder = tree_known_folder(t, path);

	if (!folder || folder->has_init)
		return;
	for (size_t i = 0; i < t->roots.count; i++)
		if (strcmp(t->roots.item[i], path) == 0)
			return;
	strs_add(&t->roots, path);
}

/* The folder of a project and those in which projects keep their sources. */
static void add_project(struct tree *t, const char *path)
{
	static const char *const sources[] = {"src", "lib", "python"};

	add_root(t, path);
	for (size_t i = 0; i < countof(sources); i++)
		add_root(t, tree_path(t, path, sources[i]));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void resolve_python_start(struct tree *t)
{
	AUTO_STRS struct strs projects = {0};

	for (size_t i = 0; i < t->paths.count; i++)
		add_project(t, t->paths.item[i]);
	map_each (&t->folders, s)
		if (((const struct folder *)s->value)->has_project)
			strs_add(&projects, s->key);
	if (projects.count)
		qsort(projects.item, projects.count, sizeof *projects.item, by_text);
	for (size_t i = 0; i < projects.count; i++)
		add_project(t, projects.item[i]);
}
