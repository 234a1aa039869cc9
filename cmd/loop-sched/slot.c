#include "slot.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "run.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { MOVED_AFTER_MS = 50,
	PATH_SIZE = 300 };

static const char *const logs[] = {"out", "err"};

static void slot_path(char out[PATH_SIZE], const struct slot *s, const char *suffix)
{
	snprintf(out, PATH_SIZE, "slots/%u%s%s", s->number, *suffix ? "." : "", suffix);
}

static void kept_path(char out[PATH_SIZE], const struct run *r, uint32_t task, const char *suffix)
{
	snprintf(out, PATH_SIZE, "tasks/%s/%u%s%s", r->plan.task[task].id, r->node[task].attempt,
		*suffix ? "." : "", suffix);
}

static void close_parts(struct slot *s)
{
	int *const parts[] = {&s->folder, &s->out, &s->error};

	for (size_t i = 0; i < countof(parts); i++) {
		if (*parts[i] >= 0)
			close(*parts[i]);
		*parts[i] = -1;
	}
	s->made = false;
}

static int open_log(const struct run *r, const struct slot *s, const char *which)
{
	char path[PATH_SIZE];

	slot_path(path, s, which);
	return io_open(r->folder, path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
}

/* A name that is free: what a run that was killed left in its slots stays there. */
static int make_folder(struct run *r, struct slot *s)
{
	char path[PATH_SIZE];

	if (!s->number && mkdirat(r->folder, "slots", 0700) < 0 && errno != EEXIST)
		return -errno;
	for (;;) {
		if (!s->number)
			s->number = ++r->slots;
		slot_path(path, s, "");
		if (mkdirat(r->folder, path, 0700) == 0)
			return io_open(r->folder, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (errno != EEXIST)
			return -errno;
		s->number = 0;
	}
}

static off_t size_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
}

off_t slot_output(const struct slot *s)
{
	return size_of(s->out) + size_of(s->error);
}

static int make_parts(struct run *r, struct slot *s)
{
	int code = s->folder = make_folder(r, s);

	if (code >= 0)
		code = s->out = open_log(r, s, "out");
	if (code >= 0)
		code = s->error = open_log(r, s, "err");
	/* What a killed run wrote into a log of this name is nobody's. */
	if (code >= 0 && slot_output(s) && (ftruncate(s->out, 0) < 0 || ftruncate(s->error, 0) < 0))
		code = -errno;
	s->made = code >= 0;
	if (code < 0)
		close_parts(s);
	return MIN(code, 0);
}

/* Over what stands there: a file that is emptied first is on the disk when it is closed. */
static int write_task(const struct run *r, struct slot *s, uint32_t task)
{
	struct span text = r->plan.task[task].text;
	AUTO_CLOSE int fd = io_open(s->folder, "task.json", O_WRONLY | O_CREAT | O_NOFOLLOW, 0600);
	struct stat st;
	int code;

	if (fd < 0)
		return fd;
	code = io_write(fd, text.p, text.n);
	if (code < 0)
		return code;
	if (fstat(fd, &st) < 0 ||
		(st.st_size > (off_t)text.n && ftruncate(fd, (off_t)text.n) < 0))
		return -errno;
	s->task_file = st.st_ino;
	return 0;
}

int slot_take(struct run *r, struct slot *s, uint32_t task)
{
	int code = s->made ? 0 : make_parts(r, s);

	if (code == 0)
		code = write_task(r, s, task);
	s->taken = code == 0;
	s->moved = false;
	s->due = clock_after(MOVED_AFTER_MS * NS_PER_MS);
	return code;
}

/* Whether the folder holds what we put there and nothing else. */
static bool untouched(const struct slot *s)
{
	_Alignas(struct dirent64) char entries[1024];
	ssize_t n, names = 0;

	if (lseek(s->folder, 0, SEEK_SET) < 0)
		return false;
	while ((n = syscall(SYS_getdents64, s->folder, entries, sizeof entries)) > 0)
		for (ssize_t at = 0; at < n; names++) {
			const struct dirent64 *entry = (const void *)(entries + at);

			if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
				entry->d_ino != s->task_file)
				return false;
			at += entry->d_reclen;
		}
	return n == 0 && names == 3;
}

