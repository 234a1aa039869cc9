/* Puts into a queue in files: bodies first, then the lines that make them items. */
#include "queue_file.h"

#include "io.h"
#include "parse.h"

#include <errno.h>
#include <sys/stat.h>

/* What goes into one block by one write each. */
struct load {
	struct buf bodies;
	char *lines;
	size_t count;
	off_t base; /* where the bodies go */
};

/* The block to put into: the newest, where it has room, else a new one. */
static int open_newest(struct queue_file *f, struct err *e)
{
	int64_t number;
	int r = table_read(f, e);

	if (r < 0)
		return r;
	number = f->blocks[f->newest].number;
	if (number && !f->blocks[f->newest].full) {
		r = block_open_end(f, f->newest, number, 2 * BLOCK_HOP, &(struct err){0});
		if (r == 0 && f->block.line.items < BLOCK_ITEMS && !f->block.line.full)
			return 0;
		if (r == 0)
			r = block_close(f, e);
		if (r < 0 && r != -ETIMEDOUT && r != -ESTALE)
			return r;
	}
	return block_create(f, e);
}

/* Adds an item at its place to what is going to be written. */
static void load_add(struct load *load, struct queue_file *f, const struct put *p, int64_t place)
{
	int64_t now = file_now(f);
	struct item_line line = {.state = ITEM_READY,
		.keyed = p->key != NULL,
		.priority = p->priority,
		.created = now,
		.tries = p->tries,
		.max_tries = p->max_tries,
		.lease = to_ms(p->lease),
		.offset = load->base + (off_t)load->bodies.length,
		.length = (int64_t)p->body.n,
		.sum = crc32_of(p->body)};

	if (p->buried)
		line.state = ITEM_BURIED;
	else if (p->delay > 0)
		line.state = ITEM_DELAYED, line.due = now + to_ms(p->delay);
	buf_format(&load->bodies, "{\"id\":\"%lld.%lld\"", (long long)f->block.number,
		(long long)place);
	if (p->key)
		buf_format(&load->bodies, ",\"key\":\"%s\"", p->key);
	buf_str(&load->bodies, "}\n");
	line.head = load->base + (off_t)load->bodies.length - line.offset;
	buf_add(&load->bodies, p->body.p, p->body.n);
	buf_char(&load->bodies, '\n');
	item_line_format(load->lines + load->count++ * QUEUE_LINE, &line);
}

static int write_bodies(struct queue_file *f, const struct load *load, bool sync, struct err *e)
{
	int fd = f->block.bodies;
	int r = io_pwrite(fd, load->bodies.text, load->bodies.length, load->base);

	if (r == 0 && sync && fdatasync(fd) < 0)
		r = -errno;
	if (r == 0)
		return 0;
	if (ftruncate(fd, load->base) < 0)
		r = -errno;
	return err_sys(e, r, "queue %s: %lld.bodies", f->queue.name, (long long)f->block.number);
}

/* As many of the items as the open block takes; with a key's file, the one item of that key. */
static int load_block(struct queue_file *f, struct load *load, struct put *p, size_t count)
{
	struct err e = {0};
	struct stat st;
	int64_t place = f->block.line.items;
	int r = block_bodies(f, &e);

	if (r == 0 && fstat(f->block.bodies, &st) < 0)
		r = -errno;
	if (r < 0)
		return r;
	load->base = st.st_size;
	load->bodies.length = load->count = 0;
	for (size_t i = 0; i < count && place < BLOCK_ITEMS; i++, place++) {
		int64_t end = load->base + (off_t)load->bodies.length + (off_t)p[i].body.n;

		if (i && end > BLOCK_BYTES)
			break;
		load_add(load, f, &p[i], place);
		id_format(p[i].id, f->block.number, place);
	}
	if (load->base + (off_t)load->bodies.length > BLOCK_BYTES)
		f->block.line.full = true;
	return 0;
}

static int sync_new(struct queue_file *f, bool new, struct err *e)
{
	int r = block_sync(f, e);

	if (r == 0 && new)
		r = io_sync_dir(f->dir);
	return r;
}

/*
 * Before the item is there its key binds only as long as the item is: that is never, if we
 * are killed now. For a time, whatever becomes of the item, it binds behind that.
 */
static int bind_key(
	struct queue_file *f, const struct put *p, int fd, int64_t until, bool sync, struct err *e)
{
	int r = key_write(fd, p->id, until, sync);

	return r < 0 ? err_sys(e, r, "queue %s: key %s", f->queue.name, p->key) : 0;
}

/* Into the block that is open; the number that went in, or -errno. */
static int fill(struct queue_file *f, struct load *load, struct put *p, size_t count, int key_fd,
	bool sync, struct err *e)
{
	bool new = f->block.line.items == 0;
	int r = load_block(f, load, p, count);

	if (r < 0)
		return err_sys(e, r, "queue %s", f->queue.name);
	r = write_bodies(f, load, sync, e);
	if (r == 0 && key_fd >= 0)
		r = bind_key(f, p, key_fd, 0, sync, e);
	if (r == 0)
		r = block_append(f, load->lines, load->count, e);
	if (r == 0 && sync)
		r = sync_new(f, new, e);
	if (r == 0 && key_fd >= 0 && p->key_ttl)
		r = bind_key(f, p, key_fd, file_now(f) + to_ms(p->key_ttl), sync, e);
	return r < 0 ? r : (int)load->count;
}

static int put_some(struct queue_file *f, struct load *load, struct put *p, size_t count,
	int key_fd, bool sync, struct err *e)
{
	int r = open_newest(f, e), n, closed;

	if (r < 0)
		return r;
	n = fill(f, load, p, count, key_fd, sync, e);
	closed = block_close(f, e);
	return closed < 0 ? closed : n;
}

static int put_keyed(struct queue_file *f, struct load *load, struct put *p, bool sync,
	struct err *e)
{
	AUTO_CLOSE int fd = -1;
	int key = -1, r = key_take(f, p->key, &key, p->id, e);

	p->dup = r == 1;
	if (r != 0)
		return r;
	fd = key;
	return put_some(f, load, p, 1, fd, sync, e);
}

/* The items in front that have no key. */
static size_t without_key(const struct put *p, size_t count)
{
	size_t n = 0;

	while (n < count && !p[n].key)
		n++;
	return n;
}

static int put_all(struct queue_file *f, struct load *load, struct put *p, size_t count, bool sync,
	size_t *done, struct err *e)
{
	while (*done < count) {
		size_t plain = without_key(p + *done, count - *done);
		int n = plain ? put_some(f, load, p + *done, plain, -1, sync, e)
			      : put_keyed(f, load, p + *done, sync, e);

		if (n < 0)
			return n;
		*done += (size_t)n;
	}
	return 0;
}

int file_put(struct queue *q, struct put *p, size_t count, bool sync, size_t *done, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	char lines[BLOCK_ITEMS * QUEUE_LINE];
	struct load load = {.lines = lines};
	int r;

	*done = 0;
	for (size_t i = 0; i < count; i++)
		if ((int64_t)p[i].body.n > QUEUE_BODY_MAX)
			return err_set(e, -EMSGSIZE, "a body of more than %lld MiB",
				(long long)(QUEUE_BODY_MAX >> 20));
	if (faccessat(f->dir, "draining", F_OK, 0) == 0)
		return err_set(e, -ESHUTDOWN, "queue %s: drains, nothing is put", f->queue.name);
	r = put_all(f, &load, p, count, sync, done, e);
	buf_clear(&load.bodies);
	if (*done)
		file_wake(f);
	return r;
}
