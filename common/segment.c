#include "segment.h"

#include "io.h"
#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

char *segment_name(char out[SEGMENT_NAME_SIZE], int64_t first)
{
	snprintf(out, SEGMENT_NAME_SIZE, "events.%lld.jsonl", (long long)first);
	return out;
}

static int64_t parse_name(const char *name)
{
	char number[24];
	size_t n = strlen(name);
	int64_t first;

	if (n < sizeof "events.0.jsonl" - 1 || memcmp(name, "events.", 7) != 0 ||
		strcmp(name + n - 6, ".jsonl") != 0 || n - 13 >= sizeof number)
		return -1;
	snprintf(number, sizeof number, "%.*s", (int)(n - 13), name + 7);
	return parse_int(number, 0, INT64_MAX, &first) < 0 ? -1 : first;
}

int64_t segment_line_id(const char *line, size_t length)
{
	enum { ID_DIGITS = 18 }; /* of a place that can be: an exabyte */
	size_t at = sizeof SEGMENT_HEAD - 1, end;
	int64_t id = 0;

	if (length <= at || memcmp(line, SEGMENT_HEAD, at) != 0 || line[at] == '"')
		return -1;
	end = MIN(length, at + ID_DIGITS);
	for (; at < end && line[at] >= '0' && line[at] <= '9'; at++)
		id = id * 10 + (line[at] - '0');
	return at < length && line[at] == '"' ? id : -1;
}

/* A FIFO in a segment's place must not hold up who opens it. */
static const int read_flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;

int segment_open_newest(int dir)
{
	return io_open(dir, SEGMENT_NEWEST, read_flags, 0);
}

int segment_open_older(int dir, int64_t first)
{
	char name[SEGMENT_NAME_SIZE];
	int fd = io_open(dir, segment_name(name, first), read_flags, 0), r = 0;
	struct stat st;

	if (fd < 0)
		return fd == -ELOOP ? -ENOENT : fd;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (!S_ISREG(st.st_mode))
		r = -ENOENT;
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static bool is_file(int dir, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_REG;
	return fstatat(dir, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

static int ascending(const void *a, const void *b)
{
	int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;

	return left < right ? -1 : left > right;
}

int segments_list(int dir, struct segments *s)
{
	int fd = io_open(dir, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	*s = (struct segments){0};
	if (!d)
		return fd < 0 ? fd : -ENOMEM;
	while ((entry = readdir(d))) {
		int64_t first = parse_name(entry->d_name);

		if (first < 0 || !is_file(dir, entry))
			continue;
		s->first = mem_grow(s->first, s->count, &s->capacity, sizeof *s->first);
		s->first[s->count++] = first;
	}
	closedir(d);
	if (s->count)
		qsort(s->first, s->count, sizeof *s->first, ascending);
	return 0;
}

void segments_clear(struct segments *s)
{
	free(s->first);
	*s = (struct segments){0};
}

/* Where the last of the older segments ends; -ENOENT if there is none. */
static int64_t older_end(int dir)
{
	__attribute__((cleanup(segments_clear))) struct segments s;
	char name[SEGMENT_NAME_SIZE];
	struct stat st;
	int r = segments_list(dir, &s);

	if (r < 0)
		return r;
	if (!s.count)
		return -ENOENT;
	if (fstatat(dir, segment_name(name, s.first[s.count - 1]), &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return s.first[s.count - 1] + st.st_size;
}

/* The position that the first line behind a line end gives the file; 0 if none gives any. */
static int64_t base_of_lines(int fd)
{
	char text[4096];
	int64_t at = 0, id;
	ssize_t n;

	while ((n = io_pread(fd, text, sizeof text, at)) > 0) {
		const char *end = memchr(text, '\n', (size_t)n);

		at += end ? end + 1 - text : n;
		if (!end)
			continue;
		n = io_pread(fd, text, sizeof text, at);
		id = n > 0 ? segment_line_id(text, (size_t)n) : -1;
		if (id >= at)
			return id - at;
	}
	return n;
}

int64_t segment_base(int dir, int fd)
{
	char text[64];
	ssize_t n = io_pread(fd, text, sizeof text, 0);
	int64_t base = n > 0 ? segment_line_id(text, (size_t)n) : -1;

	if (n < 0)
		return n;
	if (base >= 0)
		return base;
	base = older_end(dir);
	return base == -ENOENT ? base_of_lines(fd) : base;
}

/* The size of an open file, or -errno. */
static int64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? -errno : st.st_size;
}

/* The last older segment that starts at or before the position, if it holds it. */
static int open_older(int dir, int64_t position, int64_t *base)
{
	__attribute__((cleanup(segments_clear))) struct segments s;
	int r = segments_list(dir, &s), fd;
	size_t i = 0;

	if (r < 0)
		return r;
	while (i < s.count && s.first[i] <= position)
		i++;
	if (i == 0)
		return s.count ? -ERANGE : -ENOENT;
	*base = s.first[i - 1];
	fd = segment_open_older(dir, *base);
	if (fd >= 0 && *base + size_of(fd) < position) {
		close(fd);
		return -ERANGE;
	}
	return fd;
}

int segment_open(int dir, int64_t position, int64_t *base, bool *newest)
{
	int fd = segment_open_newest(dir), older;

	if (fd < 0 && fd != -ENOENT)
		return fd;
	*newest = fd >= 0;
	if (*newest) {
		*base = segment_base(dir, fd);
		if (*base >= 0 && *base <= position && *base + size_of(fd) >= position)
			return fd;
		close(fd);
		if (*base <= position)
			return *base < 0 ? (int)*base : -ERANGE;
	}
	/* Also one that was rotated after we looked: it has its new name now. */
	older = open_older(dir, position, base);
	if (older == -ENOENT && *newest)
		return -ERANGE;
	*newest = false;
	return older;
}
