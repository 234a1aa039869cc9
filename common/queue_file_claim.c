/* Claims from a queue in files, and what makes items ready again: time. */
#include "queue_file.h"

#include "clock.h"
#include "mem.h"

#include <errno.h>

/* One claim's work. */
struct claiming {
	struct queue_file *f;
	const struct claim *how;
	item_taker *taker;
	void *context;
	struct err *err;
	int64_t got;
	bool aged;	/* it is the turn of the one that has been ready longest */
	bool *skip;	/* by slot: blocks that others hold */
	size_t skipped; /* how many of them */
	size_t slots;	/* room in skip */

	/* Those of the block at hand. */
	struct item_line *line; /* room for BLOCK_ITEMS, as of place */
	int64_t *place;
	size_t count;
};

/* What an item's lease or delay being over makes of it. */
static int come_due(struct queue_file *f, int64_t place, struct item_line *l, struct err *e)
{
	int64_t now = file_now(f);
	char id[ITEM_ID_SIZE];
	bool buried = false;
	int r;

	if (l->state == ITEM_CLAIMED)
		buried = item_fail(l, now, 0);
	else
		l->state = ITEM_READY; /* since it was due */
	r = block_change(f, place, l, e);
	if (r < 0 || !buried)
		return r;
	note_add(f, place, l->tries, "its lease ran out");
	id_format(id, f->block.number, place);
	queue_tell_buried(&f->queue, id, l->tries, "its lease ran out");
	return 0;
}

static int sweep_items(struct queue_file *f, struct err *e)
{
	int64_t now = file_now(f);
	struct item_line l;
	int r = 0;

	for (int64_t i = 0; r == 0 && i < f->block.line.items; i++) {
		const char *text = block_text(&f->block, i);

		if (*text != 'd' && *text != 'c')
			continue;
		if (!item_line_parse(text, &l))
			r = item_spoil(f, i, e);
		else if (l.due <= now)
			r = come_due(f, i, &l, e);
	}
	f->block.begun = true; /* where nothing was due, the index was wrong */
	return r;
}

/* 1: something has changed, 0: somebody else is at it. */
static int sweep_block(struct queue_file *f, size_t slot, struct err *e)
{
	int r = block_open(f, slot, f->blocks[slot].number, 0, e), closed;

	if (r == -ETIMEDOUT || r == -ESTALE) {
		e->text[0] = '\0';
		return r == -ESTALE;
	}
	if (r < 0)
		return r;
	r = sweep_items(f, e);
	closed = block_close(f, e);
	return r < 0 ? r : closed < 0 ? closed
				      : 1;
}

static bool needs_sweep(const struct block_line *b, int64_t now)
{
	return b->number && (b->changing || (b->next && b->next <= now));
}

int table_sweep(struct queue_file *f, struct err *e)
{
	int r = table_read(f, e), changed = 0;
	int64_t now = file_now(f);

	if (r == 0 && f->torn)
		r = table_heal(f, e);
	for (size_t i = 1; r == 0 && i < f->slots; i++) {
		if (!needs_sweep(&f->blocks[i], now))
			continue;
		r = sweep_block(f, i, e);
		changed |= r == 1;
		r = MIN(r, 0);
	}
	if (r == 0 && changed) {
		file_wake(f);
		r = table_read(f, e);
	}
	return r;
}

static bool comes_before(const struct block_line *a, const struct block_line *b, bool aged)
{
	int64_t x = aged ? a->oldest : a->best, y = aged ? b->oldest : b->best;

	return x < y || (x == y && a->number < b->number);
}

/*
 * The block that holds the next item, or the one that has been ready longest; 0: none, as far
 * as blocks are not skipped.
 */
static size_t next_block(const struct queue_file *f, const bool *skip, size_t skips, bool aged)
{
	size_t next = 0;

	for (size_t i = 1; i < f->slots; i++) {
		const struct block_line *b = &f->blocks[i];

		if (!b->number || !b->count[ITEM_READY] || (skip && i < skips && skip[i]))
			continue;
		if (!next || comes_before(b, &f->blocks[next], aged))
			next = i;
	}
	return next;
}

static bool has_aged(const struct queue_file *f)
{
	size_t slot = next_block(f, NULL, 0, true);
	int64_t age = file_age(f);

	return slot && age != INT64_MAX && f->blocks[slot].oldest <= file_now(f) - age;
}

static void skip_block(struct claiming *c, size_t slot)
{
	if (slot >= c->slots) {
		size_t slots = slot + 64;

		c->skip = mem_resize(c->skip, slots, sizeof *c->skip);
		memset(c->skip + c->slots, 0, slots - c->slots);
		c->slots = slots;
	}
	c->skip[slot] = true;
	c->skipped++;
}

/* It is ours: to be written, and handed out when the block is free again. */
static int take(struct claiming *c, int64_t place, struct item_line *l)
{
	int r = block_bodies(c->f, c->err); /* or nobody could be told of it */

	if (r < 0)
		return r;
	if (c->how->lease)
		l->lease = to_ms(c->how->lease);
	l->state = ITEM_CLAIMED;
	l->due = file_now(c->f) + l->lease;
	l->tries = MIN(l->tries + 1, (int64_t)QUEUE_TRIES_MAX);
	queue_token(l->token);
	c->place[c->count] = place;
	c->line[c->count++] = *l;
	return block_change(c->f, place, l, c->err);
}

static bool is_next(const struct block_line *b, const struct item_line *l, bool aged)
{
	return aged ? item_line_since(l) == b->oldest : l->priority == b->best;
}

/*
 * The next place from here on that is ready and of the best priority in the open block, or has
 * been ready longest: 1; 0: there is none. Where there is none at all, the index was wrong, and
 * counts anew.
 */
