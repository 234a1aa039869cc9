#include "count.h"

#include "handler.h"

#include "die.h"
#include "mem.h"

/* Whether the event says that what failed before has worked. */
static bool is_success(const struct handler *h, const struct event_view *v, struct span line)
{
	struct filter kind = {.types = h->filter.types, .subjects = h->filter.subjects};
	struct span success;

	return jscan_path(line, "data.success", &success) && jscan_kind(success) == 't' &&
		filter_matches(&kind, v, line);
}

static void change(struct handler *h, const char *subject, int64_t failures, int64_t id)
{
	static bool warned;
	int r;

	if (counts_get(h->counts, subject) == failures || !counts_set(h->counts, subject, failures))
		return;
	r = counts_note(h->counts, subject, id, h->cursor.id);
	if (r < 0 && !warned) {
		warned = true;
		warn("counts/%s.jsonl: %s", h->name, strerror(-r));
	}
}

void count_open(struct handler *h, const struct state *s)
{
	int r;

	if (h->counts || !h->after_failures)
		return;
	h->counts = mem_zero(1, sizeof *h->counts);
	h->counts->fd = -1;
	r = counts_load(h->counts, s, h->name, h->cursor.id);
	if (r < 0)
		warn("counts/%s.jsonl: %s; counted from now on", h->name, strerror(-r));
}

bool count_due(struct handler *h, const struct event_view *v, const struct journal_line *l)
{
	AUTO_BUF struct buf subject = {0};
	struct span line = {l->text, l->length};
	int64_t failures;

	buf_add(&subject, "", 0);
	if (v->subject.n && jscan_text(v->subject, &subject) < 0)
		return false;
	if (is_success(h, v, line)) {
		change(h, subject.text, 0, l->id);
		return false;
	}
	if (!filter_matches(&h->filter, v, line))
		return false;
	failures = counts_get(h->counts, subject.text) + 1;
	change(h, subject.text, failures < h->after_failures ? failures : 0, l->id);
	return failures >= h->after_failures;
}

void count_free(struct counts *c)
{
	if (c)
		counts_clear(c);
	free(c);
}
