#include "feed_walk.h"

enum { ROUND_LINES = 4096 /* before the others have their turn */ };

static void walk_ring(const struct feed *f, const struct filter *filter, int64_t *position,
	feed_visit *visit, void *context)
{
	for (uint64_t n = feed_find(f, *position); n < f->last; n++) {
		const struct feed_event *event = feed_at(f, n);

		*position = event->next;
		if (event->newer || !filter_wants(filter, &event->topic))
			continue;
		if (!visit(context, &event->topic, event->line))
			return;
	}
	*position = MAX(*position, f->end);
}

static int walk_journal(const struct feed *f, const struct filter *filter, int64_t *position,
	feed_visit *visit, void *context)
{
	struct journal_reader *reader = NULL;
	struct journal_line line;
	struct topic topic;
	struct err e = {0};
	bool more = true;
	int r = journal_reader_new(&reader, f->state, JOURNAL_FROM_ID, *position, &e);

	for (int i = 0; r >= 0 && more && i < ROUND_LINES; i++) {
		if ((r = journal_read(reader, &line)) <= 0)
			break;
		if (topic_of(&topic, line.text, line.length) == 0 && filter_wants(filter, &topic))
			more = visit(context, &topic, (struct span){line.text, line.length});
	}
	if (reader)
		*position = journal_position(reader);
	journal_reader_free(reader);
	return r < 0 ? r : 0;
}

int feed_walk(const struct feed *f, const struct filter *filter, int64_t *position,
	feed_visit *visit, void *context)
{
	if (*position < f->start)
		return walk_journal(f, filter, position, visit, context);
	walk_ring(f, filter, position, visit, context);
	return 0;
}
