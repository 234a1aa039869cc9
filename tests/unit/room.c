#include "unit.h"

#include "err.h"
#include "room.h"

#include <errno.h>
#include <sys/statvfs.h>

/* The disk, as we would like it. */
static struct statvfs disk = {.f_frsize = 4096, .f_files = 1000, .f_favail = 1000};
static int answer;

int __real_statvfs(const char *, struct statvfs *);
int __wrap_statvfs(const char *, struct statvfs *);
int __wrap_statvfs(const char *path, struct statvfs *out)
{
	(void)path;
	*out = disk;
	errno = ENOENT;
	return answer;
}

static const char *const here[] = {".", NULL};

TEST(room_is_measured_in_bytes_and_names)
{
	const struct room least = {.disk = 8192};
	struct err why = {0};

	disk.f_bavail = 2;
	CHECK(!room_short(&least, here, &why));
	disk.f_bavail = 1;
	CHECK(room_short(&least, here, &why));
	CHECK_STR(why.text, ".: 4.0K free, and new work starts with 8.0K");
	disk.f_bavail = 2;
	disk.f_favail = 3;
	why.text[0] = 0;
	CHECK(room_short(&least, here, &why));
	CHECK_STR(why.text, ".: hardly a file more can be made there (no inodes)");
	disk.f_files = 0; /* a file system that does not count them */
	CHECK(!room_short(&least, here, &why));
}

TEST(room_that_cannot_be_measured_is_no_want)
{
	const char *const both[] = {"gone", ".", NULL};
	const struct room all = {.disk = INT64_MAX}, none = {0};
	struct err why = {0};

	disk.f_bavail = 1;
	CHECK(!room_short(&none, here, &why));
	CHECK(room_short(&all, both, &why));
	answer = -1;
	CHECK(!room_short(&all, both, &why));
	answer = 0;
}

TEST(room_in_memory)
{
	const struct room none = {.memory = 1}, all = {.memory = INT64_MAX};
	struct err why = {0};

	CHECK(!room_short(&none, here, &why));
	CHECK(room_short(&all, here, &why));
	CHECK(strstr(why.text, "memory: ") && strstr(why.text, "starts with 8.0E"));
}

TEST(room_is_refused_by_disks_and_quotas)
{
	CHECK(room_refused(-ENOSPC) && room_refused(-EDQUOT));
	CHECK(!room_refused(-EIO) && !room_refused(0) && !room_refused(ENOSPC));
}
