#include "queue_file.h"

#include "clock.h"
#include "io.h"
#include "mem.h"
#include "parse.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

int64_t file_paused(const struct queue_file *f)
{
	AUTO_BUF struct buf text = {0};
	int64_t until;

	if (io_read_file(f->dir, "paused", 64, &text) < 0)
		return 0;
	until = strtoll(text.text, NULL, 10);
	if (until == 0)
		return INT64_MAX;
	return until > file_now(f) ? until : 0;
}

/* What is in it says nothing: that it was written to wakes those who watch. */
void file_wake(struct queue_file *f)
{
	AUTO_CLOSE int fd = io_open(f->dir, "wake/put", O_WRONLY | O_CREAT, 0600);

	if (fd == -ENOENT && mkdirat(f->dir, "wake", 0700) == 0)
		fd = io_open(f->dir, "wake/put", O_WRONLY | O_CREAT, 0600);
	if (fd >= 0)
		(void)!io_pwrite(fd, "\n", 1, 0);
}

static int file_watch(struct queue *q)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	AUTO_FREE char *path = mem_format("%s/wake", f->folder);

	if (f->watch < 0)
		f->watch = watch_folder(path);
	return f->watch;
}

static void file_heard(struct queue *q)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);

	if (f->watch >= 0)
		watch_drain(f->watch, "put");
}

static void add_counts(struct queue_stats *s, const struct block_line *b)
{
	for (int i = 0; i < ITEM_STATES; i++)
		s->count[i] += b->count[i];
	if (b->oldest && (!s->oldest || b->oldest * NS_PER_MS < s->oldest))
		s->oldest = b->oldest * NS_PER_MS;
	if (b->next)
		s->next = MIN(s->next, b->next * NS_PER_MS);
}

static int file_stats(struct queue *q, struct queue_stats *s, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	int64_t paused = file_paused(f), age = file_age(f);
	int r = table_sweep(f, e);

	*s = (struct queue_stats){.next = NS_FOREVER, .now = file_now(f) * NS_PER_MS};
	if (r < 0)
		return r;
	for (size_t i = 1; i < f->slots; i++)
		add_counts(s, &f->blocks[i]);
	s->paused = paused == INT64_MAX ? NS_FOREVER : paused * NS_PER_MS;
	if (paused && paused != INT64_MAX)
		s->next = MIN(s->next, s->paused);
	s->age = age == INT64_MAX ? NS_FOREVER : age * NS_PER_MS;
	s->draining = faccessat(f->dir, "draining", F_OK, 0) == 0;
	return 0;
}

/* The item of the open block, which is closed before it is handed out. */
static int hand_one(struct queue_file *f, int64_t place, const struct item_line *line,
	item_taker *taker, void *context, struct err *e)
{
	AUTO_BUF struct buf body = {0};
	AUTO_FREE struct notes *notes = mem_zero(1, sizeof *notes);
	struct item item;
	int r = item_load(f, place, line, &item, &body, e), closed;

	item.damaged = r == -EBADMSG;
	notes_load(f, notes);
	closed = block_close(f, e);
	item.why = notes_why(notes, place);
	r = item.damaged ? closed : MIN(r, closed);
	if (r == 0)
		r = taker(context, &item);
	buf_clear(&notes->text);
	return r < 0 ? r : 1;
}

static int file_get(
	struct queue *q, const char *id, item_taker *taker, void *context, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	struct item_line line;
	int64_t place;
	int r = table_sweep(f, e);

	if (r == 0)
		r = id ? item_open(f, id, &place, &line, e) : item_next(f, &place, &line, e);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	return hand_one(f, place, &line, taker, context, e);
}

/* What the items of one block are handed to. */
struct walk {
	struct queue_file *f;
	unsigned states;
	item_taker *taker;
	void *context;
	struct err *err;
	struct notes notes;
};

static int walk_item(struct walk *w, int64_t place, const struct item_line *line)
{
	AUTO_BUF struct buf body = {0};
	struct item item;
	int r = item_load(w->f, place, line, &item, &body, w->err);

	if (r < 0 && r != -EBADMSG)
		return r;
	item.damaged = r == -EBADMSG;
	w->err->text[0] = '\0';
	item.why = notes_why(&w->notes, place);
	return w->taker(w->context, &item);
}

