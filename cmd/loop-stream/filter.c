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

/* A list of patterns with commas between them. */
static int read_patterns(struct span query, const char *name, char separator, struct strs *out,
	struct err *e)
{
	AUTO_BUF struct buf text = {0};
	struct span rest;
	int r = query_get(query, name, &text);

	if (r < 0)
		return err_set(e, r, "%s: not plain text", name);
	for (rest = (struct span){text.text, text.length}; rest.n;) {
		struct span word = span_cut(&rest, ',');

		strs_take(out, mem_substring(word.p, word.n));
		if (!pattern_valid(out->item[out->count - 1], separator))
			return err_set(e, -EINVAL, "%s: '%.*s' is no pattern", name, (int)word.n,
				word.p);
		if (out->count > PATTERNS_MAX)
			return err_set(e, -EINVAL, "%s: more than %d patterns", name, PATTERNS_MAX);
	}
	return 0;
}

static int read_run(struct span query, char **out, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	int r = query_get(query, "run", &text);

	if (r < 0)
		return err_set(e, r, "run: not plain text");
	if (text.length)
		*out = buf_take(&text);
	return 0;
}

int filter_new(struct filter **out, struct span query, struct err *e)
{
	struct filter *f = mem_zero(1, sizeof *f);
	int r = read_patterns(query, "types", PATTERN_TYPE, &f->types, e);

	if (r == 0)
		r = read_patterns(query, "subject", PATTERN_SUBJECT, &f->subjects, e);
	if (r == 0)
		r = read_run(query, &f->run, e);
	*out = f;
	if (r == 0 && (f->types.count || f->subjects.count || f->run))
		return 0;
	filter_free(f);
	*out = NULL;
	return r;
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
