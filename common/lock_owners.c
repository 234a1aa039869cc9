#include "lock_owners.h"

#include "buf.h"
#include "id.h"
#include "io.h"
#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>

/* musl has the call's number, but no function for it. */
static void signal_pidfd(int pidfd, int signal)
{
	syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

/* Any hold: of this machine, or a script's of one in Redis. */
static const struct lock_range holds = {LOCK_HOLD, LOCK_KEEPER - LOCK_HOLD};

/* "lock:\t1: OFDLCK ADVISORY  WRITE -1 08:01:5771 8796093022208 8796093022211" */
static int64_t hold_in(const char *line, struct lock_range of)
{
	long long start;

	if (sscanf(line, "lock: %*d: OFDLCK %*s WRITE %*d %*s %lld", &start) != 1)
		return 0;
	return start >= of.at && start - of.at < of.count ? start : 0;
}

/* The first of these bytes that the description owns; 0: none. */
static int64_t fdinfo_holds(int dir, const char *fd, struct lock_range of)
{
	AUTO_BUF struct buf text = {0};
	int64_t at = 0;
	char path[300];

	snprintf(path, sizeof path, "fdinfo/%s", fd);
	if (io_read_file(dir, path, 1 << 20, &text) < 0)
		return 0;
	for (const char *line = text.text; line && !at; line = strchr(line, '\n')) {
		line += *line == '\n';
		at = hold_in(line, of);
	}
	return at;
}

int64_t lock_descriptor_holds(int fd)
{
	AUTO_CLOSE int self = io_open(AT_FDCWD, "/proc/self", O_RDONLY | O_DIRECTORY, 0);
	char number[16];

	snprintf(number, sizeof number, "%d", fd);
	return self < 0 ? 0 : fdinfo_holds(self, number, holds);
}

struct search {
	struct stat file;
	struct lock_range of;
};

/* Whether the process of this folder of /proc has that hold open. */
static bool process_holds(int dir, const struct search *s)
{
	int fds = io_open(dir, "fd", O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fds < 0 ? NULL : fdopendir(fds);
	struct dirent *entry;
	bool found = false;
	struct stat st;

	while (d && !found && (entry = readdir(d)))
		found = entry->d_name[0] != '.' && fstatat(fds, entry->d_name, &st, 0) == 0 &&
			st.st_dev == s->file.st_dev && st.st_ino == s->file.st_ino &&
			fdinfo_holds(dir, entry->d_name, s->of);
	if (d)
		closedir(d);
	else if (fds >= 0)
		close(fds);
	return found;
}

/* The pidfd comes first: if the pid is another process's by then, so is what is looked at. */
static void try_process(struct lock_owners *o, int proc, const char *name, const struct search *s)
{
	pid_t pid = (pid_t)strtol(name, NULL, 10);
	int pidfd = process_open(pid);
	AUTO_CLOSE int dir = io_open(proc, name, O_RDONLY | O_DIRECTORY, 0);

	if (pidfd < 0)
		return;
	if (dir < 0 || !process_holds(dir, s)) {
		close(pidfd);
		return;
	}
	o->item = mem_grow(o->item, o->count, &o->capacity, sizeof *o->item);
	o->item[o->count++] = (struct lock_owner){.pid = pid, .pidfd = pidfd};
}

int lock_owners_find(struct lock_owners *o, int fd, struct lock_range of)
{
	struct search s = {.of = of};
	struct dirent *entry;
	DIR *d;

	*o = (struct lock_owners){0};
	if (fstat(fd, &s.file) < 0)
		return -errno;
	d = opendir("/proc");
	if (!d)
		return -errno;
	while ((entry = readdir(d)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
			strtol(entry->d_name, NULL, 10) != getpid())
			try_process(o, dirfd(d), entry->d_name, &s);
	closedir(d);
	return 0;
}

void lock_owners_signal(const struct lock_owners *o, int signal)
{
	for (size_t i = 0; i < o->count; i++)
		signal_pidfd(o->item[i].pidfd, signal);
}

void lock_owners_clear(struct lock_owners *o)
{
	for (size_t i = 0; i < o->count; i++)
		close(o->item[i].pidfd);
	free(o->item);
	*o = (struct lock_owners){0};
}
