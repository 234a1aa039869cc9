#include "tree.h"

#include "io.h"
#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_folder(int fd, struct strs *names)
{
	int copy = io_open(fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *d;

	if (!dir)
		return copy < 0 ? copy : -errno;
	while ((d = readdir(dir)))
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			strs_add(names, d->d_name);
	closedir(dir);
	if (names->count)
		qsort(names->item, names->count, sizeof *names->item, by_name);
	return 0;
}

static bool is_left_out(const struct tree *t, const char *name, const struct stat *st)
{
	if (!t->git && strcmp(name, ".git") == 0)
		return true;
	for (size_t i = 0; i < t->but_count; i++)
		if (t->but[i].device == st->st_dev && t->but[i].inode == st->st_ino)
			return true;
	return false;
}

static int walk_folder(
	const struct tree *t, int dir, const char *path, int depth, struct err *e);

static int walk_entry(const struct tree *t, int dir, const char *path, const char *name,
	int depth, struct err *e)
{
	AUTO_FREE char *below = mem_format("%s%s%s", path, *path ? "/" : "", name);
	AUTO_CLOSE int folder = -1;
	struct stat st;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, -errno, "%s", below);
	if (is_left_out(t, name, &st))
		return 0;
	r = t->visit(below, dir, name, &st, t->context);
	if (r < 0)
		return err_sys(e, r, "%s", below);
	if (!S_ISDIR(st.st_mode))
		return 0;
	folder = io_open(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (folder < 0)
		return err_sys(e, folder, "%s", below);
	return walk_folder(t, folder, below, depth + 1, e);
}

static int walk_folder(const struct tree *t, int dir, const char *path, int depth, struct err *e)
{
	AUTO_STRS struct strs names = {0};
	int r = depth > TREE_DEPTH_MAX ? -ELOOP : list_folder(dir, &names);

	if (r < 0)
		return err_sys(e, r, "%s", path);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = walk_entry(t, dir, path, names.item[i], depth, e);
	return r;
}

/* The top itself may be a link. */
int tree_walk(const struct tree *t, const char *top, struct err *e)
{
	AUTO_CLOSE int folder = -1;
	struct stat st;
	int r;

	if (stat(top, &st) < 0)
		return err_sys(e, -errno, "%s", top);
	r = t->visit("", AT_FDCWD, top, &st, t->context);
	if (r < 0)
		return err_sys(e, r, "%s", top);
	if (!S_ISDIR(st.st_mode))
		return 0;
	folder = io_open(AT_FDCWD, top, O_RDONLY | O_DIRECTORY, 0);
	if (folder < 0)
		return err_sys(e, folder, "%s", top);
	return walk_folder(t, folder, "", 0, e);
}
