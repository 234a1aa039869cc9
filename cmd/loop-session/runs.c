#include "runs.h"

#include "id.h"
#include "io.h"
#include "jscan.h"
#include "lines.h"
#include "map.h"
#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { LINE_MAX_BYTES = 1 << 20,
	READ_ROOM = 1 << 18 };

/* The newest state of each task that has one, and who runs it. */
struct active {
	char *task;
	struct owner owner;
	bool running, succeeded, failed;
};

struct fold {
	struct run *run;
	struct owner owner; /* of the scheduler */
	struct map tasks;   /* id → struct active */
};

static void copy_text(struct span line, const char *key, char *out, size_t size)
{
	AUTO_BUF struct buf text = {0};
	struct span value;

	if (jscan_get(line, key, &value) && jscan_text(value, &text) == 0 && text.length)
		escape_text(out, size, text.text);
}

static int64_t number_of(struct span line, const char *key)
{
	struct span value;
	int64_t n;

	return jscan_get(line, key, &value) && jscan_int(value, &n) == 0 ? n : 0;
}

static bool read_owner(struct span line, struct owner *o)
{
	int64_t pid = number_of(line, "pid");

	if (pid <= 0)
		return false;
	o->pid = (pid_t)pid;
	o->start = (uint64_t)number_of(line, "start");
	copy_text(line, "boot", o->boot, sizeof o->boot);
	return true;
}

static void on_run(struct fold *f, struct span line, struct span word, int64_t time)
{
	if (jscan_is(word, "ended")) {
		copy_text(line, "state", f->run->state, sizeof f->run->state);
		return;
	}
	if (!read_owner(line, &f->owner))
		return;
	if (!f->run->started)
		f->run->started = time;
	f->run->state[0] = '\0';
	f->run->tasks = MAX(f->run->tasks, number_of(line, "tasks"));
	copy_text(line, "plan", f->run->plan, sizeof f->run->plan);
}

static struct active *find_task(struct fold *f, struct span id)
{
	struct active *a = map_get_n(&f->tasks, id.p, id.n);

	if (a)
		return a;
	a = mem_zero(1, sizeof *a);
	a->task = mem_substring(id.p, id.n);
	return map_add(&f->tasks, a->task, id.n, a);
}

static void on_task(struct fold *f, struct span line, struct span id)
{
	struct active *a = find_task(f, id);
	char state[32] = "";

	copy_text(line, "state", state, sizeof state);
	a->running = strcmp(state, "running") == 0;
	a->succeeded = strcmp(state, "succeeded") == 0;
	a->failed = strcmp(state, "failed") == 0 || strcmp(state, "errored") == 0 ||
		strcmp(state, "timed_out") == 0;
	a->owner = f->owner; /* its boot */
	if (a->running && !read_owner(line, &a->owner))
		a->running = false;
}

static void on_line(struct fold *f, const char *text, size_t length)
{
	struct span line = {text, length}, value, time;
	const char *what;
	int64_t ns = 0;
	size_t at;

	if (jscan_check(text, length, &at, &what) < 0)
		return;
	if (jscan_get(line, "time", &time) && time.n > 2 &&
		parse_rfc3339(time.p + 1, time.n - 2, &ns) == 0)
		f->run->last = ns;
	if (jscan_get(line, "run", &value))
		on_run(f, line, value, ns);
	else if (jscan_get(line, "task", &value))
		on_task(f, line, value);
}

static int read_log(struct fold *f, int fd)
{
	struct lines lines = {.max = LINE_MAX_BYTES};
	size_t length;
	char *line;
	ssize_t n;

	while ((n = io_read_some(fd, lines_room(&lines, READ_ROOM), READ_ROOM)) > 0) {
		lines_fed(&lines, (size_t)n);
		while (lines_next(&lines, &line, &length))
			on_line(f, line, length);
	}
	lines_clear(&lines);
	return (int)n;
}

static void conclude(struct fold *f)
{
	f->run->alive = !f->run->state[0] && f->owner.pid && owner_alive(&f->owner);
	map_each (&f->tasks, slot) {
		struct active *a = slot->value;

		f->run->succeeded += a->succeeded;
		f->run->failed += a->failed;
		if (a->running && owner_alive(&a->owner))
			f->run->alive = true;
		free(a->task);
		free(a);
	}
	map_clear(&f->tasks);
}

int run_read(struct run *r, const struct state *state, const char *id)
{
	AUTO_FREE char *path = mem_format("runs/%s/run.jsonl", id);
	struct fold f = {.run = r};
	int fd, code;

	*r = (struct run){0};
	if (!name_valid(id))
		return -EINVAL;
	snprintf(r->id, sizeof r->id, "%s", id);
	fd = state_file(state, path, O_RDONLY, 0);
	if (fd < 0)
		return fd;
	code = read_log(&f, fd);
	close(fd);
	conclude(&f);
	return code;
}

void runs_since(const struct state *state, int64_t since, struct strs *ids)
{
	int fd = state_file(state, "runs", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (d = readdir(dir))) {
		AUTO_FREE char *path = mem_format("%s/run.jsonl", d->d_name);
		struct stat st;

		if (name_valid(d->d_name) && fstatat(fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
			st.st_mtim.tv_sec >= since / NS_PER_S)
			strs_add(ids, d->d_name);
	}
	if (dir)
		closedir(dir);
}
