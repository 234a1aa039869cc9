#include "store.h"

#include "buf.h"
#include "clock.h"
#include "evict.h"
#include "hits.h"
#include "io.h"
#include "object.h"
#include "rebuild.h"

#include <errno.h>
#include <fcntl.h>

enum { SEARCH_TRIES = 3 };

/* One read finds the whole of a short file; a long one is gathered in a buffer. */
static int read_file(int fd, struct entry *e)
{
	ssize_t n = io_read_some(fd, e->usual, ENTRY_USUAL);
	int r;

	if (n < 0)
		return (int)n;
	if (n < ENTRY_USUAL)
		return entry_parse(e, e->usual, (size_t)n);
	buf_add(&e->text, e->usual, (size_t)n);
	r = io_read_all(fd, ENTRY_FILE_MAX, &e->text);
	return r < 0 ? r : entry_parse(e, e->text.text, e->text.length);
}

int entry_read(const struct scope *s, const struct digest *key, struct entry *e)
{
	char path[SCOPE_PATH_SIZE];
	AUTO_CLOSE int fd = io_open(
		s->dir, scope_path(path, "entries", key), O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct digest is;
	int r = fd < 0 ? fd : read_file(fd, e);

	if (r < 0)
		return r == -EMSGSIZE || r == -ELOOP ? -EINVAL : r;
	is = key_digest(e->key);
	if (!digest_equal(&is, key))
		return -EINVAL;
	return e->expires && e->expires <= clock_real() ? -ETIME : 0;
}

/* One reference to an object less; without any it goes. */
static void release(struct scope *s, const struct part *p)
{
	int64_t line = table_find(&s->table, ROW_OBJECT, &p->digest);
	char path[SCOPE_PATH_SIZE];
	struct row row;

	if (line < 0)
		return;
	table_read(&s->table, line, &row);
	if (--row.uses > 0) {
		table_write(&s->table, line, &row);
		return;
	}
	unlinkat(s->dir, scope_path(path, "objects", &p->digest), 0);
	table_remove(&s->table, line);
}

static void release_all(struct scope *s, const struct entry *e)
{
	for (size_t i = 0; i < e->count; i++)
		if (part_has_content(&e->part[i]))
			release(s, &e->part[i]);
}

int store_drop(struct scope *s, const struct digest *key, struct err *e)
{
	AUTO_ENTRY struct entry entry = {0};
	int64_t line = table_find(&s->table, ROW_ENTRY, key);
	char path[SCOPE_PATH_SIZE];
	int r = entry_read(s, key, &entry);

	if (r == -ENOENT && line < 0)
		return 0;
	if (unlinkat(s->dir, scope_path(path, "entries", key), 0) < 0 && errno != ENOENT)
		return err_sys(e, -errno, "%s/cache/%s/%s", s->state->path, s->name, path);
	if ((r == 0 || r == -ETIME) && line >= 0) {
		table_remove(&s->table, line);
		release_all(s, &entry);
		return 1;
	}
	/* What it referred to is not known: everything is counted anew. */
	r = rebuild(s, 0, e);
	return r < 0 ? r : -ESTALE;
}

/* Removes it if it is as it is thought to be. */
static int remove_if(struct scope *s, const struct digest *key,
	bool (*is_so)(const struct scope *, const struct digest *), struct err *e)
{
	int r = scope_lock(s, e);

	if (r < 0)
		return r;
	if (!is_so || is_so(s, key)) {
		scope_change(s);
		r = store_drop(s, key, e);
		if (r >= 0)
			scope_changed(s);
	}
	scope_unlock(s);
	return r == -ESTALE ? 1 : r;
}

int store_remove(struct scope *s, const struct digest *key, struct err *e)
{
	char path[SCOPE_PATH_SIZE];

	if (faccessat(s->dir, scope_path(path, "entries", key), F_OK, 0) < 0)
		return 0;
	return remove_if(s, key, NULL, e);
}

/* It may have been replaced meanwhile by one that is good. */
static bool is_damaged(const struct scope *s, const struct digest *key)
{
	AUTO_ENTRY struct entry e = {0};
	int r = entry_read(s, key, &e);

	for (size_t i = 0; (r == 0 || r == -ETIME) && i < e.count; i++) {
		int fd = part_has_content(&e.part[i]) ? object_open(s, &e.part[i]) : -EAGAIN;

		if (fd >= 0)
			close(fd);
		else if (fd == -ENOENT || fd == -EINVAL)
			return true;
	}
	return r == -EINVAL;
}

/* Counts something. Takes the lock; best effort. */
static void count(struct scope *s, enum cell cell)
{
	struct err ignored = {0};

	if (scope_lock(s, &ignored) < 0)
		return;
	table_count(&s->table, cell, 1);
	scope_unlock(s);
}

/* A hit, or what is a hit of a scope that inherits from this one. */
static void count_hit(struct scope *s, const struct digest *key, bool asked_here)
{
	struct err ignored = {0};

	if (!hits_note(s, key, asked_here) && scope_lock(s, &ignored) == 0)
		scope_unlock(s);
}

/* A reference more to an object that is there; false if there is none such. */
static bool refer(struct scope *s, const struct part *p)
{
	int64_t line = table_find(&s->table, ROW_OBJECT, &p->digest);
	struct row row;

	if (line < 0)
		return false;
	table_read(&s->table, line, &row);
	row.uses++;
	table_write(&s->table, line, &row);
	return true;
}

/* What is there already is referred to first, so that making room does not remove it. */
static void keep_contents(struct scope *s, struct entry *entry)
{
	for (size_t i = 0; i < entry->count; i++)
		entry->part[i].kept =
			part_has_content(&entry->part[i]) && refer(s, &entry->part[i]);
}

/* Placed in any case: what should be there may be damaged. */
static int put_object(struct scope *s, struct part *p, struct err *e)
{
	const struct row row = {
		.kind = ROW_OBJECT, .digest = p->digest, .size = p->size, .uses = 1};
	int64_t r;

	if (!part_has_content(p))
		return 0;
	r = object_place(s, p);
	if (r < 0)
		return err_sys(e, (int)r, "%s/cache/%s/objects", s->state->path, s->name);
	if (!p->kept && !refer(s, p))
		r = table_add(&s->table, &row);
	return r < 0 ? err_sys(e, (int)r, "%s/cache/%s/table", s->state->path, s->name) : 0;
}

static int put_file(struct scope *s, const struct entry *entry, const struct digest *key)
{
	char path[SCOPE_PATH_SIZE], folder[SCOPE_PATH_SIZE];
	AUTO_BUF struct buf b = {0};
	AUTO_CLOSE int fd = io_open(
		s->dir, "entry.new", O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	AUTO_CLOSE int dir = -1;
	int r;

	if (fd < 0)
		return fd;
	scope_path(path, "entries", key);
	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	dir = scope_folder(s, folder);
	if (dir < 0)
		return dir;
	entry_format(entry, &b);
	r = io_write(fd, b.text, b.length);
	return r == 0 && renameat(s->dir, "entry.new", s->dir, path) < 0 ? -errno : r;
}

static int put_row(struct scope *s, const struct entry *entry, const struct digest *key)
{
	struct row row = {.kind = ROW_ENTRY,
		.digest = *key,
		.used = clock_real() / NS_PER_US,
		.expires = entry->expires / NS_PER_US};
	int64_t line = table_find(&s->table, ROW_ENTRY, key);

	if (line >= 0)
		table_write(&s->table, line, &row);
	else
		line = table_add(&s->table, &row);
	table_count(&s->table, CELL_STORED, 1);
	return (int)MIN(line, 0);
}

/* Everything under the lock and the mark of a change. What fails is mended by a rebuild. */
static int put_locked(struct scope *s, struct entry *entry, struct err *e)
{
	AUTO_ENTRY struct entry old = {0};
	struct digest key = key_digest(entry->key);
	int r, had;

	do {
		scope_change(s);
		keep_contents(s, entry);
		r = evict_for(s, entry, &key, e);
	} while (r == -ESTALE);
	if (r < 0)
		return r;
	for (size_t i = 0; i < entry->count; i++) {
		r = put_object(s, &entry->part[i], e);
		if (r < 0)
			return r;
	}
	had = entry_read(s, &key, &old);
	r = put_file(s, entry, &key);
	if (r < 0)
		return err_sys(e, r, "%s/cache/%s/entries", s->state->path, s->name);
	if (had == 0 || had == -ETIME)
		release_all(s, &old);
	r = put_row(s, entry, &key);
	return r < 0 ? err_sys(e, r, "%s/cache/%s/table", s->state->path, s->name) : 0;
}

int store_put(struct scope *s, struct entry *entry, struct err *e)
{
	int r = scope_lock(s, e);

	if (r < 0)
		return r;
	s->known = false; /* the bound that holds is the one of now */
	r = scope_limits(s, e);
	if (r == 0 && entry_too_large(s, entry))
		r = err_set(e, -EFBIG, "%s: is larger than scope %s may be", entry->key, s->name);
	if (r < 0)
		goto out;
	r = put_locked(s, entry, e);
	if (r == 0)
		scope_changed(s);
	else if (rebuild(s, 0, e) < 0)
		goto out; /* the mark stays: the next one tries again */
out:
	scope_unlock(s);
	return r;
}

/* A state of an entry that makes it a miss, and what is done about it. */
static enum found give_up(struct scope *s, const struct digest *key, int code)
{
	struct err ignored = {0};

	if (code == -ETIME) {
		count(s, CELL_EXPIRED);
		return FOUND_EXPIRED;
	}
	if (code == -ENOENT)
		return FOUND_NONE;
	if (remove_if(s, key, is_damaged, &ignored) > 0)
		count(s, CELL_DAMAGED);
	return FOUND_DAMAGED;
}

/* An entry may be replaced between the reading of it and of its objects: then it is read again. */
static enum found search_one(
	struct scope *s, const struct search *q, const struct digest *key, struct err *error)
{
	int r = -ENOENT;

	for (int tries = 0; r == -ENOENT && tries < SEARCH_TRIES; tries++) {
		AUTO_ENTRY struct entry entry = {0};

		r = entry_read(s, key, &entry);
		if (r < 0)
			return give_up(s, key, r);
		if (entry.created < q->min_created)
			return FOUND_OLD;
		r = q->use(s, &entry, q->context);
	}
	if (r == 0)
		return FOUND_HIT;
	if (r == -ENOENT || r == -EINVAL)
		return give_up(s, key, -EINVAL);
	err_sys(error, r, "%s", q->key);
	return FOUND_NONE;
}

static void count_result(struct scope *s, struct scope *owner, enum found found,
	enum counting counting, const struct digest *key)
{
	if (counting == COUNT_NONE)
		return;
	if (found != FOUND_HIT) {
		if (counting == COUNT_ALL)
			count(s, CELL_MISSES);
		return;
	}
	if (owner != s)
		count_hit(owner, key, false);
	count_hit(s, key, true);
}

enum found store_search(struct scope *s, const struct search *q, struct err *error)
{
	const struct digest key = key_digest(q->key);
	AUTO_SCOPE struct scope at = SCOPE_NONE;
	enum found first = search_one(s, q, &key, error), found = first;
	struct scope *owner = s;

	for (int depth = 0; found != FOUND_HIT && depth < SCOPE_DEPTH_MAX; depth++) {
		struct scope above = SCOPE_NONE;

		if (scope_parent(owner, &above, error) <= 0)
			break;
		scope_close(&at);
		at = above;
		owner = &at;
		found = search_one(owner, q, &key, error);
		if (first == FOUND_NONE)
			first = found;
	}
	count_result(s, owner, found, q->counting, &key);
	return found == FOUND_HIT ? found : first;
}
