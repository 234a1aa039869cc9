/* The blocks of a queue and their lines in the index: locked, changed, counted, removed. */
#include "queue_file.h"

#include "clock.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

static off_t line_at(int64_t place)
{
	return (off_t)place * QUEUE_LINE;
}

/* The kernel frees it with the description: a killed holder holds nothing. */
static int lock_line(const struct queue_file *f, size_t slot, short type)
{
	struct flock l = {.l_type = type,
		.l_whence = SEEK_SET,
		.l_start = line_at((int64_t)slot),
		.l_len = QUEUE_LINE};

	return fcntl(f->index, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

static int lock_wait(const struct queue_file *f, size_t slot, int64_t wait)
{
	int64_t deadline = clock_after(wait), pause = 20 * NS_PER_US;
	int r;

	while ((r = lock_line(f, slot, F_WRLCK)) == -EAGAIN || r == -EACCES) {
		if (clock_now() >= deadline)
			return -ETIMEDOUT;
		clock_sleep(pause);
		pause = MIN(pause + pause / 2, NS_PER_MS);
	}
	return r;
}

static int open_file(const struct queue_file *f, int64_t number, const char *kind, int flags)
{
	char name[48];

	snprintf(name, sizeof name, "%lld.%s", (long long)number, kind);
	return io_open(f->dir, name, flags | O_NOFOLLOW, 0600);
}

static void remove_file(const struct queue_file *f, int64_t number, const char *kind)
{
	char name[48];

	snprintf(name, sizeof name, "%lld.%s", (long long)number, kind);
	unlinkat(f->dir, name, 0);
}

static void close_files(struct block *b)
{
	if (b->items >= 0)
		close(b->items);
	if (b->bodies >= 0)
		close(b->bodies);
	b->items = b->bodies = -1;
	b->number = 0;
}

/* The files stay open from one opening to the next of the same block. */
static int open_items(struct queue_file *f, int64_t number)
{
	struct block *b = &f->block;

	if (b->number == number && b->items >= 0)
		return 0;
	close_files(b);
	b->items = open_file(f, number, "items", O_RDWR);
	if (b->items < 0)
		return b->items;
	b->number = number;
	return 0;
}

int block_bodies(struct queue_file *f, struct err *e)
{
	struct block *b = &f->block;

	if (b->bodies < 0)
		b->bodies = open_file(f, b->number, "bodies", O_RDWR | O_CREAT);
	if (b->bodies >= 0)
		return 0;
	return err_sys(e, b->bodies, "queue %s: %lld.bodies", f->queue.name, (long long)b->number);
}

static int write_line(const struct queue_file *f, size_t slot, const struct block_line *line)
{
	char text[QUEUE_LINE];

	block_line_format(text, line);
	return io_pwrite(f->index, text, sizeof text, line_at((int64_t)slot));
}

/* A line that is not there, or is all zeros, is free. */
static int read_line(const struct queue_file *f, size_t slot, struct block_line *line)
{
	char text[QUEUE_LINE] = "";
	ssize_t n = io_pread(f->index, text, sizeof text, line_at((int64_t)slot));

	if (n < 0)
		return (int)n;
	if (n < QUEUE_LINE || !block_line_parse(text, line))
		*line = (struct block_line){0};
	return 0;
}

/* Counts the items as they stand in memory. */
static void count_items(struct block *b, int64_t items)
{
	struct block_line new = {
		.number = b->line.number, .best = BLOCK_NO_READY, .full = b->line.full};

	for (int64_t i = 0; i < items; i++)
		block_line_count(&new, block_text(b, i));
	b->line = new;
}

static int read_items(struct queue_file *f)
{
	struct block *b = &f->block;
	ssize_t n;

	if (!b->text)
		b->text = mem_new((size_t)BLOCK_ITEMS * QUEUE_LINE);
	n = io_pread(b->items, b->text, (size_t)BLOCK_ITEMS * QUEUE_LINE, 0);
	if (n < 0)
		return (int)n;
	b->read = true;
	/* The figures may be those of a process that was killed; the lines are the truth. */
	if (b->line.changing || b->line.items != n / QUEUE_LINE) {
		count_items(b, n / QUEUE_LINE);
		b->begun = true;
	}
	return 0;
}

const char *block_text(const struct block *b, int64_t place)
{
	return b->text + line_at(place);
}

/* The file was removed and its line was not freed: killed in between. */
static int free_orphan(const struct queue_file *f, size_t slot)
{
	int r = write_line(f, slot, &(struct block_line){0});

	return r < 0 ? r : -ESTALE;
}

/* No killed process left them, and there are as many items as they say. */
static bool figures_fit(const struct block *b)
{
	struct stat st;

	return !b->line.changing && fstat(b->items, &st) == 0 &&
		st.st_size == line_at(b->line.items);
}

static int open_locked(struct queue_file *f, size_t slot, int64_t number, bool whole)
{
	struct block *b = &f->block;
	int r;

	b->slot = slot;
	b->begun = b->read = false;
	r = read_line(f, slot, &b->line);
	if (r < 0)
		return r;
	if (b->line.number != number)
		return -ESTALE;
	r = open_items(f, number);
	if (r == -ENOENT)
		return free_orphan(f, slot);
	if (r < 0 || (!whole && figures_fit(b)))
		return r;
	return read_items(f);
}

static int open_block(struct queue_file *f, size_t slot, int64_t number, int64_t wait, bool whole,
	struct err *e)
{
	int r = lock_wait(f, slot, wait);

	if (r == 0) {
		r = open_locked(f, slot, number, whole);
		if (r < 0)
			lock_line(f, slot, F_UNLCK);
	}
	if (r == 0 || r == -ESTALE)
		return r;
	if (r == -ETIMEDOUT)
		return err_set(e, r, "queue %s: block %lld is held by another process",
			f->queue.name, (long long)number);
	return err_sys(e, r, "queue %s: block %lld", f->queue.name, (long long)number);
}

int block_open(struct queue_file *f, size_t slot, int64_t number, int64_t wait, struct err *e)
{
	return open_block(f, slot, number, wait, true, e);
}

int block_open_end(
	struct queue_file *f, size_t slot, int64_t number, int64_t wait, struct err *e)
{
	return open_block(f, slot, number, wait, false, e);
}

/* From here on the figures are not to be believed until they are counted. */
static int mark(struct queue_file *f)
{
	struct block *b = &f->block;
	struct block_line marked = b->line;
	int r;

	if (b->begun)
		return 0;
	marked.changing = true;
	r = write_line(f, b->slot, &marked);
	b->begun = r == 0;
	return r;
}

static int change_text(
	struct queue_file *f, int64_t place, const char text[QUEUE_LINE], struct err *e)
{
	struct block *b = &f->block;
	int r = mark(f);

	if (r == 0)
		r = io_pwrite(b->items, text, QUEUE_LINE, line_at(place));
	if (r < 0)
		return err_sys(e, r, "queue %s: %lld.items", f->queue.name, (long long)b->number);
	memcpy(b->text + line_at(place), text, QUEUE_LINE);
	return 0;
}

int block_change(struct queue_file *f, int64_t place, const struct item_line *line, struct err *e)
{
	char text[QUEUE_LINE];

	item_line_format(text, line);
	return change_text(f, place, text, e);
}

int block_spoil(struct queue_file *f, int64_t place, struct err *e)
{
	char text[QUEUE_LINE];

	memcpy(text, block_text(&f->block, place), sizeof text);
	text[0] = '!';
	return change_text(f, place, text, e);
}

int block_append(struct queue_file *f, const char *lines, size_t count, struct err *e)
{
	struct block *b = &f->block;
	off_t end = line_at(b->line.items);
	int r = mark(f);

	if (r == 0)
		r = io_pwrite(b->items, lines, count * QUEUE_LINE, end);
	if (r < 0) {
		/* What of it was written nobody was told of. */
		if (ftruncate(b->items, end) < 0)
			r = -errno;
		return err_sys(e, r, "queue %s: %lld.items", f->queue.name, (long long)b->number);
	}
	if (b->read) {
		memcpy(b->text + end, lines, count * QUEUE_LINE);
		b->line.items += (int64_t)count;
		return 0;
	}
	for (size_t i = 0; i < count; i++)
		block_line_count(&b->line, lines + i * QUEUE_LINE);
	return 0;
}

int block_sync(struct queue_file *f, struct err *e)
{
	struct block *b = &f->block;

	if (fdatasync(b->items) < 0)
		return err_sys(e, -errno, "queue %s: %lld.items", f->queue.name,
			(long long)b->number);
	return 0;
}

bool block_has(const struct block_line *b, unsigned states)
{
	for (int s = 0; s < ITEM_STATES; s++)
		if ((states >> s & 1) && b->count[s])
			return true;
	return false;
}

/* All its items are done, and a later block bears witness that its number was used. */
static bool is_spent(const struct queue_file *f)
{
	const struct block_line *l = &f->block.line;

	return l->items && l->count[ITEM_DONE] == l->items &&
		l->number < f->blocks[f->newest].number;
}

/* The items last: as long as they are there, so is the block. */
static void remove_files(struct queue_file *f, int64_t number)
{
	close_files(&f->block);
	remove_file(f, number, "bodies");
	remove_file(f, number, "notes");
	remove_file(f, number, "items");
}

int block_close(struct queue_file *f, struct err *e)
{
	struct block *b = &f->block;
	int r = 0;

	if (b->begun) {
		if (b->read)
			count_items(b, b->line.items);
		if (is_spent(f)) {
			remove_files(f, b->line.number);
			b->line = (struct block_line){0};
		}
		r = write_line(f, b->slot, &b->line);
		if (r < 0)
			err_sys(e, r, "queue %s: index", f->queue.name);
		else if (b->slot < f->slots)
			f->blocks[b->slot] = b->line;
	}
	lock_line(f, b->slot, F_UNLCK);
	return r;
}

/* Takes a line of the index that is free for the block: locked and written. */
static int take_slot(struct queue_file *f, int64_t number)
{
	struct block_line line, new = {.number = number, .best = BLOCK_NO_READY};
	int r;

	for (size_t slot = 1;; slot++) {
		if (slot < f->slots && f->blocks[slot].number)
			continue;
		r = lock_line(f, slot, F_WRLCK);
		if (r == -EAGAIN || r == -EACCES)
			continue;
		if (r < 0)
			return r;
		r = read_line(f, slot, &line);
		if (r == 0 && line.number == 0)
			r = write_line(f, slot, &new);
		if (r == 0 && line.number == 0) {
			f->block.slot = slot;
			f->block.line = new;
			return 0;
		}
		lock_line(f, slot, F_UNLCK);
		if (r < 0)
			return r;
	}
}

/*
 * A number belongs to whoever makes its file. It was never used before: the largest
 * number stays in the index until there is a larger one, and who finds a larger one after
 * making the file was too slow.
 */
static int take_number(struct queue_file *f, int64_t *number, struct err *e)
{
	int64_t n = f->blocks[f->newest].number + 1;
	int fd, r;

	for (;; n++) {
		fd = open_file(f, n, "items", O_RDWR | O_CREAT | O_EXCL);
		if (fd == -EEXIST)
			continue;
		if (fd < 0)
			return err_sys(e, fd, "queue %s: %lld.items", f->queue.name, (long long)n);
		r = table_read(f, e);
		if (r == 0 && f->blocks[f->newest].number < n)
			break;
		close(fd);
		remove_file(f, n, "items");
		if (r < 0)
			return r;
		n = f->blocks[f->newest].number;
	}
	close_files(&f->block);
	f->block.items = fd;
	f->block.number = *number = n;
	return 0;
}

int block_create(struct queue_file *f, struct err *e)
{
	int64_t number = 0;
	int r = table_read(f, e);

	if (r == 0)
		r = take_number(f, &number, e);
	if (r < 0)
		return r;
	r = take_slot(f, number);
	if (r == 0)
		r = read_items(f);
	f->block.begun = false;
	if (r == 0)
		return 0;
	close_files(&f->block);
	remove_file(f, number, "items");
	return err_sys(e, r, "queue %s: index", f->queue.name);
}

int block_adopt(struct queue_file *f, int64_t number, struct err *e)
{
	int r = take_slot(f, number);

	if (r == 0) {
		f->block.begun = true;
		r = open_items(f, number);
		r = r == 0 ? read_items(f) : r;
		if (r == 0)
			return block_close(f, e);
		(void)!write_line(f, f->block.slot, &(struct block_line){0});
		lock_line(f, f->block.slot, F_UNLCK);
	}
	return r == -ENOENT ? 0 : err_sys(e, r, "queue %s: index", f->queue.name);
}

int block_free_torn(struct queue_file *f, size_t slot, struct err *e)
{
	struct block_line line;
	int r = lock_line(f, slot, F_WRLCK);

	if (r == -EAGAIN || r == -EACCES)
		return 0; /* who holds it writes it anew */
	if (r == 0) {
		r = read_line(f, slot, &line);
		if (r == 0 && line.number == 0)
			r = write_line(f, slot, &line);
		lock_line(f, slot, F_UNLCK);
	}
	return r < 0 ? err_sys(e, r, "queue %s: index", f->queue.name) : 0;
}
