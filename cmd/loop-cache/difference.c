/* Two manifests compared: each is sorted but for its kinds, so lines are looked up by name. */
#include "manifest.h"

#include "jscan.h"
#include "map.h"
#include "mem.h"

/* A line's kind and name, "input \"src/a.c\"", and its digest behind them. */
struct line {
	const char *text;
	size_t named, length;
};

static bool next_line(const char **p, const char *end, struct line *l)
{
	const char *newline = *p < end ? memchr(*p, '\n', (size_t)(end - *p)) : NULL;

	if (!newline || newline - *p < DIGEST_HEX + 2)
		return false;
	*l = (struct line){*p, (size_t)(newline - *p) - DIGEST_HEX - 1, (size_t)(newline - *p)};
	*p = newline + 1;
	return true;
}

static void index_lines(const struct buf *b, struct map *by_name)
{
	const char *p = b->text, *end = p + b->length;
	struct line l;

	while (next_line(&p, end, &l))
		map_add(by_name, l.text, l.named, (void *)(uintptr_t)l.text);
}

/* The path that an input's line names. */
static char *name_of(const struct line *l)
{
	const char *quote = memchr(l->text, '"', l->named);
	AUTO_BUF struct buf b = {0};

	if (!quote ||
		jscan_text((struct span){quote, l->named - (size_t)(quote - l->text)}, &b) < 0)
		return mem_substring(l->text, l->named);
	return buf_take(&b);
}

static void describe(struct buf *words, const struct line *l, const char *what)
{
	AUTO_FREE char *name = name_of(l);
	size_t kind = (size_t)((const char *)memchr(l->text, ' ', l->named) - l->text);

	buf_add(words, l->text, kind);
	buf_format(words, "%s%s %s", *name ? " " : "", name, what);
}

struct comparison {
	struct map *other;
	const char *absent; /* what a line is that the other has not; NULL: not looked for */
	bool changes;	    /* whether those that differ are looked for */
	struct buf *words;
	size_t count;
};

static void compare(const struct buf *b, struct comparison *c)
{
	const char *p = b->text, *end = p + b->length;
	struct line l;

	while (next_line(&p, end, &l)) {
		const char *other = map_get_n(c->other, l.text, l.named);
		const char *what = NULL;

		if (!other)
			what = c->absent;
		else if (c->changes && memcmp(other, l.text, l.length) != 0)
			what = "has changed";
		if (what && c->count++ == 0)
			describe(c->words, &l, what);
	}
}

bool manifest_difference(const struct buf *before, const struct buf *now, struct buf *words)
{
	struct map old = {0}, new = {0};
	struct comparison forward = {&old, "is new", true, words, 0};
	struct comparison back = {&new, "is gone", false, words, 0};

	index_lines(before, &old);
	index_lines(now, &new);
	compare(now, &forward);
	back.count = forward.count;
	compare(before, &back);
	map_clear(&old);
	map_clear(&new);
	if (back.count > 1)
		buf_format(words, ", and %zu more", back.count - 1);
	return back.count > 0;
}

/* Whether an input, by its path, lies at or below one of the outputs. */
static bool path_within(const char *path, const struct strs *outputs)
{
	for (size_t i = 0; i < outputs->count; i++) {
		size_t n = strlen(outputs->item[i]);

		while (n > 1 && outputs->item[i][n - 1] == '/')
			n--;
		if (strncmp(path, outputs->item[i], n) == 0 && (!path[n] || path[n] == '/'))
			return true;
	}
	return false;
}

void manifest_fixed(const struct buf *lines, const struct strs *outputs, struct buf *out)
{
	const char *p = lines->text, *end = p + lines->length;
	struct line l;

	while (next_line(&p, end, &l)) {
		AUTO_FREE char *name = name_of(&l);

		if (strncmp(l.text, "input ", 6) != 0 || !path_within(name, outputs))
			buf_format(out, "%.*s\n", (int)l.length, l.text);
	}
}
