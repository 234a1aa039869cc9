/*
 * Texts are laid one behind the other and never cut: one that does not fit in
 * front of the end starts at the beginning again. So neighbours mostly touch,
 * and a client that wants all of them is sent one piece.
 */
#include "feed.h"

#include "fold.h"

#include "mem.h"

#include <errno.h>

enum { EVENTS_MAX = 16384,
	FRAME_MAX = EVENT_MAX + 512 }; /* a line with its fields' names */

int feed_open(struct feed *f, const struct state *s, size_t size, struct err *e)
{
	int r;

	*f = (struct feed){.state = s, .capacity = EVENTS_MAX};
	f->size = MAX(size, (size_t)2 * FRAME_MAX);
	r = journal_reader_new(&f->reader, s, JOURNAL_FROM_NOW, 0, e);
	if (r < 0)
		return r;
	f->text = mem_new(f->size);
	f->event = mem_zero(f->capacity, sizeof *f->event);
	f->start = f->end = journal_position(f->reader);
	return 0;
}

void feed_close(struct feed *f)
{
	if (f->reader)
		journal_reader_free(f->reader);
	free(f->text);
	free(f->event);
	fold_clear(f);
	*f = (struct feed){0};
}

const struct feed_event *feed_at(const struct feed *f, uint64_t number)
{
	return &f->event[number & (f->capacity - 1)];
}

static void drop_oldest(struct feed *f)
{
	f->start = feed_at(f, f->first)->next;
	fold_out(f, f->first);
	f->first++;
}

/* Makes room for a text behind the newest; what lies there is forgotten. */
static char *make_room(struct feed *f, size_t length)
{
	size_t from = f->head, to;
	bool wrap = from + length > f->size;

	if (wrap)
		f->head = 0;
	to = f->head + length;
	while (f->first < f->last) {
		size_t at = (size_t)(feed_at(f, f->first)->text - f->text);
		bool covered = at < to && at >= f->head;

		if (!covered && !(wrap && at >= from) && f->last - f->first < f->capacity)
			break;
		drop_oldest(f);
	}
	return f->text + f->head;
}

/* The topic of a line that was copied elsewhere. */
static struct span moved(struct span s, const char *from, const char *to)
{
	return s.n ? (struct span){to + (s.p - from), s.n} : s;
}

static struct topic topic_moved(const struct topic *t, const char *from, const char *to)
{
	return (struct topic){moved(t->type, from, to), moved(t->subject, from, to),
		moved(t->run, from, to), moved(t->session, from, to), t->folds};
}

static void keep(struct feed *f, const struct journal_line *line, int64_t next,
	const struct topic *t, const struct buf *frame)
{
	char *text = make_room(f, frame->length);
	struct feed_event *event = &f->event[f->last & (f->capacity - 1)];

	memcpy(text, frame->text, frame->length);
	f->head += frame->length;
	*event = (struct feed_event){
		.id = line->id,
		.next = next,
		.text = text,
		.length = frame->length,
		.line = {text + frame->length - 2 - line->length, line->length},
		.topic = topic_moved(t, frame->text, text),
	};
	f->urgent |= !t->folds || !f->folds;
	fold_in(f, f->last++);
}

int feed_format(const struct journal_line *line, struct topic *t, struct buf *out)
{
	struct topic own;
	size_t from;

	if (topic_of(&own, line->text, line->length) < 0)
		return -EINVAL;
	buf_str(out, "id: ");
	buf_int(out, line->id);
	buf_str(out, "\nevent: ");
	buf_add(out, own.type.p + 1, own.type.n - 2);
	buf_str(out, "\ndata: ");
	from = out->length;
	buf_add(out, line->text, line->length);
	/* White space in JSON, the end of a line in an event stream. */
	for (char *cr = out->text + from; (cr = strchr(cr, '\r'));)
		*cr = ' ';
	buf_str(out, "\n\n");
	*t = topic_moved(&own, line->text, out->text + from);
	return 0;
}

/* Places only grow; one that does not is of another journal, and all that is kept is of the old. */
static void move_end(struct feed *f, int64_t position)
{
	if (position < f->end) {
		f->first = f->last;
		fold_clear(f);
		f->start = position;
		f->rewound = true;
	}
	f->end = position;
}

int feed_pump(struct feed *f, int max)
{
	AUTO_BUF struct buf frame = {0};
	struct journal_line line;
	struct topic topic;
	int taken = 0, r = 0;

	while (taken < max && (r = journal_read(f->reader, &line)) > 0) {
		int64_t next = journal_position(f->reader);

		move_end(f, line.id);
		frame.length = 0;
		if (feed_format(&line, &topic, &frame) == 0) {
			keep(f, &line, next, &topic, &frame);
			taken++;
		}
	}
	move_end(f, journal_position(f->reader));
	return r < 0 ? r : taken;
}

uint64_t feed_find(const struct feed *f, int64_t position)
{
	uint64_t low = f->first, high = f->last;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (feed_at(f, middle)->id < position)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}
