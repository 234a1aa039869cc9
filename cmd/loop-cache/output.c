#include "output.h"

#include "id.h"
#include "io.h"
#include "mem.h"
#include "object.h"
#include "tree.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

struct taking {
	struct scope *scope;
	struct entry *entry;
	const struct output *output;
	int64_t max, size;
};

static int take_content(struct taking *t, struct part *p, int dir, const char *name)
{
	AUTO_CLOSE int fd = io_open(dir, name, O_RDONLY | O_NONBLOCK, 0);
	struct content c;
	int r = fd < 0 ? fd : content_begin(&c, t->scope);

	if (r < 0)
		return r;
	r = content_copy(&c, fd, t->max);
	if (r < 0)
		return content_drop(&c), r;
	t->size += c.size;
	content_end(&c, p);
	return t->max && t->size > t->max ? -EFBIG : 0;
}

static int take_link(struct taking *t, struct part *p, int dir, const char *name)
{
	char target[4096];
	ssize_t n = readlinkat(dir, name, target, sizeof target);

	if (n < 0)
		return -errno;
	p->target = arena_substring(&t->entry->made, target, (size_t)n);
	return 0;
}

static bool is_text(const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0, n; i < length; i += n)
		if (!(n = utf8_length(name + i, length - i)))
			return false;
	return true;
}

static int take_file(
	const char *path, int dir, const char *name, const struct stat *st, void *context)
{
	struct taking *t = context;
	struct part *p;
	enum part_kind kind = S_ISREG(st->st_mode) ? PART_FILE
		: S_ISLNK(st->st_mode)		   ? PART_LINK
						   : PART_FOLDER;

	if (kind == PART_FOLDER && !S_ISDIR(st->st_mode))
		return -ENOTSUP; /* sockets and the like are made by who uses them */
	if (!is_text(path))
		return -EILSEQ;
	p = entry_add(t->entry, kind);
	p->output = t->output->label;
	p->path = arena_substring(&t->entry->made, path, strlen(path));
	p->mode = st->st_mode & 0777;
	if (kind == PART_FILE)
		return take_content(t, p, dir, name);
	return kind == PART_LINK ? take_link(t, p, dir, name) : 0;
}

int output_take(struct scope *s, struct entry *entry, const struct output *o, int64_t max,
	struct err *e)
{
	struct taking t = {s, entry, o, max, 0};
	const struct tree tree = {.visit = take_file, .context = &t, .git = true};

	if (access(o->path, F_OK) < 0)
		return o->may_miss ? 0 : err_set(e, -ENOENT, "output %s was not made", o->path);
	return tree_walk(&tree, o->path, e);
}

/* No part of it may lead elsewhere. */
static bool path_is_plain(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && path[0] == '.') ||
			(n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
		if (*path == '/' && !*++path)
			return false;
	}
	return true;
}

