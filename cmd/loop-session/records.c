#include "record.h"

#include "clock.h"
#include "die.h"
#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

/* What was there before the window began, or began after it, is none of it. */
static bool in_window(const struct record *r, const struct filter *f)
{
	int64_t end = record_live(r) ? clock_real() : MAX(r->ended, r->started);

	return (!f->since || end >= f->since) && (!f->until || r->started <= f->until);
}

static bool same(const char *wanted, const char *is)
{
	return !wanted || strcmp(wanted, is) == 0;
}

static bool takes(const struct filter *f, const struct record *r)
{
	return same(f->run, r->run) && same(f->reason, r->reason) && same(f->agent, r->agent) &&
		(!f->state || f->state == 1 + (int)r->state) && in_window(r, f);
}

/* A list of thousands needs one line of the long texts at most. */
static void make_brief(struct record *r)
{
	AUTO_BUF struct buf words = {0};

	record_last_words(r, &words);
	if (words.length)
		json_object_set_new(r->result, "final",
			json_stringn_nocheck(words.text, words.length));
}

static void add_record(struct records *all, const struct state *state, const char *id,
	const struct filter *f)
{
	struct record r;

	if (!name_valid(id) || record_read(&r, state, id) < 0)
		return;
	if (!takes(f, &r)) {
		record_clear(&r);
		return;
	}
	make_brief(&r);
	all->item = mem_grow(all->item, all->count, &all->capacity, sizeof *all->item);
	all->item[all->count++] = r;
}

static int newest_first(const void *left, const void *right)
{
	const struct record *a = left, *b = right;

	if (a->started != b->started)
		return a->started > b->started ? -1 : 1;
	return strcmp(b->id, a->id);
}

static DIR *open_sessions(const struct state *state)
{
	int fd = state_file(state, "sessions", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

void records_read(struct records *all, const struct state *state, const struct filter *f)
{
	DIR *dir = open_sessions(state);
	struct dirent *d;

	while (dir && (d = readdir(dir)))
		add_record(all, state, d->d_name, f);
	if (dir)
		closedir(dir);
	if (all->count)
		qsort(all->item, all->count, sizeof *all->item, newest_first);
	while (f->most && all->count > (size_t)f->most)
		record_clear(&all->item[--all->count]);
}

void records_clear(struct records *all)
{
	for (size_t i = 0; i < all->count; i++)
		record_clear(&all->item[i]);
	free(all->item);
	*all = (struct records){0};
}

static bool begins(const char *id, const char *name)
{
	size_t n = strlen(name);

	return strncmp(id, name, n) == 0 ||
		(strncmp(id, "ses_", 4) == 0 && strncmp(id + 4, name, n) == 0);
}

static char *find_by_name(const struct state *state, const char *name)
{
	DIR *dir = open_sessions(state);
	struct dirent *d;
	char *found = NULL;
	int fits = 0;

	while (dir && (d = readdir(dir))) {
		bool whole = strcmp(d->d_name, name) == 0;

		if (!name_valid(d->d_name) || (!whole && !begins(d->d_name, name)))
			continue;
		free(found);
		found = mem_string(d->d_name);
		fits = whole ? 1 : fits + 1;
		if (whole)
			break;
	}
	if (dir)
		closedir(dir);
	if (!found)
		die(EXIT_NO, "no session '%s'", name);
	if (fits > 1)
		die(EX_USAGE, "'%s' is the beginning of several sessions", name);
	return found;
}

char *record_find(const struct state *state, const char *name)
{
	struct records all = {0};
	char *id;

	if (name && *name)
		return find_by_name(state, name);
	records_read(&all, state, &(struct filter){.most = 1});
	if (!all.count)
		die(EXIT_NO, "no sessions in %s", state->path);
	id = mem_string(all.item[0].id);
	records_clear(&all);
	return id;
}
