/* What becomes of claimed items, and what people do to items by hand. */
#include "queue_file.h"

#include <errno.h>

/* The lease is this token's, and has not run out. */
static bool holds(const struct queue_file *f, const struct item_line *l, const char *token)
{
	return l->state == ITEM_CLAIMED && strcmp(l->token, token) == 0 && l->due > file_now(f);
}

static void set_done(struct queue_file *f, int64_t place, struct item_line *l)
{
	key_done(f, place, l);
	l->state = ITEM_DONE;
	l->token[0] = '\0';
	l->due = 0;
}

static void set_nacked(struct queue_file *f, struct settle *s, struct item_line *l)
{
	int64_t delay = s->delay < 0 ? queue_retry_delay(l->tries) : s->delay;

	if (s->priority >= 0)
		l->priority = s->priority;
	if (s->uncounted)
		l->tries = MAX(l->tries - 1, 0);
	s->buried = item_fail(l, file_now(f), to_ms(delay));
}

static void set_buried(struct settle *s, struct item_line *l)
{
	l->state = ITEM_BURIED;
	l->token[0] = '\0';
	l->due = 0;
	s->buried = true;
}

static void set_lease(const struct queue_file *f, const struct settle *s, struct item_line *l)
{
	if (s->lease)
		l->lease = to_ms(s->lease);
	l->due = file_now(f) + l->lease;
}

static int settle_item(struct queue_file *f, enum settling how, struct settle *s, int64_t place,
	struct item_line *l, struct err *e)
{
	s->tries = l->tries;
	switch (how) {
	case SETTLE_ACK: set_done(f, place, l); break;
	case SETTLE_NACK: set_nacked(f, s, l); break;
	case SETTLE_BURY: set_buried(s, l); break;
	case SETTLE_TOUCH: set_lease(f, s, l); break;
	}
	if (s->why)
		note_add(f, place, s->tries, s->why);
	return block_change(f, place, l, e);
}

/* Of items in a row that are in one block: all under one lock. */
struct batch {
	struct queue_file *f;
	bool open, sync;
	int64_t number;
};

static int close_batch(struct batch *b, struct err *e)
{
	int r = 0, closed;

	if (!b->open)
		return 0;
	b->open = false;
	if (b->sync)
		r = block_sync(b->f, e);
	closed = block_close(b->f, e);
	return MIN(r, closed);
}

/* The block of the item is open afterwards, or s->result says why not. */
static int open_batch(
	struct batch *b, struct settle *s, int64_t *place, struct item_line *l, struct err *e)
{
	int64_t number;
	int r;

