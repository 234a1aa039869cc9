/*
 * A group is named after the process it was made for, so that what a dead one
 * left can be told from what is about to be used.
 */
#include "proc_cgroup.h"

#include "buf.h"
#include "clock.h"
#include "io.h"
#include "mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

enum { DEPTH = 8, /* of groups within groups: supervisors start supervisors */
	GROUP_SIZE = 4096 };

/* The work's own group, NULL where none could be made. */
static char *cgroup;

static int cgroup_write(const char *name, const char *text)
{
	char path[GROUP_SIZE + 32];

	snprintf(path, sizeof path, "%s/%s", cgroup, name);
	AUTO_CLOSE int fd = io_open(AT_FDCWD, path, O_WRONLY, 0);
	return fd < 0 ? fd : io_write(fd, text, strlen(text));
}

/* Our own group's path: the line "0::/…" of /proc/self/cgroup. */
static char *own_cgroup(struct buf *text)
{
	char *line;

	if (io_read_file(AT_FDCWD, "/proc/self/cgroup", 1 << 16, text) < 0)
		return NULL;
	line = strncmp(text->text, "0::", 3) == 0 ? text->text : strstr(text->text, "\n0::");
	if (!line)
		return NULL;
	line = strchr(line, '/');
	if (line)
		line[strcspn(line, "\n")] = '\0';
	return line;
}

/* The process that a group "loop-PID" was made for, 0 for other names. */
static pid_t maker_of(const char *name)
{
	return strncmp(name, "loop-", 5) == 0 ? (pid_t)strtol(name + 5, NULL, 10) : 0;
}

/*
 * Removes a group and those of its kind in it, all of them empty: the kernel
 * keeps one in which something runs.
 */
static int remove_group(const char *path, int depth)
{
	DIR *d = depth > 0 ? opendir(path) : NULL;
	char below[GROUP_SIZE + 300];
	struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (maker_of(entry->d_name) <= 0)
			continue;
		snprintf(below, sizeof below, "%.4000s/%s", path, entry->d_name);
		remove_group(below, depth - 1);
	}
	if (d)
		closedir(d);
	return rmdir(path) < 0 ? -errno : 0;
}

/* Work that is killed with both its guards leaves an empty group: the next to start clears up. */
static void remove_stale(void)
{
	char folder[GROUP_SIZE], path[GROUP_SIZE + 300];
	struct dirent *entry;
	DIR *d;

	snprintf(folder, sizeof folder, "%s", cgroup);
	*strrchr(folder, '/') = '\0';
	d = opendir(folder);
	while (d && (entry = readdir(d))) {
		pid_t maker = maker_of(entry->d_name);

		if (maker <= 0 || maker == getpid() || kill(maker, 0) == 0 || errno != ESRCH)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		remove_group(path, DEPTH);
	}
	if (d)
		closedir(d);
}

/* A group below our own; where that is not ours to make, there is none. */
void cgroup_make(void)
{
	static const char *const mounts[] = {"/sys/fs/cgroup/unified", "/sys/fs/cgroup"};
	AUTO_BUF struct buf text = {0};
	const char *own = own_cgroup(&text);

	for (size_t i = 0; own && i < countof(mounts); i++) {
		cgroup = mem_format("%s%s/loop-%d", mounts[i], strcmp(own, "/") == 0 ? "" : own,
			(int)getpid());
		if (strlen(cgroup) < GROUP_SIZE && mkdir(cgroup, 0755) == 0) {
			/* Ours is empty yet: only to see that it can be done. */
			if (cgroup_write("cgroup.kill", "1") == 0) {
				remove_stale();
				return;
			}
			rmdir(cgroup);
		}
		free(cgroup);
		cgroup = NULL;
	}
}

/* What stays goes back to the group that we came from. */
static void cgroup_release(void)
{
	AUTO_BUF struct buf text = {0};
	char path[GROUP_SIZE + 32];

	snprintf(path, sizeof path, "%s/cgroup.procs", cgroup);
	if (io_read_file(AT_FDCWD, path, 1 << 20, &text) < 0)
		return;
	for (char *pid = text.text, *end; *pid; pid = end) {
		end = pid + strcspn(pid, "\n");
		if (*end)
			*end++ = '\0';
		cgroup_write("../cgroup.procs", pid);
	}
}

void cgroup_enter(void)
{
	if (cgroup)
		cgroup_write("cgroup.procs", "0");
}

void cgroup_end(bool keep)
{
	enum { TRIES = 100 };

	if (!cgroup)
		return;
	if (!keep)
		cgroup_write("cgroup.kill", "1");
	for (int i = 0; remove_group(cgroup, DEPTH) == -EBUSY && i < TRIES; i++) {
		if (keep)
			cgroup_release();
		else
			clock_sleep(NS_PER_MS);
	}
}