/* The items of the open block, which is closed before they are handed out. */
static int walk_block(struct walk *w)
{
	struct block *b = &w->f->block;
	struct item_line line;
	int64_t items = b->line.items;
	int r = block_bodies(w->f, w->err), closed;

	notes_load(w->f, &w->notes);
	closed = block_close(w->f, w->err);
	r = MIN(r, closed);
	for (int64_t i = 0; r >= 0 && i < items; i++)
		if (item_line_parse(block_text(b, i), &line) && (w->states >> line.state & 1))
			r = walk_item(w, i, &line);
	return r;
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* The numbers of the blocks there are now, in order. */
static int64_t *list_numbers(const struct queue_file *f, size_t *count)
{
	int64_t *number = mem_new((f->slots + 1) * sizeof *number);

	*count = 0;
	for (size_t i = 1; i < f->slots; i++)
		if (f->blocks[i].number)
			number[(*count)++] = f->blocks[i].number;
	qsort(number, *count, sizeof *number, by_number);
	return number;
}

static int walk_all(struct walk *w)
{
	struct queue_file *f = w->f;
	size_t count;
	AUTO_FREE int64_t *number = list_numbers(f, &count);
	int r = 0;

	for (size_t i = 0; r >= 0 && i < count; i++) {
		size_t slot = table_find(f, number[i]);

		if (!slot || !block_has(&f->blocks[slot], w->states))
			continue;
		r = block_open(f, slot, number[i], BLOCK_WAIT, w->err);
		if (r == -ESTALE)
			r = 0;
		else if (r == 0)
			r = walk_block(w);
	}
	return MIN(r, 0);
}

static int file_each(
	struct queue *q, unsigned states, item_taker *taker, void *context, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	struct walk *w;
	int r = table_sweep(f, e);

	if (r < 0)
		return r;
	w = mem_zero(1, sizeof *w);
	w->f = f, w->states = states, w->taker = taker, w->context = context, w->err = e;
	r = walk_all(w);
	buf_clear(&w->notes.text);
	free(w);
	return r;
}

static int file_pause(struct queue *q, int64_t time, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	char text[32];
	int64_t until = time == NS_FOREVER ? 0 : file_now(f) + to_ms(time);
	int r, n;

	if (time == 0) {
		r = unlinkat(f->dir, "paused", 0) < 0 && errno != ENOENT ? -errno : 0;
		file_wake(f);
	} else {
		n = snprintf(text, sizeof text, "%lld\n", (long long)until);
		r = io_replace(f->dir, "paused", text, (size_t)n, 0600);
	}
	return r < 0 ? err_sys(e, r, "queue %s: paused", q->name) : 0;
}

static int file_drain(struct queue *q, bool on, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	int r = 0;

	if (on)
		r = io_replace(f->dir, "draining", "", 0, 0600);
	else if (unlinkat(f->dir, "draining", 0) < 0 && errno != ENOENT)
		r = -errno;
	return r < 0 ? err_sys(e, r, "queue %s: draining", q->name) : 0;
}

static int file_sweep(struct queue *q, struct err *e)
{
	return table_sweep(container_of(q, struct queue_file, queue), e);
}

static void file_close(struct queue *q)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	const int fds[] = {f->dir, f->index, f->watch, f->block.items, f->block.bodies};

	for (size_t i = 0; i < countof(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	strs_clear(&f->dead_keys);
	free(f->blocks);
	free(f->block.text);
	free(f->folder);
	free(f);
}

static const struct queue_ops file_ops = {
	.put = file_put,
	.claim = file_claim,
	.settle = file_settle,
	.get = file_get,
	.each = file_each,
	.stats = file_stats,
	.kick = file_kick,
	.purge = file_purge,
	.pause = file_pause,
	.drain = file_drain,
	.age = file_set_age,
	.sweep = file_sweep,
	.check = file_check,
	.watch = file_watch,
	.heard = file_heard,
	.close = file_close,
};

static int open_files(struct queue_file *f, const struct state *s, bool make, struct err *e)
{
	AUTO_FREE char *path = mem_format("queues/%s", f->queue.name);

	f->folder = mem_format("%s/%s", s->path, path);
	f->dir = make ? state_folder(s, path) : state_file(s, path, O_RDONLY | O_DIRECTORY, 0);
	if (f->dir == -ENOENT)
		return err_set(e, -ENOENT, "no queue %s here", f->queue.name);
	if (f->dir < 0)
		return err_sys(e, f->dir, "%s", f->folder);
	if (mkdirat(f->dir, "wake", 0700) < 0 && errno != EEXIST)
		return err_sys(e, -errno, "%s/wake", f->folder);
	f->index = io_open(f->dir, "index", O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (f->index < 0)
		return err_sys(e, f->index, "%s/index", f->folder);
	return table_adopt(f, e);
}

int queue_file_open(
	struct queue **out, const struct state *s, const char *name, bool make, struct err *e)
{
	struct queue_file *f;
	int r;

	*out = NULL;
	if (!name_valid(name))
		return err_set(e, -EINVAL, "not a queue's name: '%s'", name);
	f = mem_zero(1, sizeof *f);
	f->queue.ops = &file_ops;
	f->dir = f->index = f->watch = f->block.items = f->block.bodies = -1;
	snprintf(f->queue.name, sizeof f->queue.name, "%s", name);
	r = open_files(f, s, make, e);
	if (r < 0)
		file_close(&f->queue);
	else
		*out = &f->queue;
	return r;
}
