#include "resume.h"

#include "parse.h"

#include <errno.h>

static int64_t oldest(const struct feed *f)
{
	struct journal_reader *reader = NULL;
	struct err e = {0};
	int64_t position = f->end;

	if (journal_reader_new(&reader, f->state, JOURNAL_FROM_START, 0, &e) < 0)
		return position;
	position = journal_position(reader);
	journal_reader_free(reader);
	return position;
}

/* The place behind the event with this id; -ENOENT if the journal has none. */
static int64_t behind(const struct feed *f, int64_t id)
{
	uint64_t number = feed_find(f, id);
	struct journal_reader *reader = NULL;
	struct err e = {0};
	struct journal_line line;
	int64_t position = -ENOENT;

	if (number < f->last && feed_at(f, number)->id == id)
		return feed_at(f, number)->next;
	if (journal_reader_new(&reader, f->state, JOURNAL_FROM_ID, id, &e) < 0)
		return position;
	if (journal_read(reader, &line) > 0 && line.id == id)
		position = journal_position(reader);
	journal_reader_free(reader);
	return position;
}

/* An event's own place, or the journal's end; -ENOENT if nothing starts there. */
static int64_t at(const struct feed *f, int64_t id)
{
	struct journal_reader *reader = NULL;
	struct err e = {0};

	if (id != f->end && journal_reader_new(&reader, f->state, JOURNAL_FROM_ID, id, &e) < 0)
		return -ENOENT;
	journal_reader_free(reader);
	return id;
}

/*
 * An id below the oldest event was rotated away; one behind the newest is of an
 * older journal, of whose successor the client has seen nothing. Both begin
 * with the oldest event there is, and the client is told.
 */
static int resolve(struct resume *out, const struct feed *f, int64_t id, bool exclusive)
{
	int64_t first;

	out->position = exclusive ? behind(f, id) : at(f, id);
	if (out->position >= 0)
		return 0;
	first = oldest(f);
	if (id >= first && id < f->end)
		return -EINVAL;
	*out = (struct resume){.position = first, .gap = true, .wanted = id};
	return 0;
}

static int resolve_text(struct resume *out, const struct feed *f, const char *what,
	const char *text, bool exclusive, struct err *e)
{
	int64_t id;

	if (parse_int(text, 0, INT64_MAX, &id) < 0)
		return err_set(e, -EINVAL, "%s: '%s' is no event's id", what, text);
	if (resolve(out, f, id, exclusive) < 0)
		return err_set(e, -EINVAL, "%s: no event has the id %s", what, text);
	return 0;
}

static int resolve_from(struct resume *out, const struct feed *f, const char *text, struct err *e)
{
	if (strcmp(text, "now") == 0)
		out->position = f->end;
	else if (strcmp(text, "start") == 0)
		out->position = oldest(f);
	else
		return resolve_text(out, f, "from", text, false, e);
	return 0;
}

int resume_at(struct resume *out, const struct feed *f, const char *after, const char *from,
	struct err *e)
{
	*out = (struct resume){.position = f->end};
	if (*after)
		return resolve_text(out, f, "after", after, true, e);
	return *from ? resolve_from(out, f, from, e) : 0;
}

int resume_find(
	struct resume *out, const struct feed *f, const struct request *r, struct err *e)
{
	const struct field *last = request_field(r, "last-event-id");
	AUTO_BUF struct buf after = {0}, from = {0};

	buf_add(&after, "", 0);
	buf_add(&from, "", 0);
	if (last && last->value.n)
		buf_add(&after, last->value.p, last->value.n);
	else if (query_get(r->query, "after", &after) < 0)
		return err_set(e, -EINVAL, "after: not plain text");
	if (query_get(r->query, "from", &from) < 0)
		return err_set(e, -EINVAL, "from: not plain text");
	return resume_at(out, f, after.text, from.text, e);
}
