#include "filter.h"

#include "event.h"
#include "mem.h"
#include "pattern.h"

#include <errno.h>

enum { PATTERNS_MAX = 64 };

int topic_of(struct topic *t, const char *line, size_t length)
{
	struct event_view view;

	if (event_view(line, length, &view) < 0 || view.type.n < 2)
		return -EINVAL;
	*t = (struct topic){view.type, view.subject, view.runid, view.sessionid, false};
	t->folds = view.priority.n &&
		(jscan_is(view.priority, "low") || jscan_is(view.priority, "background"));
	return 0;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	strs_clear(&f->types);
	strs_clear(&f->subjects);
	strs_clear(&f->rooms);
	free(f->run);
	free(f);
}

static int add_pattern(struct strs *out, const char *name, char separator, struct span word,
	struct err *e)
{
	strs_take(out, mem_substring(word.p, word.n));
	if (!pattern_valid(out->item[out->count - 1], separator))
		return err_set(e, -EINVAL, "%s: '%.*s' is no pattern", name, (int)word.n, word.p);
	if (out->count > PATTERNS_MAX)
		return err_set(e, -EINVAL, "%s: more than %d patterns", name, PATTERNS_MAX);
	return 0;
}

/* Patterns with commas between them. */
static int add_list(struct strs *out, const char *name, char separator, struct span list,
	struct err *e)
{
	int r = 0;

	while (r == 0 && list.n)
		r = add_pattern(out, name, separator, span_cut(&list, ','), e);
	return r;
}

/* Where the members of a filter come from: 1 and their text, 0 if there is none, -EINVAL. */
typedef int source(struct span from, const char *name, struct buf *text);

/* The place of a room among those of a filter; their number where it is not there. */
static size_t room_at(const struct filter *f, const char *room)
{
	size_t i = 0;

	while (i < f->rooms.count && strcmp(f->rooms.item[i], room) != 0)
		i++;
	return i;
}

static void drop_room(struct filter *f, size_t at)
{
	struct strs left = {0};

	for (size_t i = 0; i < f->rooms.count; i++)
		if (i != at)
			strs_add(&left, f->rooms.item[i]);
	strs_clear(&f->rooms);
	f->rooms = left;
}

int filter_room(struct filter **filter, const char *room, bool in, struct err *e)
{
	struct filter *f = *filter;
	size_t at;

	if (!event_subject_valid(room))
		return err_set(e, -EINVAL, "'%s' is no room: a subject, or a run", room);
	if (!f)
		f = *filter = mem_zero(1, sizeof *f);
	at = room_at(f, room);
	if (!in && at < f->rooms.count)
		drop_room(f, at);
	else if (in && f->rooms.count >= PATTERNS_MAX)
		return err_set(e, -EINVAL, "more than %d rooms", PATTERNS_MAX);
	else if (in && at == f->rooms.count)
		strs_add(&f->rooms, room);
	return 0;
}

static int add_rooms(struct filter **f, struct span list, struct err *e)
{
	int r = 0;

	while (r == 0 && list.n) {
		struct span word = span_cut(&list, ',');
		AUTO_FREE char *room = mem_substring(word.p, word.n);

		r = filter_room(f, room, true, e);
	}
	return r;
}

static int read_filter(struct filter *f, source *get, struct span from, struct err *e)
{
	AUTO_BUF struct buf types = {0}, subjects = {0}, run = {0}, rooms = {0};
	int r;

	if (get(from, "types", &types) < 0 || get(from, "subject", &subjects) < 0 ||
		get(from, "run", &run) < 0 || get(from, "rooms", &rooms) < 0)
		return err_set(e, -EINVAL, "types, subject, run, rooms: not plain text");
	if (run.length)
		f->run = buf_take(&run);
	r = add_rooms(&f, span_of(&rooms), e);
	if (r == 0)
		r = add_list(&f->types, "types", PATTERN_TYPE, span_of(&types), e);
	if (r == 0)
		r = add_list(&f->subjects, "subject", PATTERN_SUBJECT, span_of(&subjects), e);
	return r;
}

static int filter_make(struct filter **out, source *get, struct span from, struct err *e)
{
	struct filter *f = mem_zero(1, sizeof *f);
	int r = read_filter(f, get, from, e);

	*out = f;
	if (r == 0 && (f->types.count || f->subjects.count || f->rooms.count || f->run))
		return 0;
	filter_free(f);
	*out = NULL;
	return r;
}

int filter_new(struct filter **out, struct span query, struct err *e)
{
	return filter_make(out, query_get, query, e);
}

/* An array's strings become a list. */
static int join(struct span array, struct buf *text)
{
	struct jscan walk;
	struct span key, value;
	int r = jscan_open(&walk, array);

	while (r >= 0 && (r = jscan_next(&walk, &key, &value)) > 0) {
		buf_str(text, text->length ? "," : "");
		if (jscan_text(value, text) < 0)
			return -EINVAL;
	}
	return r;
}

static int json_member(struct span object, const char *name, struct buf *text)
{
	struct span value;
	int r;

	if (!jscan_get(object, name, &value) || jscan_kind(value) == 'n')
		return 0;
	r = jscan_kind(value) == '[' ? join(value, text) : jscan_text(value, text);
	return r < 0 ? r : 1;
}

int filter_from_json(struct filter **out, struct span object, struct err *e)
{
	return filter_make(out, json_member, object, e);
}

/* A JSON string's text: where it stands if it has no escapes, else in the buffer. */
static struct span plain(struct span string, struct buf *room)
{
	if (string.n < 2)
		return (struct span){"", 0};
	if (!memchr(string.p, '\\', string.n))
		return (struct span){string.p + 1, string.n - 2};
	if (jscan_text(string, room) < 0)
		return (struct span){"", 0};
	return (struct span){room->text, room->length};
}

static bool any_matches(const struct strs *patterns, char separator, struct span string)
{
	AUTO_BUF struct buf room = {0};
	struct span text = plain(string, &room);

	for (size_t i = 0; i < patterns->count; i++)
		if (pattern_match(patterns->item[i], separator, text.p, text.n))
			return true;
	return !patterns->count;
}

/* The subject or what is under it, or the run. */
static bool in_room(const char *room, struct span subject, struct span run)
{
	size_t n = strlen(room);

	if (run.n && jscan_is(run, room))
		return true;
	return subject.n >= n && memcmp(subject.p, room, n) == 0 &&
		(subject.n == n || subject.p[n] == '/');
}

static bool in_any_room(const struct filter *f, const struct topic *t)
{
	AUTO_BUF struct buf text = {0};
	struct span subject = plain(t->subject, &text);

	for (size_t i = 0; i < f->rooms.count; i++)
		if (in_room(f->rooms.item[i], subject, t->run))
			return true;
	return !f->rooms.count;
}

bool filter_wants(const struct filter *f, const struct topic *t)
{
	if (!f)
		return true;
	if (f->run && !(t->run.n && jscan_is(t->run, f->run)))
		return false;
	return in_any_room(f, t) && any_matches(&f->types, PATTERN_TYPE, t->type) &&
		any_matches(&f->subjects, PATTERN_SUBJECT, t->subject);
}
