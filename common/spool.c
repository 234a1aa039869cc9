#include "spool.h"

#include "clock.h"
#include "event.h"
#include "id.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#define FOLDER "spool"

/* In front of a record, so that each line is JSON by itself. */
static const char head[] = "{\"specversion\":\"1.0\"";

enum { FILE_MAX = 256 << 20 };

/* Writes one file; the taker removes an empty folder, perhaps just when we have opened it. */
static int put_file(const struct state *s, const char *name, const struct buf *text)
{
	for (int tries = 0;; tries++) {
		AUTO_CLOSE int dir = state_folder(s, FOLDER);
		int r = dir < 0 ? dir : io_replace(dir, name, text->text, text->length, 0600);

		if (r != -ENOENT || tries == 10)
			return r;
	}
}

int spool_put(const struct state *s, const struct span *records, size_t count)
{
	AUTO_BUF struct buf text = {0};
	char name[64];
	uint32_t random;

	for (size_t i = 0; i < count; i++) {
		buf_add(&text, head, sizeof head - 1);
		buf_add(&text, records[i].p, records[i].n);
	}
	id_random(&random, sizeof random);
	snprintf(name, sizeof name, "%020lld-%d-%08x", (long long)clock_real(), (int)getpid(),
		(unsigned)random);
	return put_file(s, name, &text);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool spool_open(struct spool *s, const struct state *state)
{
	int fd = state_file(state, FOLDER, O_RDONLY | O_DIRECTORY, 0);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	*s = (struct spool){.dir = -1};
	if (!d)
		return false;
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < 96)
			strs_add(&s->names, entry->d_name);
	s->dir = io_open(fd, ".", O_RDONLY | O_DIRECTORY, 0);
	closedir(d);
	if (s->names.count)
		qsort(s->names.item, s->names.count, sizeof *s->names.item, by_name);
	return s->dir >= 0;
}

void spool_close(struct spool *s, const struct state *state)
{
	/* Fails while something is left; one open less for the appends to come where not. */
	if (s->next == s->names.count)
		unlinkat(state->dir, FOLDER, AT_REMOVEDIR);
	close(s->dir);
	strs_clear(&s->names);
	buf_clear(&s->text);
	free(s->record);
}

/* What NAME.SKIP.POSITION says. */
static void parse_claim(struct spool *s)
{
	char name[sizeof s->name];
	char *skip, *position;
	int64_t n;

	s->skip = 0;
	s->position = -1;
	snprintf(name, sizeof name, "%s", s->name);
	skip = strchr(name, '.');
	position = skip ? strchr(skip + 1, '.') : NULL;
	if (!position)
		return;
	*position = '\0';
	if (parse_int(skip + 1, 0, (int64_t)s->count, &n) == 0 &&
		parse_int(position + 1, 0, INT64_MAX, &s->position) == 0)
		s->skip = (size_t)n;
}

/* Whether a line is what spool_put writes: anything else must not reach the journal. */
static bool line_good(const char *line, size_t n)
{
	const char *what;
	size_t at;

	return n > sizeof head + 1 && n < EVENT_MAX && memcmp(line, head, sizeof head - 1) == 0 &&
		line[sizeof head - 1] == ',' && line[n - 1] == '}' &&
		jscan_check(line, n, &at, &what) == 0;
}

static bool split(struct spool *s)
{
	const char *p = s->text.text, *end = p + s->text.length;

	for (s->count = 0; p < end; s->count++) {
		const char *newline = memchr(p, '\n', (size_t)(end - p));

		if (!newline || !line_good(p, (size_t)(newline - p)))
			return false;
		s->record = mem_grow(s->record, s->count, &s->capacity, sizeof *s->record);
		p += sizeof head - 1;
		s->record[s->count] = (struct span){p, (size_t)(newline + 1 - p)};
		p = newline + 1;
	}
	return true;
}

/* A file that is not ours: out of the way, and kept for whoever put it there. */
static void put_away(const struct spool *s)
{
	char hidden[sizeof s->name + 8];

	snprintf(hidden, sizeof hidden, ".bad-%s", s->name);
	renameat(s->dir, s->name, s->dir, hidden);
}

bool spool_next(struct spool *s)
{
	while (s->next < s->names.count) {
		int fd, r;

		snprintf(s->name, sizeof s->name, "%s", s->names.item[s->next++]);
		s->text.length = 0;
		fd = io_open(s->dir, s->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0);
		r = fd < 0 ? fd : io_read_all(fd, FILE_MAX, &s->text);
		if (fd >= 0)
			close(fd);
		if (r == 0 && split(s)) {
			parse_claim(s);
			return true;
		}
		if (r == 0 || r == -EMSGSIZE)
			put_away(s);
	}
	return false;
}

int spool_claim(struct spool *s, int64_t position)
{
	char claimed[sizeof s->name];
	int n = snprintf(claimed, sizeof claimed, "%.*s.%zu.%lld", (int)strcspn(s->name, "."),
		s->name, s->skip, (long long)position);

	if (n >= (int)sizeof claimed)
		return -ENAMETOOLONG;
	if (renameat(s->dir, s->name, s->dir, claimed) < 0)
		return -errno;
	memcpy(s->name, claimed, (size_t)n + 1);
	return io_sync_dir(s->dir);
}

void spool_done(struct spool *s)
{
	unlinkat(s->dir, s->name, 0);
}
