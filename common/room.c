#include "room.h"

#include "buf.h"
#include "err.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>

enum { SIZE_TEXT = 16,
	NAMES_LEAST = 64 /* a session makes some dozens of files */ };

/* As df -h has it: 812B, 3.2M, 512M. */
static const char *size_text(char out[SIZE_TEXT], int64_t bytes)
{
	const char *unit = "BKMGTPE";
	double n = (double)bytes;

	for (; n >= 1024 && unit[1]; unit++)
		n /= 1024;
	snprintf(out, SIZE_TEXT, "%.*f%c", *unit != 'B' && n < 9.95, n, *unit);
	return out;
}

static bool folder_short(const char *folder, int64_t least, struct err *why)
{
	char left[SIZE_TEXT], wanted[SIZE_TEXT];
	struct statvfs v;
	int64_t bytes;

	if (statvfs(folder, &v) < 0)
		return false;
	bytes = (int64_t)(v.f_bavail * v.f_frsize);
	if (bytes < least)
		err_set(why, -ENOSPC, "%s: %s free, and new work starts with %s", folder,
			size_text(left, bytes), size_text(wanted, least));
	else if (v.f_files && v.f_favail < NAMES_LEAST)
		err_set(why, -ENOSPC, "%s: hardly a file more can be made there (no inodes)",
			folder);
	else
		return false;
	return true;
}

/* What the kernel takes to be available without swapping; -1 where it does not tell. */
static int64_t memory_available(void)
{
	static const char key[] = "MemAvailable:";
	AUTO_BUF struct buf text = {0};
	const char *at;

	if (io_read_file(AT_FDCWD, "/proc/meminfo", 1 << 16, &text) < 0 || !text.length)
		return -1;
	at = strstr(text.text, key);
	return at ? strtoll(at + sizeof key - 1, NULL, 10) * 1024 : -1;
}

static bool memory_short(int64_t least, struct err *why)
{
	char left[SIZE_TEXT], wanted[SIZE_TEXT];
	int64_t bytes = memory_available();

	if (bytes < 0 || bytes >= least)
		return false;
	err_set(why, -ENOMEM, "memory: %s available, and new work starts with %s",
		size_text(left, bytes), size_text(wanted, least));
	return true;
}

bool room_short(const struct room *least, const char *const folder[], struct err *why)
{
	for (size_t i = 0; least->disk && folder[i]; i++)
		if (folder_short(folder[i], least->disk, why))
			return true;
	return least->memory && memory_short(least->memory, why);
}

bool room_refused(int code)
{
	return code == -ENOSPC || code == -EDQUOT;
}
