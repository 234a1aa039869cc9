/*
 * Trees of processes: found by walking /proc, because a process may leave its
 * group, its session and its parents, but not its nearest subreaper.
 */
#include "proc_tree.h"

#include "buf.h"
#include "io.h"
#include "mem.h"
#include "proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>

bool pids_has(const pid_t *item, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (item[i] == pid)
			return true;
	return false;
}

void pids_add(struct pids *p, pid_t pid)
{
	p->item = mem_grow(p->item, p->count, &p->capacity, sizeof *p->item);
	p->item[p->count++] = pid;
}

static const char stat_fields[] = " %c %d %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %lld %lld"
				  " %*s %*s %d %*s %llu";

int status_read(pid_t pid, struct status *s)
{
	char path[40], text[1024], *open, *close;
	unsigned long long user, kernel, start;
	long long waited_user, waited_system;
	int parent;
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	AUTO_CLOSE int fd = io_open(AT_FDCWD, path, O_RDONLY, 0);
	if (fd < 0)
		return -ESRCH;
	n = io_read_some(fd, text, sizeof text - 1);
	if (n <= 0)
		return -ESRCH;
	text[n] = '\0';
	open = strchr(text, '(');
	close = strrchr(text, ')');
	if (!open || !close ||
		sscanf(close + 1, stat_fields, &s->state, &parent, &user, &kernel, &waited_user,
			&waited_system, &s->threads, &start) != 8)
		return -ESRCH;
	snprintf(s->name, sizeof s->name, "%.*s", (int)(close - open - 1), open + 1);
	s->parent = parent;
	s->start = start;
	s->ticks = user + kernel + (uint64_t)waited_user + (uint64_t)waited_system;
	return 0;
}

bool status_ended(const struct status *s)
{
	return s->state == 'X' || (s->state == 'Z' && s->threads <= 1);
}

/* The number that a name of /proc is, 0 for the others. */
pid_t proc_parent(pid_t pid)
{
	struct status s;

	return status_read(pid, &s) < 0 ? 0 : s.parent;
}

static pid_t as_pid(const char *name)
{
	return isdigit((unsigned char)*name) ? (pid_t)strtol(name, NULL, 10) : 0;
}

void each_process(void (*visit)(pid_t, void *), void *context)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (as_pid(entry->d_name))
			visit(as_pid(entry->d_name), context);
	if (d)
		closedir(d);
}

struct search {
	pid_t parent;
	struct pids *out;
};

static void add_child(pid_t pid, void *context)
{
	struct search *s = context;
	struct status status;

	if (status_read(pid, &status) == 0 && status.parent == s->parent)
		pids_add(s->out, pid);
}

static void add_numbers(char *text, struct pids *out)
{
	char *end;

	for (;; text = end) {
		long pid = strtol(text, &end, 10);

		if (end == text)
			return;
		pids_add(out, (pid_t)pid);
	}
}

static void children_of_thread(int tasks, const char *thread, struct pids *out)
{
	AUTO_BUF struct buf text = {0};
	char path[300];

	snprintf(path, sizeof path, "%s/children", thread);
	if (io_read_file(tasks, path, 1 << 20, &text) == 0)
		add_numbers(text.text, out);
}

bool children_listed(void)
{
	static atomic_int listed = -1;

	if (listed < 0)
		listed = access("/proc/thread-self/children", R_OK) == 0;
	return listed;
}

pid_t pid_last(void)
{
	AUTO_BUF struct buf text = {0};
	int pid = 0;

	if (io_read_file(AT_FDCWD, "/proc/loadavg", 4096, &text) < 0 ||
		sscanf(text.text, "%*s %*s %*s %*s %d", &pid) != 1)
		return 0;
	return pid;
}

void children_of(pid_t pid, struct pids *out)
{
	struct dirent *entry;
	char path[40];
	DIR *d;

	if (!children_listed()) {
		each_process(add_child, &(struct search){pid, out});
		return;
	}
	snprintf(path, sizeof path, "/proc/%d/task", (int)pid);
	d = opendir(path);
	while (d && (entry = readdir(d)))
		if (as_pid(entry->d_name))
			children_of_thread(dirfd(d), entry->d_name, out);
	if (d)
		closedir(d);
}

/* The processes of a tree, parents first. */
static void tree_of(pid_t pid, struct pids *tree)
{
	if (pid)
		pids_add(tree, pid);
	else
		children_of(getpid(), tree);
	for (size_t i = 0; i < tree->count; i++)
		children_of(tree->item[i], tree);
}

int64_t proc_tree_cpu(pid_t pid)
{
	struct pids tree = {0};
	uint64_t ticks = 0;
	struct status s;

	tree_of(pid, &tree);
	for (size_t i = 0; i < tree.count; i++)
		if (status_read(tree.item[i], &s) == 0)
			ticks += s.ticks;
	free(tree.item);
	return (int64_t)(ticks * (uint64_t)NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

static int64_t resident_pages(pid_t pid)
{
	AUTO_BUF struct buf text = {0};
	char path[40];
	long long pages = 0;

	snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
	if (io_read_file(AT_FDCWD, path, 4096, &text) < 0 ||
		sscanf(text.text, "%*s %lld", &pages) != 1)
		return 0;
	return pages;
}

int64_t proc_tree_memory(pid_t pid)
{
	struct pids tree = {0};
	int64_t pages = 0;

	tree_of(pid, &tree);
	for (size_t i = 0; i < tree.count; i++)
		pages += resident_pages(tree.item[i]);
	free(tree.item);
	return pages * sysconf(_SC_PAGESIZE);
}

size_t proc_descendants(pid_t pid, pid_t *out, size_t max)
{
	size_t n = 0;

	out[n++] = pid;
	for (size_t i = 0; i < n && n < max; i++) {
		struct pids below = {0};

		children_of(out[i], &below);
		for (size_t k = 0; k < below.count && n < max; k++)
			out[n++] = below.item[k];
		free(below.item);
	}
	return n;
}