	s->result = -ENOENT;
	if (id_parse(s->id, &number, place) < 0)
		return 0;
	if (b->open && number == b->number) {
		if (*place < b->f->block.line.items &&
			item_line_parse(block_text(&b->f->block, *place), l) &&
			l->state != ITEM_DONE)
			s->result = 0;
		return 0;
	}
	r = close_batch(b, e);
	if (r == 0)
		r = item_open(b->f, s->id, place, l, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	b->open = true;
	b->number = number;
	s->result = 0;
	return 0;
}

static int settle_next(struct batch *b, enum settling how, struct settle *s, struct err *e)
{
	struct item_line l;
	int64_t place;
	int r = open_batch(b, s, &place, &l, e);

	if (r < 0 || s->result < 0)
		return r;
	if (!holds(b->f, &l, s->token)) {
		s->result = -EPERM;
		return 0;
	}
	return settle_item(b->f, how, s, place, &l, e);
}

int file_settle(struct queue *q, enum settling how, struct settle *s, size_t count, bool sync,
	struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	struct batch b = {.f = f, .sync = sync};
	int r = 0, closed;

	for (size_t i = 0; r == 0 && i < count; i++)
		r = settle_next(&b, how, &s[i], e);
	closed = close_batch(&b, e);
	r = MIN(r, closed);
	keys_release(f);
	for (size_t i = 0; r == 0 && i < count; i++)
		if (s[i].result == 0 && s[i].buried)
			queue_tell_buried(q, s[i].id, s[i].tries, s[i].why);
	if (r == 0 && how != SETTLE_ACK && how != SETTLE_TOUCH)
		file_wake(f);
	return r;
}

/* What kick and purge do to the items of one block. */
struct by_hand {
	struct queue_file *f;
	unsigned states;
	int64_t left;
	bool remove, reset;
	int64_t changed;
	struct err *err;
};

static int change_item(struct by_hand *h, int64_t place, struct item_line *l)
{
	if (h->remove) {
		set_done(h->f, place, l);
	} else {
		if (l->state == ITEM_BURIED && l->max_tries && l->tries >= l->max_tries)
			l->tries = l->max_tries - 1;
		if (h->reset)
			l->tries = 0;
		l->state = ITEM_READY;
		l->due = file_now(h->f);
	}
	h->left--;
	h->changed++;
	return block_change(h->f, place, l, h->err);
}

static bool wanted(const struct by_hand *h, const struct item_line *l)
{
	return h->states >> l->state & 1;
}

static int change_block(struct by_hand *h)
{
	struct block *b = &h->f->block;
	struct item_line l;
	int r = 0, closed;

	for (int64_t i = 0; r == 0 && h->left && i < b->line.items; i++)
		if (item_line_parse(block_text(b, i), &l) && wanted(h, &l))
			r = change_item(h, i, &l);
	closed = block_close(h->f, h->err);
	return MIN(r, closed);
}

/* The block of the smallest number above this one that has what is wanted; 0: there is none. */
static size_t next_block(const struct by_hand *h, int64_t above)
{
	const struct block_line *blocks = h->f->blocks;
	size_t next = 0;

	for (size_t i = 1; i < h->f->slots; i++)
		if (blocks[i].number > above && block_has(&blocks[i], h->states) &&
			(!next || blocks[i].number < blocks[next].number))
			next = i;
	return next;
}

static int change_all(struct by_hand *h)
{
	struct queue_file *f = h->f;
	int64_t number = 0;
	size_t slot;
	int r = 0;

	while (r == 0 && h->left && (slot = next_block(h, number))) {
		number = f->blocks[slot].number;
		r = block_open(f, slot, number, BLOCK_WAIT, h->err);
		if (r == -ESTALE)
			r = 0;
		else if (r == 0)
			r = change_block(h);
	}
	return r;
}

static int change_one(struct by_hand *h, const char *id)
{
	struct item_line l;
	int64_t place;
	int r = item_open(h->f, id, &place, &l, h->err), closed;

	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (wanted(h, &l))
		r = change_item(h, place, &l);
	closed = block_close(h->f, h->err);
	return MIN(r, closed);
}

static int64_t change(struct by_hand *h, const char *id)
{
	int r = table_sweep(h->f, h->err);

	if (r == 0)
		r = id ? change_one(h, id) : change_all(h);
	keys_release(h->f);
	return r < 0 ? r : h->changed;
}

int64_t file_kick(struct queue *q, const char *id, int64_t count, bool reset, struct err *e)
{
	struct by_hand h = {.f = container_of(q, struct queue_file, queue),
		.states = 1U << ITEM_BURIED,
		.left = count,
		.reset = reset,
		.err = e};
	int64_t n;

	if (id)
		h.states |= 1U << ITEM_DELAYED;
	n = change(&h, id);
	if (n == 0 && !id) {
		h.states = 1U << ITEM_DELAYED;
		n = change(&h, NULL);
	}
	if (n > 0)
		file_wake(h.f);
	return n;
}

int64_t file_purge(struct queue *q, const char *id, unsigned states, struct err *e)
{
	struct by_hand h = {.f = container_of(q, struct queue_file, queue),
		.states = id ? ~(1U << ITEM_DONE) : states & ~(1U << ITEM_DONE),
		.left = INT64_MAX,
		.remove = true,
		.err = e};

	return change(&h, id);
}
