#include "table.h"

#include "buf.h"
#include "io.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum {
	CELL_SIZE = 32,
	CELL_NAME = 12,
	CELL_WIDTH = CELL_SIZE - CELL_NAME - 1,
	HEAD_SIZE = 512,
	LINE_SIZE = 128,
	SLOTS_MIN = 256,
	FORMAT = 1,
	/* Of a line: a letter, a blank, then these. */
	AT_DIGEST = 2,
	WIDTH_USES = 11,
	WIDTH_SIZE = 14,
	WIDTH_TIME = 16,
	AT_USES = AT_DIGEST + DIGEST_HEX + 1,
	AT_SIZE = AT_USES + WIDTH_USES + 1,
	AT_USED = AT_SIZE + WIDTH_SIZE + 1,
	AT_EXPIRES = AT_USED + WIDTH_TIME + 1,
	AT_END = AT_EXPIRES + WIDTH_TIME + 1,
};

_Static_assert(CELL_COUNT *CELL_SIZE <= HEAD_SIZE, "the cells fit into the head");
_Static_assert(AT_END == LINE_SIZE, "a line is full");

static const char *const cell_names[] = {
	[CELL_FORMAT] = "loop-cache",
	[CELL_CHANGING] = "changing",
	[CELL_SLOTS] = "slots",
	[CELL_FILLED] = "filled",
	[CELL_ENTRIES] = "entries",
	[CELL_OBJECTS] = "objects",
	[CELL_BYTES] = "bytes",
	[CELL_HITS] = "hits",
	[CELL_MISSES] = "misses",
	[CELL_STORED] = "stored",
	[CELL_EVICTED] = "evicted",
	[CELL_EXPIRED] = "expired",
	[CELL_DAMAGED] = "damaged",
	[CELL_COUNTED] = "counted",
};

const char *cell_name(enum cell c)
{
	return cell_names[c];
}

/* A number in a field of fixed width, blanks in front. */
static void put_number(char *field, int width, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof text, "%*lld", width, (long long)value);

	if (n == width)
		memcpy(field, text, (size_t)width);
	else
		memset(field, '9', (size_t)width); /* beyond its width: as large as can be said */
}

/* -1 for what is no number. */
static int64_t get_number(const char *field, int width)
{
	int64_t value = 0;
	int i = 0;

	while (i < width && field[i] == ' ')
		i++;
	if (i == width)
		return -1;
	for (; i < width; i++) {
		if (field[i] < '0' || field[i] > '9')
			return -1;
		value = value * 10 + (field[i] - '0');
	}
	return value;
}

static char *cell_at(const struct table *t, enum cell c)
{
	return t->map + (int)c * CELL_SIZE;
}

int64_t table_cell(const struct table *t, enum cell c)
{
	return get_number(cell_at(t, c) + CELL_NAME, CELL_WIDTH);
}

void table_set(struct table *t, enum cell c, int64_t value)
{
	put_number(cell_at(t, c) + CELL_NAME, CELL_WIDTH, value);
}

void table_count(struct table *t, enum cell c, int64_t more)
{
	table_set(t, c, MAX(table_cell(t, c) + more, 0));
}

static char *line_at(const struct table *t, int64_t line)
{
	return t->map + HEAD_SIZE + line * LINE_SIZE;
}

int64_t table_lines(const struct table *t)
{
	return table_cell(t, CELL_SLOTS);
}

enum row_kind table_kind(const struct table *t, int64_t line)
{
	return (enum row_kind)line_at(t, line)[0];
}

/* The first line that a digest may stand on. */
static int64_t home_of(const struct table *t, const struct digest *d)
{
	uint64_t head;

	memcpy(&head, d->byte, sizeof head);
	return (int64_t)(head & (uint64_t)(table_lines(t) - 1));
}

/* The line where it stands; else, negative, the complement of a free one. */
static int64_t probe(const struct table *t, enum row_kind kind, const struct digest *d)
{
	int64_t lines = table_lines(t), line = home_of(t, d);
	char want[DIGEST_HEX + 1];

	digest_hex(d, want);
	for (int64_t n = 0; n < lines; n++, line = (line + 1) & (lines - 1)) {
		const char *text = line_at(t, line);

		if (text[0] == ROW_FREE)
			return ~line;
		if (text[0] == (char)kind && memcmp(text + AT_DIGEST, want, DIGEST_HEX) == 0)
			return line;
	}
	return ~lines; /* full: a sound table never is */
}

int64_t table_find(const struct table *t, enum row_kind kind, const struct digest *d)
{
	return MAX(probe(t, kind, d), -1);
}

void table_read(const struct table *t, int64_t line, struct row *r)
{
	const char *text = line_at(t, line);

	r->kind = (enum row_kind)text[0];
	digest_parse(&r->digest, text + AT_DIGEST, DIGEST_HEX);
	r->uses = get_number(text + AT_USES, WIDTH_USES);
	r->size = get_number(text + AT_SIZE, WIDTH_SIZE);
	r->used = get_number(text + AT_USED, WIDTH_TIME);
	r->expires = get_number(text + AT_EXPIRES, WIDTH_TIME);
}

void table_write(struct table *t, int64_t line, const struct row *r)
{
	char hex[DIGEST_HEX + 1], *text = line_at(t, line);

	memset(text, ' ', LINE_SIZE - 1);
	text[LINE_SIZE - 1] = '\n';
	memcpy(text + AT_DIGEST, digest_hex(&r->digest, hex), DIGEST_HEX);
	put_number(text + AT_USES, WIDTH_USES, r->uses);
	put_number(text + AT_SIZE, WIDTH_SIZE, r->size);
	put_number(text + AT_USED, WIDTH_TIME, r->used);
	put_number(text + AT_EXPIRES, WIDTH_TIME, r->expires);
	text[0] = (char)r->kind;
}

