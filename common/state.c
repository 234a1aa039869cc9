#include "state.h"

#include "buf.h"
#include "err.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

static const char format_version[] = "1\n";

void state_close(struct state *s)
{
	if (s->dir >= 0)
		close(s->dir);
	free(s->made);
	*s = (struct state){.dir = -1};
}

int state_file(const struct state *s, const char *path, int flags, mode_t mode)
{
	return io_open(s->dir, path, flags | O_NOFOLLOW, mode);
}

int state_folder(const struct state *s, const char *path)
{
	char part[PATH_MAX];
	const char *end = path;

	if (strlen(path) >= sizeof part)
		return -ENAMETOOLONG;
	while (*end) {
		end += strcspn(end + 1, "/") + 1;
		snprintf(part, sizeof part, "%.*s", (int)(end - path), path);
		if (mkdirat(s->dir, part, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return state_file(s, path, O_RDONLY | O_DIRECTORY, 0);
}

/* Cuts the last folder off an absolute path; false at the root. */
static bool go_up(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash == path && !path[1])
		return false;
	slash[slash == path] = '\0';
	return true;
}

/*
 * The nearest .loop in the working directory or above it, as a new string; NULL if
 * there is none.
 */
static char *search(const char *from)
{
	AUTO_FREE char *here = mem_string(from);

	do {
		char *candidate = mem_format("%s/.loop", here[1] ? here : "");

		if (access(candidate, F_OK) == 0)
			return candidate;
		free(candidate);
	} while (go_up(here));
	return NULL;
}

/* From the working directory: the one named, else the nearest, else where it would be made. */
static char *locate_from_here(const char *named)
{
	AUTO_FREE char *cwd = getcwd(NULL, 0);
	char *found;

	if (!cwd)
		return NULL;
	if (named)
		return mem_format("%s/%s", cwd, named);
	found = search(cwd);
	return found ? found : mem_format("%s/.loop", cwd);
}

/* Where the state directory is, or where it would be made. */
static int locate(struct state *s, bool *named, struct err *e)
{
	const char *env = getenv("LOOP_DIR");

	*named = env && *env;
	if (*named && *env == '/') {
		s->path = env;
		return 0;
	}
	s->path = s->made = locate_from_here(*named ? env : NULL);
	return s->path ? 0 : err_sys(e, -errno, "the working directory");
}

/* A .loop that somebody else left in a shared folder is not taken for ours. */
static int check_owner(const struct state *s, struct err *e)
{
	struct stat st;

	if (fstat(s->dir, &st) < 0)
		return err_sys(e, -errno, "%s", s->path);
	if (st.st_uid == geteuid())
		return 0;
	return err_set(e, -EPERM,
		"%s: belongs to another user (uid %u); set LOOP_DIR to use it all the same",
		s->path, (unsigned)st.st_uid);
}

/*
 * The format file is written last, so a directory without one is new or half made: both
 * are finished here.
 */
static int check_format(const struct state *s, bool make, struct err *e)
{
	const size_t known = sizeof format_version - 1;
	char text[16] = "";
	AUTO_CLOSE int fd = state_file(s, "format", O_RDONLY, 0);
	ssize_t n;
	int r;

	if (fd >= 0) {
		n = io_read(fd, text, known);
		if (n >= 0 && strcmp(text, format_version) == 0)
			return 0;
		if (n >= 0)
			n = io_read(fd, text + n, sizeof text - 1 - (size_t)n);
		if (n < 0)
			return err_sys(e, (int)n, "%s/format", s->path);
		return err_set(e, -ENOTSUP, "%s: format %.*s is not known to this version", s->path,
			(int)strcspn(text, "\n"), text);
	}
	if (fd != -ENOENT)
		return err_sys(e, fd, "%s/format", s->path);
	if (!make)
		return 0;
	r = io_replace(s->dir, ".gitignore", "*\n", 2, 0600);
	if (r == 0)
		r = io_replace(s->dir, "format", format_version, strlen(format_version), 0600);
	return r < 0 ? err_sys(e, r, "%s", s->path) : 0;
}

/* Opens the directory; one that is not there is made, or told of. */
static int open_directory(struct state *s, bool named, bool make, struct err *e)
{
	const int flags = O_RDONLY | O_DIRECTORY;

	s->dir = io_open(AT_FDCWD, s->path, flags, 0);
	if (s->dir == -ENOENT && !make && named)
		return err_set(e, -ENOENT, "%s: no state directory (LOOP_DIR)", s->path);
	if (s->dir == -ENOENT && !make)
		return err_set(e, -ENOENT,
			"no state directory: no .loop here or above, and LOOP_DIR is not set");
	if (s->dir == -ENOENT) {
		if (mkdir(s->path, 0700) < 0 && errno != EEXIST)
			return err_sys(e, -errno, "%s: cannot make the state directory", s->path);
		s->dir = io_open(AT_FDCWD, s->path, flags, 0);
	}
	return s->dir < 0 ? err_sys(e, s->dir, "%s", s->path) : 0;
}

static int open_state(struct state *s, bool make, struct err *e)
{
	bool named = false;
	int r;

	*s = (struct state){.dir = -1};
	r = locate(s, &named, e);
	if (r == 0)
		r = open_directory(s, named, make, e);
	/* Named on purpose, it may be anybody's. */
	if (r == 0 && !named)
		r = check_owner(s, e);
	if (r == 0)
		r = check_format(s, make, e);
	if (r < 0)
		state_close(s);
	return r;
}

int state_find(struct state *s, struct err *e)
{
	return open_state(s, false, e);
}

int state_open(struct state *s, struct err *e)
{
	return open_state(s, true, e);
}

/* The name that a file's name holds, a new string; NULL if it holds none. */
static char *name_in(const char *file, const char *suffix)
{
	size_t n = strlen(file), behind = strlen(suffix);
	char *name;

	if (n <= behind || strcmp(file + n - behind, suffix) != 0)
		return NULL;
	name = mem_substring(file, n - behind);
	if (name_valid(name))
		return name;
	free(name);
	return NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int state_list(const struct state *s, const char *folder, const char *suffix, struct strs *names)
{
	int fd = state_file(s, folder, O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char *name;

	if (!dir)
		return fd == -ENOENT ? 0 : fd < 0 ? fd
						  : -errno;
	while ((entry = readdir(dir)))
		if ((name = name_in(entry->d_name, suffix)))
			strs_take(names, name);
	closedir(dir);
	if (names->count)
		qsort(names->item, names->count, sizeof *names->item, by_name);
	return 0;
}
