#include "count.h"

#include "buf.h"
#include "io.h"
#include "jscan.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>

/* Subjects without a failure are forgotten; so many with one are remembered at most. */
enum { SUBJECTS_MAX = 10000,
	LINES_SPARE = 1000,
	FILE_MAX = 64 << 20 };

struct counted {
	char *subject;
	int64_t failures;
};

int64_t counts_get(const struct counts *c, const char *subject)
{
	const struct counted *one = map_get(&c->by_subject, subject);

	return one ? one->failures : 0;
}

static void forget(struct counts *c, const char *subject)
{
	struct counted *one = map_remove(&c->by_subject, subject);

	if (one)
		free(one->subject);
	free(one);
}

bool counts_set(struct counts *c, const char *subject, int64_t failures)
{
	struct counted *one = map_get(&c->by_subject, subject);

	if (!failures) {
		forget(c, subject);
		return true;
	}
	if (!one && c->by_subject.count >= SUBJECTS_MAX)
		return false;
	if (!one) {
		one = mem_zero(1, sizeof *one);
		one->subject = mem_string(subject);
		map_add(&c->by_subject, one->subject, strlen(one->subject), one);
	}
	one->failures = failures;
	return true;
}

static void add_line(struct buf *b, int64_t id, const char *subject, int64_t failures)
{
	buf_format(b, "{\"at\":%lld,\"subject\":", (long long)id);
	buf_json(b, subject, strlen(subject));
	buf_format(b, ",\"failures\":%lld}\n", (long long)failures);
}

/* One line of the file: taken in where it is of that event or before; else whether it is good. */
static bool take_line(struct counts *c, struct span line, int64_t as_of)
{
	AUTO_BUF struct buf subject = {0};
	struct span at, text, failures;
	int64_t id, count;
	const char *what;
	size_t where;

	if (jscan_check(line.p, line.n, &where, &what) < 0 || !jscan_get(line, "at", &at) ||
		!jscan_get(line, "subject", &text) || !jscan_get(line, "failures", &failures) ||
		jscan_int(at, &id) < 0 || jscan_int(failures, &count) < 0 ||
		jscan_text(text, &subject) < 0)
		return false;
	if (id > as_of)
		return true;
	counts_set(c, subject.text, MAX(count, INT64_C(0)));
	return false;
}

/* The file's counts as of an event; what it says of later ones as it stands. */
static int read_counts(struct counts *c, int64_t as_of, struct buf *later)
{
	AUTO_BUF struct buf text = {0};
	const char *p, *end, *newline;
	int r = io_read_file(c->state->dir, c->path, FILE_MAX, &text);

	buf_add(&text, "", 0); /* there is a text, if an empty one */
	for (p = text.text, end = p + text.length; p < end; p = newline + 1) {
		newline = memchr(p, '\n', (size_t)(end - p));
		if (!newline)
			break; /* torn by a kill */
		if (take_line(c, (struct span){p, (size_t)(newline - p)}, as_of))
			buf_add(later, p, (size_t)(newline + 1 - p));
	}
	return r;
}

/* Writes the file anew: the counts as of an event, and what comes behind. */
static int write_counts(struct counts *c, const struct counts *as_of, int64_t id,
	const struct buf *later)
{
	AUTO_BUF struct buf text = {0};
	int r;

	map_each (&as_of->by_subject, s)
		add_line(&text, id, s->key, ((const struct counted *)s->value)->failures);
	buf_add(&text, later->text, later->length);
	c->lines = 0;
	for (size_t i = 0; i < text.length; i++)
		c->lines += text.text[i] == '\n';
	c->lines_max = 2 * c->lines + LINES_SPARE;
	r = io_replace(c->state->dir, c->path, text.text, text.length, 0600);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = r < 0 ? r : state_file(c->state, c->path, O_WRONLY | O_APPEND, 0);
	return MIN(c->fd, 0);
}

int counts_load(struct counts *c, const struct state *s, const char *name, int64_t as_of)
{
	AUTO_BUF struct buf later = {0};
	AUTO_CLOSE int folder = state_folder(s, "counts");
	int r;

	if (folder < 0)
		return folder;
	c->state = s;
	c->path = mem_format("counts/%s.jsonl", name);
	r = read_counts(c, as_of, &later);
	if (r < 0 && r != -ENOENT)
		return r;
	later.length = 0;
	return write_counts(c, c, as_of, &later);
}

static int write_anew(struct counts *c, int64_t behind)
{
	struct counts then = {.state = c->state, .path = c->path, .fd = -1};
	AUTO_BUF struct buf later = {0};
	int r = read_counts(&then, behind, &later);

	if (r == 0)
		r = write_counts(c, &then, behind, &later);
	then.path = NULL;
	counts_clear(&then);
	return r;
}

int counts_note(struct counts *c, const char *subject, int64_t id, int64_t behind)
{
	AUTO_BUF struct buf line = {0};
	int r;

	if (c->fd < 0)
		return c->fd;
	add_line(&line, id, subject, counts_get(c, subject));
	r = io_write(c->fd, line.text, line.length);
	if (r == 0 && ++c->lines > c->lines_max)
		r = write_anew(c, behind);
	return r;
}

void counts_clear(struct counts *c)
{
	map_each (&c->by_subject, s) {
		struct counted *one = s->value;

		free(one->subject);
		free(one);
	}
	map_clear(&c->by_subject);
	if (c->fd >= 0)
		close(c->fd);
	free(c->path);
	*c = (struct counts){.fd = -1};
}
