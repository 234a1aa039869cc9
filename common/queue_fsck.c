/* Looks at everything in a queue's files. */
#include "queue_file.h"

#include "io.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

struct checking {
	struct queue_file *f;
	bool repair;
	queue_complaint *complain;
	void *context;
	struct err *err;
	int64_t left; /* complaints that were not put right */
};

static void PRINTF_LIKE(2, 3) say(struct checking *c, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	c->complain(c->context, text);
	c->left += !c->repair;
}

/* A line that is none any more: nothing is known of the item. */
static int bad_line(struct checking *c, int64_t place)
{
	struct item_line done = {.state = ITEM_DONE};

	say(c, "item %lld.%lld: its line is damaged%s", (long long)c->f->block.number,
		(long long)place, c->repair ? ": removed" : "");
	return c->repair ? block_change(c->f, place, &done, c->err) : 0;
}

/* What is left of it becomes its body, for people to look at. */
static int bad_body(struct checking *c, int64_t place, struct item_line *l, struct span left)
{
	static const char what[] = "its body is damaged";

	say(c, "item %lld.%lld: %s%s", (long long)c->f->block.number, (long long)place, what,
		c->repair ? ": buried" : "");
	if (!c->repair)
		return 0;
	note_add(c->f, place, l->tries, what);
	l->state = ITEM_BURIED;
	l->keyed = false;
	l->token[0] = '\0';
	l->due = 0;
	l->length = (int64_t)left.n;
	l->sum = crc32_of(left);
	return block_change(c->f, place, l, c->err);
}

static int check_item(struct checking *c, int64_t place, struct buf *body)
{
	struct item_line l;
	struct item item;
	int r;

	if (!item_line_parse(block_text(&c->f->block, place), &l))
		return bad_line(c, place);
	if (l.state == ITEM_DONE)
		return 0;
	r = item_load(c->f, place, &l, &item, body, c->err);
	if (r == -EBADMSG) {
		c->err->text[0] = '\0';
		return bad_body(c, place, &l, item.body);
	}
	return r;
}

static bool same_figures(const struct block_line *a, const struct block_line *b)
{
	return a->items == b->items && memcmp(a->count, b->count, sizeof a->count) == 0 &&
		a->best == b->best && a->next == b->next && a->oldest == b->oldest;
}

static int check_figures(struct checking *c)
{
	struct block *b = &c->f->block;
	struct block_line found = {.number = b->number, .best = BLOCK_NO_READY};

	for (int64_t i = 0; i < b->line.items; i++)
		block_line_count(&found, block_text(b, i));
	/* Those that a killed process left are counted by anybody: no fault. */
	if (!b->begun && !same_figures(&found, &b->line)) {
		say(c, "block %lld: its line in the index is wrong%s", (long long)b->number,
			c->repair ? ": counted anew" : "");
		b->begun = c->repair;
	}
	return 0;
}

static int check_block(struct checking *c)
{
	AUTO_BUF struct buf body = {0};
	int r = check_figures(c), closed;

	for (int64_t i = 0; r == 0 && i < c->f->block.line.items; i++)
		r = check_item(c, i, &body);
	closed = block_close(c->f, c->err);
	return MIN(r, closed);
}

static int check_unknown(struct checking *c)
{
	AUTO_STRS struct strs numbers = {0};
	int r = table_read(c->f, c->err);

	if (r == 0)
		r = table_unknown(c->f, &numbers, c->err);
	for (size_t i = 0; r == 0 && i < numbers.count; i++)
		say(c, "block %s: not in the index%s", numbers.item[i], c->repair ? ": added" : "");
	return r == 0 && numbers.count && c->repair ? table_heal(c->f, c->err) : r;
}

int64_t file_check(
	struct queue *q, bool repair, queue_complaint *complain, void *context, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	struct checking c = {
		.f = f, .repair = repair, .complain = complain, .context = context, .err = e};
	int r = check_unknown(&c);

	for (size_t i = 1; r == 0 && i < f->slots; i++) {
		if (!f->blocks[i].number)
			continue;
		r = block_open(f, i, f->blocks[i].number, BLOCK_WAIT, e);
		if (r == -ESTALE)
			r = 0;
		else if (r == 0)
			r = check_block(&c);
	}
	return r < 0 ? r : c.left;
}
