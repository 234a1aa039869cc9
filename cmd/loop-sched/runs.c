#include "runs.h"

#include "clock.h"
#include "die.h"
#include "err.h"
#include "id.h"
#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

void path_fail(int code, const char *path)
{
	die(die_status(code), "%s: %s", path, strerror(-code));
}

void runs_open(struct state *state)
{
	struct err e = {0};
	int r = state_find(state, &e);

	if (r == -ENOENT)
		die(EXIT_NO, "no runs: %s", e.text);
	if (r < 0)
		die_err(r, &e);
}

struct entry {
	struct timespec made; /* of its plan.json, which is written once */
	char *name;
};

static int by_age(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->made.tv_sec != b->made.tv_sec)
		return a->made.tv_sec < b->made.tv_sec ? -1 : 1;
	if (a->made.tv_nsec != b->made.tv_nsec)
		return a->made.tv_nsec < b->made.tv_nsec ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void add_run(int folder, const char *name, struct entry **list, size_t *count,
	size_t *capacity)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof path, "%s/plan.json", name);
	if (!name_valid(name) || fstatat(folder, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	*list = mem_grow(*list, *count, capacity, sizeof **list);
	(*list)[(*count)++] = (struct entry){st.st_mtim, mem_string(name)};
}

void runs_list(const struct state *state, struct strs *out)
{
	int fd = state_file(state, "runs", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	AUTO_FREE struct entry *list = NULL;
	size_t count = 0, capacity = 0;
	struct dirent *d;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((d = readdir(dir)))
		add_run(fd, d->d_name, &list, &count, &capacity);
	closedir(dir);
	qsort(list, count, sizeof *list, by_age);
	for (size_t i = 0; i < count; i++)
		strs_take(out, list[i].name);
}

void run_find(const struct state *state, const char *name, char id[RUN_ID_SIZE])
{
	AUTO_STRS struct strs all = {0};
	const char *found = NULL;
	int fits = 0;

	if (!name)
		name = getenv("LOOP_RUN");
	runs_list(state, &all);
	for (size_t i = 0; i < all.count; i++) {
		if (name && strncmp(all.item[i], name, strlen(name)) != 0)
			continue;
		found = all.item[i];
		if (name && strcmp(found, name) == 0) {
			fits = 1;
			break;
		}
		fits++;
	}
	if (!found)
		die(EXIT_NO, name ? "no run '%s'" : "no runs", name);
	if (name && fits > 1)
		die(EX_USAGE, "'%s' is the beginning of several runs", name);
	snprintf(id, RUN_ID_SIZE, "%s", found);
}

void run_id_new(char id[RUN_ID_SIZE])
{
	time_t now = (time_t)(clock_real() / NS_PER_S);
	struct tm tm;
	char time[32];
	uint16_t random;

	gmtime_r(&now, &tm);
	strftime(time, sizeof time, "%Y%m%dT%H%M%S", &tm);
	id_random(&random, sizeof random);
	snprintf(id, RUN_ID_SIZE, "run-%s-%04x", time, random);
}
