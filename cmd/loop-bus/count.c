#include "handler.h"

#include "map.h"
#include "mem.h"

/* Subjects without a failure are forgotten; so many with one are remembered at most. */
enum { SUBJECTS_MAX = 10000 };

struct counted {
	char *subject;
	int64_t failures;
};

struct counts {
	struct map by_subject;
};

static void forget(struct counts *c, const char *subject)
{
	struct counted *one = map_remove(&c->by_subject, subject);

	if (one)
		free(one->subject);
	free(one);
}

static struct counted *find(struct counts *c, const char *subject)
{
	struct counted *one = map_get(&c->by_subject, subject);

	if (one)
		return one;
	if (c->by_subject.count >= SUBJECTS_MAX)
		return NULL;
	one = mem_zero(1, sizeof *one);
	one->subject = mem_string(subject);
	return map_add(&c->by_subject, one->subject, strlen(one->subject), one);
}

/* Whether the event says that what failed before has worked. */
static bool is_success(const struct handler *h, const struct event_view *v, struct span line)
{
	struct filter kind = {.types = h->filter.types, .subjects = h->filter.subjects};
	struct span success;

	return jscan_path(line, "data.success", &success) && jscan_kind(success) == 't' &&
		filter_matches(&kind, v, line);
}

bool count_due(struct handler *h, const struct event_view *v, struct span line)
{
	AUTO_BUF struct buf subject = {0};
	struct counted *one;

	buf_add(&subject, "", 0);
	if (v->subject.n && jscan_text(v->subject, &subject) < 0)
		return false;
	if (!h->counts)
		h->counts = mem_zero(1, sizeof *h->counts);
	if (is_success(h, v, line)) {
		forget(h->counts, subject.text);
		return false;
	}
	if (!filter_matches(&h->filter, v, line))
		return false;
	one = find(h->counts, subject.text);
	if (!one || ++one->failures < h->after_failures)
		return false;
	forget(h->counts, subject.text);
	return true;
}

void count_free(struct counts *c)
{
	if (!c)
		return;
	map_each (&c->by_subject, s) {
		struct counted *one = s->value;

		free(one->subject);
		free(one);
	}
	map_clear(&c->by_subject);
	free(c);
}
