/*
 * Unique keys of a queue in files: keys/XX/KEY holds "ID UNTIL". It is written
 * before the item is, so a killed put leaves at worst a key that names no item,
 * and such a key binds nobody; UNTIL, which binds without an item, is written behind it.
 */
#include "queue_file.h"

#include "clock.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { PATH_SIZE = QUEUE_NAME_SIZE + 16 };

/* By FNV-1a into 256 folders, so that none has too many names in it. */
static void key_path(char out[PATH_SIZE], const char *key)
{
	uint32_t hash = UINT32_C(2166136261);

	for (const char *p = key; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT32_C(16777619);
	snprintf(out, PATH_SIZE, "keys/%02x/%s", (hash ^ hash >> 8 ^ hash >> 16) & 255, key);
}

static int make_folders(const struct queue_file *f, const char *path)
{
	char folder[] = "keys/00";

	memcpy(folder, path, sizeof folder - 1);
	if (mkdirat(f->dir, "keys", 0700) < 0 && errno != EEXIST)
		return -errno;
	return mkdirat(f->dir, folder, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Whether the open file is still the one of that name: its last holder may have removed it. */
static bool is_there(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink > 0;
}

static int open_locked(const struct queue_file *f, const char *path, int flags)
{
	int fd, r;

	for (;;) {
		fd = io_open(f->dir, path, O_RDWR | O_NOFOLLOW | flags, 0600);
		if (fd < 0)
			return fd;
		r = io_lock(fd, clock_after(BLOCK_WAIT));
		if (r == 0 && is_there(fd))
			return fd;
		close(fd);
		if (r < 0)
			return r;
	}
}

static bool read_key(int fd, char id[ITEM_ID_SIZE], int64_t *until)
{
	char text[ITEM_ID_SIZE + 32] = "";
	char *blank;

	if (io_pread(fd, text, sizeof text - 1, 0) <= 0 || !(blank = strchr(text, ' ')))
		return false;
	*blank = '\0';
	snprintf(id, ITEM_ID_SIZE, "%.*s", ITEM_ID_SIZE - 1, text);
	*until = strtoll(blank + 1, NULL, 10);
	return true;
}

/* 1: the item is there and has this key; 0. */
static int is_live(struct queue_file *f, const char *id, const char *key, struct err *e)
{
	char found[QUEUE_NAME_SIZE];
	struct item_line line;
	int64_t place;
	int r = item_open(f, id, &place, &line, e), closed;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	r = item_key(f, &line, found);
	closed = block_close(f, e);
	if (r < 0 && r != -EBADMSG)
		return err_sys(e, r, "queue %s: item %s", f->queue.name, id);
	return closed < 0 ? closed : r == 0 && strcmp(found, key) == 0;
}

int key_take(struct queue_file *f, const char *key, int *fd, char out[ITEM_ID_SIZE], struct err *e)
{
	char path[PATH_SIZE];
	int64_t until;
	int r;

	key_path(path, key);
	*fd = open_locked(f, path, O_CREAT);
	if (*fd == -ENOENT) {
		r = make_folders(f, path);
		*fd = r < 0 ? r : open_locked(f, path, O_CREAT);
	}
	if (*fd < 0)
		return err_sys(e, *fd, "queue %s: key %s", f->queue.name, key);
	if (!read_key(*fd, out, &until))
		return 0;
	r = until > file_now(f) ? 1 : is_live(f, out, key, e);
	if (r != 0)
		close(*fd);
	return r;
}

int key_write(int fd, const char *id, int64_t until, bool sync)
{
	char text[ITEM_ID_SIZE + 32];
	int n = snprintf(text, sizeof text, "%s %lld\n", id, (long long)until);
	int r = io_pwrite(fd, text, (size_t)n, 0);

	if (r == 0 && ftruncate(fd, n) < 0)
		r = -errno;
	if (r == 0 && sync && fsync(fd) < 0)
		r = -errno;
	return r;
}

void key_done(struct queue_file *f, int64_t place, const struct item_line *line)
{
	char key[QUEUE_NAME_SIZE];

	if (line->keyed && item_key(f, line, key) == 0)
		strs_format(&f->dead_keys, "%s %lld.%lld", key, (long long)f->block.number,
			(long long)place);
}

/* Unless somebody has taken it over, or it holds for longer than its item. */
static void release(struct queue_file *f, char *key_and_id)
{
	char *id = strchr(key_and_id, ' '), path[PATH_SIZE], found[ITEM_ID_SIZE];
	int64_t until;
	int fd;

	*id++ = '\0';
	key_path(path, key_and_id);
	fd = open_locked(f, path, 0);
	if (fd < 0)
		return;
	if (read_key(fd, found, &until) && strcmp(found, id) == 0 && until <= file_now(f))
		unlinkat(f->dir, path, 0);
	close(fd);
}

void keys_release(struct queue_file *f)
{
	for (size_t i = 0; i < f->dead_keys.count; i++)
		release(f, f->dead_keys.item[i]);
	strs_clear(&f->dead_keys);
}