/* Lines and bytes that come (1) or go (-1) with a row. */
static void account(struct table *t, const struct row *r, int sign)
{
	if (r->kind == ROW_ENTRY)
		table_count(t, CELL_ENTRIES, sign);
	if (r->kind != ROW_OBJECT)
		return;
	table_count(t, CELL_OBJECTS, sign);
	table_count(t, CELL_BYTES, sign * r->size);
}

void table_remove(struct table *t, int64_t line)
{
	struct row r;

	table_read(t, line, &r);
	account(t, &r, -1);
	line_at(t, line)[0] = ROW_REMOVED;
}

/* All live rows move to a new table. */
static int grow(struct table *t)
{
	int64_t live = table_cell(t, CELL_ENTRIES) + table_cell(t, CELL_OBJECTS);
	struct table old = *t;
	int r = table_make(t, old.dir, live + 1);

	if (r < 0) {
		table_close(t);
		*t = old;
		return r;
	}
	for (int64_t i = 0; i < table_lines(&old); i++) {
		struct row row;

		if (table_kind(&old, i) != ROW_ENTRY && table_kind(&old, i) != ROW_OBJECT)
			continue;
		table_read(&old, i, &row);
		if (table_add(t, &row) < 0)
			return -EINVAL;
	}
	table_set(t, CELL_CHANGING, table_cell(&old, CELL_CHANGING));
	table_close(&old);
	return 0;
}

int64_t table_add(struct table *t, const struct row *r)
{
	int64_t line;

	if (3 * (table_cell(t, CELL_FILLED) + 1) > 2 * table_lines(t)) {
		int failed = grow(t);

		if (failed < 0)
			return failed;
	}
	line = ~probe(t, r->kind, &r->digest);
	if (line < 0 || line >= table_lines(t))
		return -EINVAL;
	table_write(t, line, r);
	account(t, r, 1);
	table_count(t, CELL_FILLED, 1);
	return line;
}

void table_close(struct table *t)
{
	if (t->map)
		munmap(t->map, t->size);
	*t = (struct table){.dir = -1};
}

static int map_file(struct table *t, int fd, size_t size)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		return -errno;
	t->map = map;
	t->size = size;
	return 0;
}

/* Whether its head makes sense, and says that the rest does. */
static bool is_sound(const struct table *t, bool any)
{
	int64_t slots = table_cell(t, CELL_SLOTS);

	for (int c = 0; c < CELL_COUNT; c++) {
		const char *name = cell_names[c];

		if (table_cell(t, (enum cell)c) < 0 ||
			strncmp(cell_at(t, (enum cell)c), name, strlen(name)) != 0)
			return false;
	}
	return table_cell(t, CELL_FORMAT) == FORMAT &&
		(any || !table_cell(t, CELL_CHANGING)) &&
		slots >= SLOTS_MIN && !(slots & (slots - 1)) &&
		table_cell(t, CELL_FILLED) < slots &&
		t->size == (size_t)HEAD_SIZE + (size_t)slots * LINE_SIZE;
}

int table_open(struct table *t, int dir, bool any)
{
	AUTO_CLOSE int fd = io_open(dir, "table", O_RDWR | O_NOFOLLOW, 0);
	struct stat st;
	int r;

	*t = (struct table){.dir = dir};
	if (fd < 0)
		return fd == -ENOENT ? -EINVAL : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < HEAD_SIZE || st.st_size > INT64_C(1) << 40)
		return -EINVAL;
	r = map_file(t, fd, (size_t)st.st_size);
	if (r < 0 || is_sound(t, any))
		return r;
	table_close(t);
	return -EINVAL;
}

static void blank(struct buf *b, int64_t slots)
{
	char line[LINE_SIZE];

	for (int c = 0; c < HEAD_SIZE / CELL_SIZE; c++)
		buf_format(b, "%-*s%*d\n", CELL_NAME, c < CELL_COUNT ? cell_names[c] : "",
			CELL_WIDTH, 0);
	memset(line, ' ', sizeof line);
	line[0] = ROW_FREE;
	line[LINE_SIZE - 1] = '\n';
	for (int64_t i = 0; i < slots; i++)
		buf_add(b, line, sizeof line);
}

/* What was counted goes over, as far as it can be read. */
static void keep_counts(struct table *t)
{
	char head[HEAD_SIZE];
	const struct table old = {.map = head};
	AUTO_CLOSE int fd = io_open(t->dir, "table", O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0 || io_read(fd, head, sizeof head) != sizeof head)
		return;
	for (int c = CELL_HITS; c < CELL_COUNT; c++)
		table_set(t, (enum cell)c, MAX(table_cell(&old, (enum cell)c), 0));
}

static int make_file(struct table *t, int64_t slots)
{
	AUTO_CLOSE int fd = io_open(
		t->dir, "table.new", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW, 0600);
	AUTO_BUF struct buf b = {0};
	int r;

	if (fd < 0)
		return fd;
	blank(&b, slots);
	r = io_write(fd, b.text, b.length);
	return r < 0 ? r : map_file(t, fd, b.length);
}

int table_make(struct table *t, int dir, int64_t rows)
{
	int64_t slots = SLOTS_MIN;
	int r;

	while (slots < 3 * rows)
		slots *= 2;
	*t = (struct table){.dir = dir};
	r = make_file(t, slots);
	if (r < 0)
		return r;
	table_set(t, CELL_FORMAT, FORMAT);
	table_set(t, CELL_SLOTS, slots);
	table_set(t, CELL_CHANGING, 1);
	keep_counts(t);
	return renameat(dir, "table.new", dir, "table") < 0 ? -errno : 0;
}