static int move_log(const struct run *r, const struct slot *s, uint32_t task, const char *which)
{
	char from[PATH_SIZE], to[PATH_SIZE];

	slot_path(from, s, which);
	kept_path(to, r, task, which);
	return renameat(r->folder, from, r->folder, to) < 0 ? -errno : 0;
}

/* The task's folder, and its object as it is known by that. */
static int make_task_folder(const struct run *r, const struct slot *s, uint32_t task)
{
	char path[PATH_SIZE];
	const char *id = r->plan.task[task].id;

	snprintf(path, sizeof path, "%s/task.json", id);
	if (mkdirat(r->tasks, id, 0700) < 0 && errno != EEXIST)
		return -errno;
	if (linkat(s->folder, "task.json", r->tasks, path, 0) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

/*
 * The folder changes places with a link to where it goes, at once: whoever knows it by
 * its old name always finds it. Where the file system cannot, it stays until the end.
 */
static void move_folder(const struct run *r, const struct slot *s, uint32_t task, bool ended)
{
	char from[PATH_SIZE], to[PATH_SIZE], link[PATH_SIZE + 4];

	slot_path(from, s, "");
	kept_path(to, r, task, "");
	snprintf(link, sizeof link, "../%s", to);
	if (ended || symlinkat(link, r->folder, to) < 0) {
		renameat(r->folder, from, r->folder, to);
		return;
	}
	if (renameat2(r->folder, from, r->folder, to, RENAME_EXCHANGE) < 0)
		unlinkat(r->folder, to, 0);
}

int slot_move(struct run *r, struct slot *s, uint32_t task)
{
	int code = make_task_folder(r, s, task);

	s->due = NS_FOREVER;
	if (code < 0)
		return code;
	for (size_t i = 0; i < countof(logs) && code == 0; i++)
		code = move_log(r, s, task, logs[i]);
	move_folder(r, s, task, false);
	s->moved = true;
	return code;
}

/* The link that led from the old name, or the folder itself where it could not be moved before. */
static void leave_folder(const struct run *r, const struct slot *s, uint32_t task)
{
	char path[PATH_SIZE];

	slot_path(path, s, "");
	if (unlinkat(r->folder, path, 0) < 0)
		move_folder(r, s, task, true);
}

/* Only what was written into is moved; what was not is the next attempt's. */
static int move_written(struct run *r, struct slot *s, uint32_t task, bool all)
{
	const int fds[] = {s->out, s->error};
	int code;

	if (!all && !slot_output(s) && untouched(s))
		return 0;
	code = make_task_folder(r, s, task);
	for (size_t i = 0; i < countof(logs) && code == 0; i++)
		if (all || size_of(fds[i]))
			code = move_log(r, s, task, logs[i]);
	move_folder(r, s, task, true);
	close_parts(s);
	return code;
}

void slot_end(struct run *r, struct slot *s, uint32_t task, bool all)
{
	int code = 0;

	if (!s->taken)
		return;
	s->taken = false;
	s->due = NS_FOREVER;
	if (s->moved) {
		leave_folder(r, s, task);
		close_parts(s);
	} else {
		code = move_written(r, s, task, all);
	}
	if (code == 0)
		return;
	errno = -code;
	warn_errno("%s/tasks/%s", r->path, r->plan.task[task].id);
}

static void remove_slot(struct run *r, struct slot *s)
{
	char path[PATH_SIZE];

	if (s->folder >= 0)
		unlinkat(s->folder, "task.json", 0);
	slot_path(path, s, "");
	unlinkat(r->folder, path, AT_REMOVEDIR);
	for (size_t i = 0; i < countof(logs); i++) {
		slot_path(path, s, logs[i]);
		unlinkat(r->folder, path, 0);
	}
	close_parts(s);
}

void slots_clear(struct run *r)
{
	for (int64_t i = 0; i < r->options.jobs; i++)
		if (r->job[i].slot.made && !r->job[i].slot.taken)
			remove_slot(r, &r->job[i].slot);
	unlinkat(r->folder, "slots", AT_REMOVEDIR);
}
