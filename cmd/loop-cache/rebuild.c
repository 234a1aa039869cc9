#include "rebuild.h"

#include "clock.h"
#include "io.h"
#include "object.h"
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct work {
	struct scope *scope;
	unsigned flags;
	struct table old; /* for its uses */
};

/* One of the 256 folders. What is in it and has no business there is none of ours. */
static int each_in(DIR *dir, int (*visit)(const struct digest *, void *), void *context)
{
	struct dirent *d;
	struct digest digest;
	int r = 0;

	while (r == 0 && (d = readdir(dir)))
		if (digest_parse(&digest, d->d_name, strlen(d->d_name)))
			r = visit(&digest, context);
	return r;
}

int each_file(const struct scope *s, const char *folder,
	int (*visit)(const struct digest *, void *), void *context)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < 256; i++) {
		char path[SCOPE_PATH_SIZE];
		DIR *dir;
		int fd;

		snprintf(path, sizeof path, "%s/%02x", folder, i);
		fd = io_open(s->dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (fd == -ENOENT)
			continue;
		dir = fd < 0 ? NULL : fdopendir(fd);
		if (!dir)
			return fd < 0 ? fd : -errno;
		r = each_in(dir, visit, context);
		closedir(dir);
	}
	return r;
}

/* An object of its size, and as it should be where that is asked: -ENOENT, -EINVAL. */
static int look_at(const struct work *w, const struct part *p)
{
	char path[SCOPE_PATH_SIZE];
	struct stat st;
	int fd;

	if (!part_has_content(p))
		return 0;
	if (w->flags & REBUILD_VERIFY) {
		fd = object_open(w->scope, p);
		if (fd >= 0)
			close(fd);
		return MIN(fd, 0);
	}
	if (fstatat(w->scope->dir, scope_path(path, "objects", &p->digest), &st,
		    AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return S_ISREG(st.st_mode) && st.st_size == p->size ? 0 : -EINVAL;
}

/* What is missing makes it a damaged one; that it cannot be read now does not. */
static int look_at_all(const struct work *w, const struct entry *e)
{
	for (size_t i = 0; i < e->count; i++) {
		int r = look_at(w, &e->part[i]);

		if (r < 0)
			return r == -ENOENT ? -EINVAL : r;
	}
	return 0;
}

static int add_object(struct table *t, const struct part *p)
{
	struct row row = {
		.kind = ROW_OBJECT, .digest = p->digest, .size = p->size, .uses = 1};
	int64_t line = table_find(t, ROW_OBJECT, &p->digest);

	if (line < 0)
		return (int)MIN(table_add(t, &row), 0);
	table_read(t, line, &row);
	row.uses++;
	table_write(t, line, &row);
	return 0;
}

static int add_entry(struct work *w, const struct digest *key, const struct entry *e)
{
	struct row row = {.kind = ROW_ENTRY,
		.digest = *key,
		.used = e->created / NS_PER_US,
		.expires = e->expires / NS_PER_US};
	struct row before;
	int64_t line = w->old.map ? table_find(&w->old, ROW_ENTRY, key) : -1;

	if (line >= 0) {
		table_read(&w->old, line, &before);
		row.uses = MAX(before.uses, 0);
		row.used = MAX(before.used, 0);
	}
	line = table_add(&w->scope->table, &row);
	for (size_t i = 0; line >= 0 && i < e->count; i++)
		if (part_has_content(&e->part[i]))
			line = add_object(&w->scope->table, &e->part[i]);
	return (int)MIN(line, 0);
}

static int visit_entry(const struct digest *key, void *context)
{
	AUTO_ENTRY struct entry e = {0};
	struct work *w = context;
	char path[SCOPE_PATH_SIZE];
	int r = entry_read(w->scope, key, &e);

	if (r == -ENOENT)
		return 0;
	if (r == 0 || (r == -ETIME && !(w->flags & REBUILD_EXPIRED)))
		r = look_at_all(w, &e);
	if (r == 0)
		return add_entry(w, key, &e);
	if (r < 0 && r != -EINVAL && r != -ETIME)
		return r; /* it cannot be read now: nothing is said about it */
	if (r != -ETIME)
		table_count(&w->scope->table, CELL_DAMAGED, 1);
	unlinkat(w->scope->dir, scope_path(path, "entries", key), 0);
	return 0;
}

static int visit_object(const struct digest *d, void *context)
{
	struct work *w = context;
	char path[SCOPE_PATH_SIZE];

	if (table_find(&w->scope->table, ROW_OBJECT, d) < 0)
		unlinkat(w->scope->dir, scope_path(path, "objects", d), 0);
	return 0;
}

int rebuild(struct scope *s, unsigned flags, struct err *e)
{
	struct work w = {.scope = s, .flags = flags};
	int64_t rows = 0;
	int r;

	if (table_open(&w.old, s->dir, true) == 0)
		rows = table_cell(&w.old, CELL_ENTRIES) + table_cell(&w.old, CELL_OBJECTS);
	table_close(&s->table);
	r = table_make(&s->table, s->dir, MIN(rows, 1 << 20));
	unlinkat(s->dir, "entry.new", 0);
	unlinkat(s->dir, "object.new", 0);
	if (r == 0)
		r = each_file(s, "entries", visit_entry, &w);
	if (r == 0)
		r = each_file(s, "objects", visit_object, &w);
	table_close(&w.old);
	if (r < 0)
		return err_sys(e, r, "%s/cache/%s", s->state->path, s->name);
	scope_changed(s);
	return 0;
}
