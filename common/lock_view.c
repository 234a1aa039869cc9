#include "lock_view.h"

#include "clock.h"
#include "io.h"
#include "lock.h"
#include "lock_bytes.h"
#include "lock_file.h"
#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { GUARD_TRIES = 20 }; /* a millisecond apart; then the text is read as it stands */

void lock_view_clear(struct lock_view *v)
{
	free(v->name);
	free(v->row);
	*v = (struct lock_view){0};
}

void lock_views_clear(struct lock_views *all)
{
	for (size_t i = 0; i < all->count; i++)
		lock_view_clear(&all->item[i]);
	free(all->item);
	*all = (struct lock_views){0};
}

static int compare_rows(const void *a, const void *b)
{
	const struct lock_row *x = a, *y = b;

	if (lock_row_waits(x) != lock_row_waits(y))
		return lock_row_waits(x) ? 1 : -1;
	if (!lock_row_waits(x))
		return x->ticket < y->ticket ? -1 : 1;
	return lock_row_before(x, y) ? -1 : 1;
}

/* Keeps the rows whose owners live; or of holders only, where so many ask for so many. */
static int keep_living(struct lock_view *v, struct lock_table *t, int fd, enum lock_view_what what)
{
	int64_t held = 0, unowned;
	size_t kept = 0;

	v->row = t->row;
	t->row = NULL;
	for (size_t i = 0; i < t->count; i++) {
		bool believed = what == LOCK_VIEW_SEEMING && lock_row_waits(&v->row[i]);
		int r = believed ? 1 : lock_row_alive(&v->row[i], fd);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		v->row[kept++] = v->row[i];
		if (lock_row_waits(&v->row[i])) {
			v->waiters++;
		} else {
			v->holders++;
			held += v->row[i].units;
		}
	}
	if (kept)
		qsort(v->row, kept, sizeof *v->row, compare_rows);
	v->waiters += t->waiters;
	if (what <= LOCK_VIEW_SEEMING)
		return 0;
	unowned = lock_slots_free(fd, v->capacity, v->capacity);
	if (unowned < 0)
		return (int)unowned;
	v->unknown = MAX(v->capacity - unowned - held, INT64_C(0));
	return 0;
}

/*
 * The guard, shared with other onlookers, if it can be had within a moment. Onlookers
 * that follow one another closely keep out all who own it: so thousands may not ask.
 */
static void try_guard(int fd)
{
	struct flock f = {
		.l_type = F_RDLCK,
		.l_whence = SEEK_SET,
		.l_start = LOCK_GUARD,
		.l_len = 1,
	};

	for (int i = 0; i < GUARD_TRIES && fcntl(fd, F_OFD_SETLK, &f) < 0; i++)
		clock_sleep(NS_PER_MS);
}

/* A head that is torn is a plain lock's, as it would be mended to. */
static int read_table(struct lock_view *v, struct lock_table *t, int fd)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	r = lock_table_read(t, fd, (size_t)st.st_size);
	if (r == -ENODATA || r == -EBADMSG) {
		t->head = (struct lock_head){.capacity = 1, .ticket = 1};
		r = 0;
	}
	v->head = t->head;
	v->capacity = t->head.capacity == 1 ? LOCK_CAPACITY_MAX : t->head.capacity;
	return r;
}

static int view_file(struct lock_view *v, int fd, enum lock_view_what what)
{
	struct lock_table t = {.holders_only = what == LOCK_VIEW_HOLDERS};
	int used = lock_file_used(fd), r;

	if (used < 0 || (used == 0 && what != LOCK_VIEW_ALL))
		return used;
	if (what > LOCK_VIEW_SEEMING)
		try_guard(fd);
	r = read_table(v, &t, fd);
	if (r == 0 && used)
		r = keep_living(v, &t, fd, what);
	if (what > LOCK_VIEW_SEEMING)
		lock_bytes_free(fd, LOCK_GUARD, 1);
	lock_table_clear(&t);
	return r < 0 ? r : v->holders || v->waiters || v->unknown;
}

static int view_one(
	struct lock_view *v, const struct state *s, const char *name, enum lock_view_what what)
{
	AUTO_CLOSE int fd = -1;
	char path[160];
	int r;

	snprintf(path, sizeof path, "locks/%s.lk", name);
	fd = state_file(s, path, O_RDONLY | O_NONBLOCK, 0);
	if (fd < 0)
		return fd;
	*v = (struct lock_view){.name = mem_string(name)};
	r = view_file(v, fd, what);
	if (r < 0)
		lock_view_clear(v);
	return r;
}

int lock_view_one(struct lock_view *v, const struct state *s, const char *name, struct err *e)
{
	int r;

	*v = (struct lock_view){0};
	if (!name_valid(name))
		return err_set(e, -EINVAL, "'%s' is no name for a lock", name);
	r = view_one(v, s, name, LOCK_VIEW_ALL);
	if (r == -ENOENT)
		return err_set(e, r, "locks/%s: there is no such lock", name);
	return r < 0 ? err_sys(e, r, "locks/%s", name) : r;
}

/* The lock's name, cut out of its file's; false if it is none. */
static bool cut_suffix(char *file)
{
	size_t n = strlen(file);

	if (n < 4 || strcmp(file + n - 3, ".lk") != 0)
		return false;
	file[n - 3] = '\0';
	return name_valid(file);
}

static int compare_views(const void *a, const void *b)
{
	return strcmp(((const struct lock_view *)a)->name, ((const struct lock_view *)b)->name);
}

/* What cannot be read is no lock of ours: a folder, another version's. */
static void add_view(
	struct lock_views *all, const struct state *s, const char *name, enum lock_view_what what)
{
	struct lock_view v = {0};
	int r = view_one(&v, s, name, what);

	if (r < 0 || (r == 0 && what != LOCK_VIEW_ALL)) {
		lock_view_clear(&v);
		return;
	}
	all->item = mem_grow(all->item, all->count, &all->capacity, sizeof *all->item);
	all->item[all->count++] = v;
}

int lock_views_all(
	struct lock_views *all, const struct state *s, enum lock_view_what what, struct err *e)
{
	int fd = state_file(s, "locks", O_RDONLY | O_DIRECTORY, 0);
	struct dirent *entry;
	DIR *dir;

	*all = (struct lock_views){0};
	if (fd == -ENOENT)
		return 0;
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		if (fd >= 0)
			close(fd);
		return err_sys(e, fd < 0 ? fd : -errno, "%s/locks", s->path);
	}
	while ((entry = readdir(dir)))
		if (cut_suffix(entry->d_name))
			add_view(all, s, entry->d_name, what);
	closedir(dir);
	if (all->count)
		qsort(all->item, all->count, sizeof *all->item, compare_views);
	return 0;
}
