#include "bridge.h"

#include <errno.h>

enum { MANY = 500,
	BYTES = 4 << 20 };

int bridge_out_open(struct bridge *b, struct err *e)
{
	AUTO_BUF struct buf name = {0};
	int64_t position;
	int r;

	buf_format(&name, "bridge.%s", b->name);
	r = cursor_open(&b->cursor, &b->state, name.text, CURSOR_PATIENCE, e);
	if (r == 0 && b->cursor.fresh)
		r = journal_reader_new(&b->reader, &b->state, JOURNAL_FROM_NOW, 0, e);
	if (r < 0)
		return r;
	if (b->cursor.fresh)
		return cursor_set(&b->cursor, id_before(&b->state, journal_position(b->reader)));
	r = cursor_next(&b->cursor, &b->state, b->cursor.id, &position, e);
	if (r < 0)
		return r;
	return journal_reader_new(&b->reader, &b->state, JOURNAL_FROM_ID, position, e);
}

/* What came over a bridge stays here. */
static bool goes_out(const struct bridge *b, const struct journal_line *line)
{
	struct span text = {line->text, line->length}, place;
	struct event_view v;

	return event_view(line->text, line->length, &v) == 0 &&
		!jscan_get(text, "bridgeid", &place) && filter_matches(&b->filter, &v, text);
}

/*
 * As many as one call takes, their number in count and the last line's id, gone out
 * or not, in last; the reader's lines are lent, so they are copied. 1, 0 or -errno.
 */
static int gather(struct bridge *b, struct redis_words *w, struct buf *text, size_t *count,
	int64_t *last)
{
	size_t end[MANY], n = 0;
	struct journal_line line;
	int64_t id[MANY];
	int more = 0;

	while (n < MANY && text->length < BYTES &&
		(more = journal_read(b->reader, &line)) > 0) {
		*last = line.id;
		if (!goes_out(b, &line))
			continue;
		buf_add(text, line.text, line.length);
		id[n] = line.id;
		end[n++] = text->length;
	}
	for (size_t i = 0; i < n; i++) {
		size_t begin = i ? end[i - 1] : 0;

		redis_number(w, id[i]);
		redis_bytes(w, text->text + begin, end[i] - begin);
	}
	*count = n;
	return more;
}

int bridge_out(struct bridge *b, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	struct redis_words w = {0};
	redisReply *reply = NULL;
	int64_t last = -1;
	size_t count;
	int more, r = 0;

	redis_word(&w, "FCALL");
	redis_word(&w, "lb1_put");
	redis_word(&w, "1");
	redis_word(&w, b->stream);
	redis_word(&w, b->host);
	redis_number(&w, b->keep);
	more = gather(b, &w, &text, &count, &last);
	if (count)
		r = bridge_call(b, &w, &reply, e);
	redis_words_clear(&w);
	if (reply)
		freeReplyObject(reply);
	if (r == 0 && last >= 0)
		r = cursor_set(&b->cursor, last);
	return r < 0 ? r : more;
}
