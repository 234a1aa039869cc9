#include "unit.h"

#include "buf.h"
#include "io.h"
#include "lines.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static void write_file(const char *path, const char *text)
{
	AUTO_CLOSE int fd = io_open(AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0);
	CHECK_INT(io_write(fd, text, strlen(text)), 0);
}

static void check_file(const char *path, const char *text)
{
	AUTO_BUF struct buf b = {0};

	CHECK_INT(io_read_file(AT_FDCWD, path, 1 << 20, &b), 0);
	CHECK_STR(b.text, text);
}

static int entries(const char *folder)
{
	DIR *d = opendir(folder);
	int n = -2; /* . and .. */

	CHECK(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

TEST(io_replace_is_whole)
{
	CHECK_INT(mkdir("d", 0700), 0);
	CHECK_INT(io_replace(AT_FDCWD, "d/f", "one", 3, 0600), 0);
	CHECK_INT(io_replace(AT_FDCWD, "d/f", "two", 3, 0600), 0);
	check_file("d/f", "two");
	CHECK_INT(entries("d"), 1);
	CHECK_INT(io_replace(AT_FDCWD, "missing/f", "x", 1, 0600), -ENOENT);
}

static const struct {
	enum fault_call call;
	int errnum;
} replace_faults[] = {
	{FAULT_WRITEV, ENOSPC},
	{FAULT_FSYNC, EIO},
	{FAULT_RENAMEAT, EACCES},
	{FAULT_OPENAT, EMFILE},
};

TEST(io_replace_that_fails_leaves_the_old_file_and_nothing_else)
{
	write_file("f", "old");
	for (size_t i = 0; i < countof(replace_faults); i++) {
		fault_at(replace_faults[i].call, 1, 1, replace_faults[i].errnum);
		CHECK_INT(io_replace(AT_FDCWD, "f", "new", 3, 0600), -replace_faults[i].errnum);
		fault_none();
		check_file("f", "old");
		CHECK_INT(entries("."), 1);
	}
}

TEST(io_write_goes_on_after_short_writes_and_interruptions)
{
	AUTO_CLOSE int fd = io_open(AT_FDCWD, "f", O_WRONLY | O_CREAT, 0600);
	char a[] = "hello ", b[] = "world";
	struct iovec v[] = {{a, 6}, {b, 0}, {b, 5}};

	fault_at(FAULT_WRITEV, 1, 4, 0);
	CHECK_INT(io_writev(fd, v, 3), 0);
	fault_at(FAULT_WRITEV, 1, 3, EINTR);
	CHECK_INT(io_write(fd, "!", 1), 0);
	fault_none();
	check_file("f", "hello world!");
}

TEST(io_read_all_is_bounded)
{
	AUTO_BUF struct buf b = {0};

	write_file("f", "12345");
	CHECK_INT(io_read_file(AT_FDCWD, "f", 5, &b), 0);
	CHECK_INT(io_read_file(AT_FDCWD, "f", 4, &b), -EMSGSIZE);
	CHECK_INT(io_read_file(AT_FDCWD, "none", 4, &b), -ENOENT);
}

static void feed(struct lines *l, const char *text)
{
	size_t n = strlen(text);

	memcpy(lines_room(l, n), text, n);
	lines_fed(l, n);
}

TEST(lines_however_they_arrive)
{
	static const char whole[] = "one\n\ntwo\nthis is too long\nthree\nrest";

	for (size_t piece = 1; piece < sizeof whole; piece++) {
		struct lines l = {.max = 8};
		AUTO_BUF struct buf seen = {0};
		char *line;
		size_t n;

		for (size_t at = 0; at < sizeof whole - 1; at += piece) {
			char part[sizeof whole];

			snprintf(part, MIN(piece + 1, sizeof part), "%s", whole + at);
			feed(&l, part);
			while (lines_next(&l, &line, &n))
				buf_format(&seen, "[%.*s]", (int)n, line);
		}
		CHECK_STR(seen.text, "[one][][two][three]");
		CHECK_INT(l.oversize, 1);
		CHECK(lines_rest(&l, &line, &n));
		CHECK_INT(n, 4);
		CHECK(!lines_rest(&l, &line, &n));
		lines_clear(&l);
	}
}

TEST(lines_without_an_end_cost_bounded_memory)
{
	struct lines l = {.max = 1000};
	char *line;
	size_t n;

	for (int i = 0; i < 10000; i++) {
		feed(&l, "0123456789012345678901234567890123456789012345678901234567890123456789");
		CHECK(!lines_next(&l, &line, &n));
	}
	CHECK(l.rest.capacity < 4096);
	CHECK(!lines_rest(&l, &line, &n));
	feed(&l, "\nok\n");
	CHECK(lines_next(&l, &line, &n));
	CHECK_INT(n, 2);
	lines_clear(&l);
}
