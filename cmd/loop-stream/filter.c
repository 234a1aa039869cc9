#include "filter.h"

#include "mem.h"
#include "pattern.h"

#include <errno.h>

enum { PATTERNS_MAX = 64 };

void filter_free(struct filter *f)
{
	if (!f)
		return;
	strs_clear(&f->types);
	strs_clear(&f->subjects);
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

static int read_filter(struct filter *f, source *get, struct span from, struct err *e)
{
	AUTO_BUF struct buf types = {0}, subjects = {0}, run = {0};
	int r;

	if (get(from, "types", &types) < 0 || get(from, "subject", &subjects) < 0 ||
		get(from, "run", &run) < 0)
		return err_set(e, -EINVAL, "types, subject, run: not plain text");
	if (run.length)
		f->run = buf_take(&run);
	r = add_list(&f->types, "types", PATTERN_TYPE, (struct span){types.text, types.length}, e);
	if (r < 0)
		return r;
	return add_list(&f->subjects, "subject", PATTERN_SUBJECT,
		(struct span){subjects.text, subjects.length}, e);
}

static int filter_make(struct filter **out, source *get, struct span from, struct err *e)
{
	struct filter *f = mem_zero(1, sizeof *f);
	int r = read_filter(f, get, from, e);

	*out = f;
	if (r == 0 && (f->types.count || f->subjects.count || f->run))
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

bool filter_wants(const struct filter *f, const struct topic *t)
{
	if (!f)
		return true;
	if (f->run && !(t->run.n && jscan_is(t->run, f->run)))
		return false;
	return any_matches(&f->types, PATTERN_TYPE, t->type) &&
		any_matches(&f->subjects, PATTERN_SUBJECT, t->subject);
}