/* The folders on the way to a file below an output, made where they are missing; the last one. */
static int open_way(const char *top, const char *path)
{
	int dir = io_open(AT_FDCWD, top, O_RDONLY | O_DIRECTORY, 0);

	for (const char *slash; dir >= 0 && (slash = strchr(path, '/')); path = slash + 1) {
		AUTO_FREE char *name = mem_substring(path, (size_t)(slash - path));
		int above = dir;

		if (mkdirat(above, name, 0777) < 0 && errno != EEXIST)
			dir = -errno;
		else
			dir = io_open(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		close(above);
	}
	return dir;
}

/* The folder of an output itself, and of a file that is one. */
static int make_way_to(const char *path)
{
	AUTO_FREE char *part = mem_string(path);

	for (char *slash = part; (slash = strchr(slash + 1, '/'));) {
		*slash = '\0';
		if (*part && mkdir(part, 0777) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/* One that is there and equal keeps its place, and is as new as if it had been made. */
static bool is_same(int dir, const char *name, const struct part *p)
{
	AUTO_CLOSE int fd = io_open(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
	struct digest is;
	struct stat st;
	int64_t size;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size != p->size ||
		digest_fd(fd, &is, &size) < 0 || !digest_equal(&is, &p->digest))
		return false;
	return fchmod(fd, p->mode) == 0 && futimens(fd, NULL) == 0;
}

static int write_content(int to, const struct scope *s, const struct part *p)
{
	AUTO_CLOSE int from = object_open(s, p);
	int r = from < 0 ? from : copy_fd(from, to);

	if (r == 0 && fchmod(to, p->mode) < 0)
		r = -errno;
	return r;
}

/* Whole or not at all, as its name. */
static int restore_file(const struct scope *s, const struct part *p, int dir, const char *name)
{
	char temporary[32];
	AUTO_CLOSE int fd = -1;
	uint64_t random;
	int r;

	if (is_same(dir, name, p))
		return 0;
	id_random(&random, sizeof random);
	snprintf(temporary, sizeof temporary, ".loop-%016llx", (unsigned long long)random);
	fd = io_open(dir, temporary, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return fd;
	r = write_content(fd, s, p);
	if (r == 0 && renameat(dir, temporary, dir, name) < 0)
		r = errno == ENOENT ? -EIO : -errno;
	if (r < 0)
		unlinkat(dir, temporary, 0);
	return r;
}

static int restore_link(const struct part *p, int dir, const char *name)
{
	if (unlinkat(dir, name, 0) < 0 && errno != ENOENT)
		return -errno;
	return symlinkat(p->target, dir, name) < 0 ? -errno : 0;
}

static int restore_folder(const struct part *p, int dir, const char *name)
{
	struct stat st;

	if (mkdirat(dir, name, p->mode | 0700) == 0)
		return 0;
	if (errno != EEXIST || fstatat(dir, name, &st, 0) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

static int restore_at(const struct scope *s, const struct part *p, int dir, const char *name)
{
	switch (p->kind) {
	case PART_LINK: return restore_link(p, dir, name);
	case PART_FOLDER: return restore_folder(p, dir, name);
	case PART_FILE: return restore_file(s, p, dir, name);
	case PART_VALUE:
	case PART_STDOUT:
	case PART_STDERR: break;
	}
	return 0;
}

/* The output itself: its folder is the user's, links on the way to it too. */
static int restore_top(const struct scope *s, const struct part *p, const char *path)
{
	AUTO_FREE char *plain = mem_string(path);
	size_t n = strlen(plain);
	AUTO_CLOSE int dir = -1;
	char *slash;
	int r;

	while (n > 1 && plain[n - 1] == '/')
		plain[--n] = '\0';
	r = make_way_to(plain);
	slash = strrchr(plain, '/');
	if (r < 0 || !slash)
		return r < 0 ? r : restore_at(s, p, AT_FDCWD, plain);
	*slash = '\0';
	dir = io_open(AT_FDCWD, *plain ? plain : "/", O_RDONLY | O_DIRECTORY, 0);
	return dir < 0 ? dir : restore_at(s, p, dir, slash + 1);
}

static int restore_part(const struct scope *s, const struct part *p, const struct output *o)
{
	const char *slash = strrchr(p->path, '/');
	AUTO_CLOSE int dir = -1;

	if (!path_is_plain(p->path) || (!*p->path && p->kind == PART_LINK))
		return -EINVAL;
	if (!*p->path)
		return restore_top(s, p, o->path);
	dir = open_way(o->path, p->path);
	if (dir < 0)
		return dir == -ENOENT ? -EIO : dir;
	return restore_at(s, p, dir, slash ? slash + 1 : p->path);
}

static const struct output *output_of(
	const struct part *p, const struct output *o, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (p->output && strcmp(o[i].label, p->output) == 0)
			return &o[i];
	return NULL;
}

int output_restore(const struct scope *s, const struct entry *e, const struct output *outputs,
	size_t count)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->count; i++) {
		const struct part *p = &e->part[i];
		const struct output *o = output_of(p, outputs, count);

		if (p->kind < PART_FILE)
			continue;
		r = o ? restore_part(s, p, o) : -EINVAL;
	}
	return r;
}
