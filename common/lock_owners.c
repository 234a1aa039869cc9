#include "owners.h"

#include "buf.h"
#include "id.h"
#include "io.h"
#include "lock_bytes.h"
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

/* "lock:\t1: OFDLCK ADVISORY  WRITE -1 08:01:5771 8796093022208 8796093022211" */
static bool is_hold(const char *line, int64_t ticket)
{
	long long start;

	if (sscanf(line, "lock: %*d: OFDLCK %*s WRITE %*d %*s %lld", &start) != 1)
		return false;
	return ticket ? start == LOCK_HOLD + ticket : start >= LOCK_HOLD;
}

static bool fdinfo_holds(int dir, const char *fd, int64_t ticket)
{
	AUTO_BUF struct buf text = {0};
	char path[300];

	snprintf(path, sizeof path, "fdinfo/%s", fd);
	if (io_read_file(dir, path, 1 << 20, &text) < 0)
		return false;
	for (const char *line = text.text; *line; line += strcspn(line, "\n") + 1) {
		if (is_hold(line, ticket))
			return true;
		if (!strchr(line, '\n'))
			return false;
	}
	return false;
}

bool descriptor_holds(int fd)
{
	AUTO_CLOSE int self = io_open(AT_FDCWD, "/proc/self", O_RDONLY | O_DIRECTORY, 0);
	char number[16];

	snprintf(number, sizeof number, "%d", fd);
	return self >= 0 && fdinfo_holds(self, number, 0);
}

struct search {
	struct stat file;
	int64_t ticket;
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
			fdinfo_holds(dir, entry->d_name, s->ticket);
	if (d)
		closedir(d);
	else if (fds >= 0)
		close(fds);
	return found;
}

/* The pidfd comes first: if the pid is another process's by then, so is what is looked at. */
static void try_process(struct owners *o, int proc, const char *name, const struct search *s)
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

int owners_find(struct owners *o, const struct state *state, const char *name, int64_t ticket)
{
	struct search s = {.ticket = ticket};
	struct dirent *entry;
	char path[160];
	DIR *d;

	*o = (struct owners){0};
	snprintf(path, sizeof path, "locks/%s.lk", name);
	if (fstatat(state->dir, path, &s.file, AT_SYMLINK_NOFOLLOW) < 0)
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

void owners_signal(const struct owners *o, int signal)
{
	for (size_t i = 0; i < o->count; i++)
		signal_pidfd(o->item[i].pidfd, signal);
}

void owners_clear(struct owners *o)
{
	for (size_t i = 0; i < o->count; i++)
		close(o->item[i].pidfd);
	free(o->item);
	*o = (struct owners){0};
}
