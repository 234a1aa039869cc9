#include "history.h"

#include "conn.h"
#include "parse.h"
#include "resume.h"
#include "server.h"

#include <errno.h>

enum { EVENTS_DEFAULT = 1000,
	EVENTS_MAX = 10000,
	POLL_EVENTS = 500,
	BYTES_MAX = 4 << 20,
	LINES_MAX = 500000 /* looked at for one answer */ };

#define POLL_TIME (25 * NS_PER_S)

/* What is looked for, and what was found. */
struct search {
	const struct filter *filter;
	size_t max;
	struct buf text; /* the events with commas between them */
	size_t found;
};

static bool wanted(const struct search *s, const struct journal_line *line)
{
	struct event_view view;

	if (event_view(line->text, line->length, &view) < 0)
		return false;
	return filter_wants(s->filter, &(struct topic){view.type, view.subject, view.runid});
}

static bool full(const struct search *s)
{
	return s->found >= s->max || s->text.length >= BYTES_MAX;
}

/* From a position on; *position moves behind what was looked at. */
static int search_on(struct search *s, const struct state *state, int64_t *position)
{
	struct journal_reader *reader = NULL;
	struct journal_line line;
	struct err e = {0};
	int r = journal_reader_new(&reader, state, JOURNAL_FROM_ID, *position, &e);

	for (int i = 0; r >= 0 && i < LINES_MAX && !full(s); i++) {
		if ((r = journal_read(reader, &line)) <= 0)
			break;
		if (!wanted(s, &line))
			continue;
		buf_str(&s->text, s->found++ ? ",\n" : "");
		buf_add(&s->text, line.text, line.length);
	}
	if (reader)
		*position = journal_position(reader);
	journal_reader_free(reader);
	return r < 0 ? r : 0;
}

/* Backwards from a position; the found are turned round at the end. */
static int search_back(struct search *s, const struct state *state, int64_t position)
{
	AUTO_STRS struct strs lines = {0};
	struct journal_reader *reader = NULL;
	struct journal_line line;
	struct err e = {0};
	size_t bytes = 0;
	int r = journal_reader_new(&reader, state, JOURNAL_FROM_ID, position, &e);

	for (int i = 0; r >= 0 && i < LINES_MAX && lines.count < s->max && bytes < BYTES_MAX; i++) {
		if ((r = journal_read_back(reader, &line)) <= 0)
			break;
		if (!wanted(s, &line))
			continue;
		strs_format(&lines, "%.*s", (int)line.length, line.text);
		bytes += line.length;
	}
	journal_reader_free(reader);
	for (size_t i = lines.count; i > 0; i--) {
		buf_str(&s->text, s->found++ ? ",\n" : "");
		buf_str(&s->text, lines.item[i - 1]);
	}
	return r < 0 ? r : 0;
}

/* "next" is where the next request goes on: from=NEXT. */
static void answer(struct conn *c, const struct search *s, int64_t next)
{
	AUTO_BUF struct buf body = {0};

	buf_str(&body, "{\"events\":[");
	buf_add(&body, s->text.text, s->text.length);
	buf_format(&body, "],\"next\":\"%lld\"}\n", (long long)next);
	conn_reply_json(c, &body);
}

/* limit=N; false for what is none. */
static bool read_limit(struct span query, size_t *max)
{
	AUTO_BUF struct buf text = {0};
	int64_t value;
	int r = query_get(query, "limit", &text);

	if (r == 0)
		return true;
	if (r < 0 || parse_int(text.text, 1, EVENTS_MAX, &value) < 0)
		return false;
	*max = (size_t)value;
	return true;
}

static bool has_place(const struct request *r)
{
	AUTO_BUF struct buf text = {0};

	return query_get(r->query, "from", &text) || query_get(r->query, "after", &text);
}

/* The newest in front of the journal's end, or of before=ID; or on from a place. */
static int search(struct search *s, const struct conn *c, int64_t *next, struct err *e)
{
	const struct feed *f = &c->server->feed;
	const struct request *r = &c->intake->request;
	AUTO_BUF struct buf before = {0};
	struct resume place;
	int64_t end = f->end;

	if (!read_limit(r->query, &s->max))
		return err_set(e, -EINVAL, "limit: not a number from 1 to %d", EVENTS_MAX);
	if (has_place(r)) {
		if (resume_find(&place, f, r, e) < 0)
			return -EINVAL;
		*next = place.position;
		return search_on(s, f->state, next);
	}
	if (query_get(r->query, "before", &before) && parse_int(before.text, 0, f->end, &end) < 0)
		return err_set(e, -EINVAL, "before: '%s' is no event's id", before.text);
	*next = f->end;
	return search_back(s, f->state, end);
}

void history_answer(struct conn *c)
{
	struct search s = {.max = EVENTS_DEFAULT};
	struct filter *filter = NULL;
	struct err e = {0};
	int64_t next = 0;

	if (filter_new(&filter, c->intake->request.query, &e) < 0) {
		conn_reply_text(c, 400, e.text);
		return;
	}
	s.filter = filter;
	if (search(&s, c, &next, &e) < 0)
		conn_reply_text(c, 400, e.text[0] ? e.text : "no such place in the journal");
	else
		answer(c, &s, next);
	filter_free(filter);
	buf_clear(&s.text);
}

void poll_open(struct conn *c)
{
	const struct request *r = &c->intake->request;
	struct resume place;
	struct err e = {0};

	if (filter_new(&c->sse.filter, r->query, &e) < 0 ||
		resume_find(&place, &c->server->feed, r, &e) < 0) {
		conn_reply_text(c, 400, e.text);
		sse_close(c);
		return;
	}
	c->sse.position = place.position;
	conn_wait(c, POLL_TIME);
	poll_look(c);
}

static void poll_answer(struct conn *c, const struct search *s)
{
	answer(c, s, c->sse.position);
	sse_close(c);
}

void poll_look(struct conn *c)
{
	struct search s = {.filter = c->sse.filter, .max = POLL_EVENTS};

	if (c->sse.position != c->server->feed.end &&
		search_on(&s, c->server->state, &c->sse.position) < 0)
		c->sse.position = c->server->feed.start; /* the journal began anew */
	if (s.found)
		poll_answer(c, &s);
	buf_clear(&s.text);
}

void poll_expire(struct conn *c)
{
	poll_answer(c, &(struct search){0});
}
