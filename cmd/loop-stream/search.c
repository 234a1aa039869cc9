/*
 * Looking through a long journal takes a while, so there is a bound to the
 * lines that one search looks at: who wants to go on does so from where it ended.
 */
#include "search.h"

#include "mem.h"
#include "parse.h"

#include <errno.h>

enum { EVENTS_DEFAULT = 1000,
	EVENTS_MAX = 10000,
	BYTES_MAX = 4 << 20,
	LINES_MAX = 500000 /* looked at for one answer */ };

static bool wanted(const struct search *s, const struct journal_line *line)
{
	struct topic topic;

	return topic_of(&topic, line->text, line->length) == 0 && filter_wants(s->filter, &topic);
}

static bool full(const struct search *s)
{
	return s->found >= s->max || s->text.length >= BYTES_MAX;
}

bool search_take(struct search *s, struct span line)
{
	buf_str(&s->text, s->found++ ? ",\n" : "");
	buf_add(&s->text, line.p, line.n);
	return !full(s);
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
		if (wanted(s, &line))
			search_take(s, (struct span){line.text, line.length});
	}
	s->more = r > 0;
	if (reader)
		*position = journal_position(reader);
	journal_reader_free(reader);
	return r < 0 ? r : 0;
}

/*
 * Backwards from the position, or from the end that the journal has now; the found are turned
 * round at the end.
 */
static int search_back(struct search *s, const struct state *state)
{
	enum journal_from from = s->before ? JOURNAL_FROM_ID : JOURNAL_FROM_NOW;
	AUTO_STRS struct strs lines = {0};
	struct journal_reader *reader = NULL;
	struct journal_line line;
	struct err e = {0};
	size_t bytes = 0;
	int r = journal_reader_new(&reader, state, from, s->position, &e);

	if (r >= 0 && !s->before)
		s->next = journal_position(reader);
	for (int i = 0; r >= 0 && i < LINES_MAX && lines.count < s->max && bytes < BYTES_MAX; i++) {
		if ((r = journal_read_back(reader, &line)) <= 0)
			break;
		if (!wanted(s, &line))
			continue;
		strs_format(&lines, "%.*s", (int)line.length, line.text);
		bytes += line.length;
	}
	s->more = r > 0;
	if (s->more)
		s->older = journal_position(reader);
	journal_reader_free(reader);
	for (size_t i = lines.count; i > 0; i--) {
		buf_str(&s->text, s->found++ ? ",\n" : "");
		buf_str(&s->text, lines.item[i - 1]);
	}
	return r < 0 ? r : 0;
}

void search_found(const struct search *s, int64_t next, struct buf *out)
{
	buf_str(out, "\"events\":[");
	buf_add(out, s->text.text, s->text.length);
	buf_format(out, "],\"next\":\"%lld\"", (long long)next);
	if (s->more)
		buf_format(out, ",\"more\":{\"%s\":\"%lld\"}", s->back ? "before" : "from",
			(long long)(s->back ? s->older : next));
	buf_char(out, '}');
}

/* What is asked for, by name; where it comes from is another's to know. */
struct wish {
	struct buf limit, before, after, from;
};

static void wish_clear(struct wish *w)
{
	buf_clear(&w->limit);
	buf_clear(&w->before);
	buf_clear(&w->after);
	buf_clear(&w->from);
}

static bool read_wish(struct wish *w, int (*get)(struct span, const char *, struct buf *),
	struct span from)
{
	struct buf *const text[] = {&w->limit, &w->before, &w->after, &w->from};
	static const char *const names[] = {"limit", "before", "after", "from"};

	for (size_t i = 0; i < countof(names); i++) {
		buf_add(text[i], "", 0);
		if (get(from, names[i], text[i]) < 0)
			return false;
	}
	return true;
}

/* What is looked for, where: settled while the feed stands still. */
static int plan(struct search *s, const struct feed *f, const struct wish *w, struct err *e)
{
	int64_t limit = EVENTS_DEFAULT;
	struct resume place;

	s->position = f->end;
	if (w->limit.length && parse_int(w->limit.text, 1, EVENTS_MAX, &limit) < 0)
		return err_set(e, -EINVAL, "limit: not a number from 1 to %d", EVENTS_MAX);
	if (w->before.length && parse_int(w->before.text, 0, f->end, &s->position) < 0)
		return err_set(e, -EINVAL, "before: '%s' is no event's id", w->before.text);
	s->before = w->before.length > 0;
	s->max = (size_t)limit;
	s->next = f->end;
	s->back = !w->after.length && !w->from.length;
	if (s->back)
		return 0;
	if (resume_at(&place, f, w->after.text, w->from.text, e) < 0)
		return -EINVAL;
	s->position = place.position;
	return 0;
}

/* The newest in front of a place, or on from there. */
int search_run(struct search *s, const struct state *state, struct err *e)
{
	if (s->back)
		return search_back(s, state) < 0
			? err_set(e, -EINVAL, "before: no event has this id")
			: 0;
	s->next = s->position;
	return search_on(s, state, &s->next) < 0 ? err_set(e, -EIO, "the journal cannot be read")
						 : 0;
}

void search_free(struct search *s)
{
	if (!s)
		return;
	filter_free(s->filter);
	buf_clear(&s->text);
	free(s);
}

struct search *search_of_query(const struct feed *f, struct span query, struct err *e)
{
	struct search *s = mem_zero(1, sizeof *s);
	AUTO(wish_clear)
	struct wish wish = {0};

	if (!read_wish(&wish, query_get, query))
		err_set(e, -EINVAL, "the query is not plain text");
	else if (filter_new(&s->filter, query, e) == 0 && plan(s, f, &wish, e) == 0)
		return s;
	search_free(s);
	return NULL;
}

/* A member as text: of a string, or of a number as it stands. */
static int member(struct span object, const char *name, struct buf *text)
{
	struct span value;

	if (!jscan_get(object, name, &value) || jscan_kind(value) == 'n')
		return 0;
	if (jscan_kind(value) == '0')
		return buf_add(text, value.p, value.n), 1;
	return jscan_text(value, text) < 0 ? -EINVAL : 1;
}

struct search *search_of_json(const struct feed *f, struct span object, struct err *e)
{
	struct search *s = mem_zero(1, sizeof *s);
	AUTO(wish_clear)
	struct wish wish = {0};

	if (!read_wish(&wish, member, object))
		err_set(e, -EINVAL, "not plain text");
	else if (filter_from_json(&s->filter, object, e) == 0 && plan(s, f, &wish, e) == 0)
		return s;
	search_free(s);
	return NULL;
}

int search_place(struct resume *place, const struct feed *f, struct span object, struct err *e)
{
	AUTO(wish_clear)
	struct wish wish = {0};

	if (!read_wish(&wish, member, object))
		return err_set(e, -EINVAL, "from, after: not plain text");
	return resume_at(place, f, wish.after.text, wish.from.text, e);
}
