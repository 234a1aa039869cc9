#include "folder.h"

#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct dated {
	char *name;
	int64_t time;
};

static int newer(const void *a, const void *b)
{
	const struct dated *x = a, *y = b;

	if (x->time != y->time)
		return x->time < y->time ? 1 : -1;
	return strcmp(y->name, x->name);
}

static bool date_one(int dir, const char *name, const char *file, struct dated *out)
{
	AUTO_FREE char *path = mem_format("%s%s%s", name, file ? "/" : "", file ? file : "");
	struct stat st;

	if (!name_valid(name) || fstatat(dir, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*out = (struct dated){mem_string(name),
		(int64_t)st.st_mtim.tv_sec * NS_PER_S + st.st_mtim.tv_nsec};
	return true;
}

int folder_list(const struct state *s, const char *folder, const char *file, struct strs *out)
{
	struct dated *found = NULL;
	size_t count = 0, room = 0;
	int fd = state_file(s, folder, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (!d)
		return fd == -ENOENT ? 0 : fd < 0 ? fd
						  : -errno;
	for (struct dirent *entry; (entry = readdir(d));) {
		found = mem_grow(found, count, &room, sizeof *found);
		count += date_one(dirfd(d), entry->d_name, file, &found[count]);
	}
	closedir(d);
	if (count)
		qsort(found, count, sizeof *found, newer);
	for (size_t i = 0; i < count; i++)
		strs_take(out, found[i].name);
	free(found);
	return 0;
}