static int find_next(
	struct queue_file *f, bool aged, int64_t *place, struct item_line *l, struct err *e)
{
	struct block *b = &f->block;
	int r = 0;

	for (int64_t i = *place; r == 0 && i < b->line.items; i++) {
		if (*block_text(b, i) != 'r')
			continue;
		if (!item_line_parse(block_text(b, i), l))
			r = item_spoil(f, i, e);
		else if (is_next(&b->line, l, aged))
			return *place = i, 1;
	}
	if (*place == 0)
		b->begun = true;
	return r;
}

static int take_next(struct claiming *c)
{
	int64_t left = c->aged ? 1 : c->how->count - c->got, place = 0;
	struct item_line l;
	int r = 1;

	while (r > 0 && (int64_t)c->count < left) {
		r = find_next(c->f, c->aged, &place, &l, c->err);
		if (r > 0 && (r = take(c, place++, &l)) == 0)
			r = 1;
	}
	return MIN(r, 0);
}

int item_next(struct queue_file *f, int64_t *place, struct item_line *l, struct err *e)
{
	bool aged = has_aged(f) && turn_is_next(f);
	size_t slot;
	int r = 0, closed;

	while (r == 0 && (slot = next_block(f, NULL, 0, aged))) {
		r = block_open(f, slot, f->blocks[slot].number, BLOCK_WAIT, e);
		if (r == 0) {
			*place = 0;
			r = find_next(f, aged, place, l, e);
			if (r > 0)
				return 0;
			closed = block_close(f, e);
			r = MIN(r, closed);
		}
		if (r == 0 || r == -ESTALE)
			r = table_read(f, e);
	}
	return r < 0 ? r : -ENOENT;
}

/* A body that is not what was put is nobody's work: it is set aside. */
static int set_aside(struct claiming *c, const struct item *item, struct item_line *l)
{
	static const char why[] = "its body is damaged";
	int64_t place;
	int r = item_open(c->f, item->id, &place, l, c->err), closed;

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	l->state = ITEM_BURIED;
	l->due = 0;
	l->token[0] = '\0';
	r = block_change(c->f, place, l, c->err);
	note_add(c->f, place, l->tries, why);
	closed = block_close(c->f, c->err);
	queue_tell_buried(&c->f->queue, item->id, l->tries, why);
	return MIN(r, closed);
}

static int hand_out(struct claiming *c)
{
	AUTO_BUF struct buf body = {0};
	struct item item;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < c->count; i++) {
		r = item_load(c->f, c->place[i], &c->line[i], &item, &body, &(struct err){0});
		if (r == -EBADMSG) {
			r = set_aside(c, &item, &c->line[i]);
			continue;
		}
		if (r == 0)
			r = c->taker(c->context, &item);
		c->got += r >= 0;
	}
	return r;
}

/* Ends what take began: written down, synced where wanted, and handed out. */
static int settle_block(struct claiming *c, int r)
{
	int closed;

	if (r == 0 && c->how->sync && c->count)
		r = block_sync(c->f, c->err);
	closed = block_close(c->f, c->err);
	r = MIN(r, closed);
	return r < 0 ? r : hand_out(c);
}

static int claim_in(struct claiming *c, size_t slot)
{
	int r = block_open(c->f, slot, c->f->blocks[slot].number, BLOCK_HOP, c->err);

	c->count = 0;
	if (r == -ETIMEDOUT)
		skip_block(c, slot);
	if (r == -ETIMEDOUT || r == -ESTALE) {
		c->err->text[0] = '\0';
		return 0;
	}
	return r < 0 ? r : settle_block(c, take_next(c));
}

/* Blocks that were skipped are come back to until there is no time left. */
static int again(struct claiming *c, int64_t deadline)
{
	if (!c->skipped || c->got)
		return 0;
	if (clock_now() >= deadline)
		return err_set(c->err, -ETIMEDOUT, "queue %s: other processes hold its blocks",
			c->f->queue.name);
	memset(c->skip, 0, c->slots);
	c->skipped = 0;
	return 1;
}

static int claim_next(struct claiming *c)
{
	int64_t deadline = clock_after(BLOCK_WAIT);
	size_t slot;
	int r = table_sweep(c->f, c->err);

	c->aged = r == 0 && has_aged(c->f) && turn_take(c->f);
	while (r >= 0 && c->got < c->how->count) {
		slot = next_block(c->f, c->skip, c->slots, c->aged);
		if (slot)
			r = claim_in(c, slot);
		else if ((r = again(c, deadline)) == 0)
			return 0;
		c->aged = false;
		if (r >= 0 && c->got < c->how->count)
			r = table_sweep(c->f, c->err);
	}
	return r;
}

static int claim_one(struct claiming *c)
{
	struct item_line l;
	int64_t place;
	int r = table_sweep(c->f, c->err);

	if (r == 0)
		r = item_open(c->f, c->how->id, &place, &l, c->err);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return settle_block(c, l.state == ITEM_READY ? take(c, place, &l) : 0);
}

int64_t file_claim(
	struct queue *q, const struct claim *how, item_taker *taker, void *context, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	struct claiming c = {
		.f = f, .how = how, .taker = taker, .context = context, .err = e};
	int r;

	if (file_paused(f))
		return 0;
	c.line = mem_new(BLOCK_ITEMS * sizeof *c.line);
	c.place = mem_new(BLOCK_ITEMS * sizeof *c.place);
	r = how->id ? claim_one(&c) : claim_next(&c);
	free(c.line);
	free(c.place);
	free(c.skip);
	return r < 0 && !c.got ? r : c.got;
}
