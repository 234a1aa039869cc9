#include "lock_table.h"

#include "clock.h"
#include "io.h"
#include "mem.h"

#include <errno.h>

enum { STATE_WIDTH = 4,
	SINCE_WIDTH = 24,
	LEVEL = 25, /* from one named priority to the next */
	LEVEL_MS = 60 * 1000 };

static const char *const state_words[] = {
	[LOCK_NOBODY] = "free",
	[LOCK_WAITS] = "wait",
	[LOCK_HOLDS] = "hold",
	[LOCK_TOLD] = "told",
	[LOCK_HANGS] = "hung",
	[LOCK_CANCELLED] = "quit",
	[LOCK_SUSPECTED] = "look",
};

/* The numbers of a row, each behind a blank, to the right of its column. */
struct column {
	const char *name;
	int width;
	size_t member;
};

#define COLUMN(column_name, column_width)                                          \
	{                                                                          \
#column_name, column_width, offsetof(struct lock_row, column_name) \
	}

static const struct column columns[] = {
	COLUMN(ticket, 12),
	COLUMN(token, 12),
	COLUMN(key, 13),
	COLUMN(priority, 3),
	COLUMN(units, 4),
	COLUMN(pid, 7),
	COLUMN(start, 11),
	COLUMN(slot, 4),
};

static int64_t *cell(struct lock_row *row, const struct column *c)
{
	return (int64_t *)(void *)((char *)row + c->member);
}

static int write_at(int fd, const char *bytes, size_t length, size_t line)
{
	off_t at = (off_t)(line * LOCK_LINE);

	while (length) {
		ssize_t n = pwrite(fd, bytes, length, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		bytes += n;
		length -= (size_t)n;
		at += n;
	}
	return 0;
}

/* Writes the n bytes of text that stand in line, with blanks behind them. */
static int write_line(int fd, char line[LOCK_LINE], int n, size_t number)
{
	size_t length = MIN((size_t)n, (size_t)LOCK_LINE - 1);

	memset(line + length, ' ', LOCK_LINE - 1 - length);
	line[LOCK_LINE - 1] = '\n';
	return write_at(fd, line, LOCK_LINE, number);
}

void lock_since(char out[TIME_SIZE])
{
	format_time(out, clock_real());
	memcpy(out + SINCE_WIDTH - 1, "Z", 2); /* milliseconds are enough */
}

void lock_label(char out[LOCK_LABEL], const char *text)
{
	size_t n = 0;

	for (; text && *text && n < LOCK_LABEL - 1; text++)
		out[n++] = *text > ' ' && *text < 0x7f ? *text : *text == ' ' ? ' '
									      : '?';
	out[n] = '\0';
}

int lock_table_write_head(struct lock_table *t, int fd)
{
	struct lock_head *h = &t->head;
	char line[LOCK_LINE + 64];
	int n;

	lock_since(h->changed);
	n = snprintf(line, sizeof line,
		"loop-lock 1 cap %lld ticket %lld token %lld at %s waits %lld %lld %lld",
		(long long)h->capacity, (long long)h->ticket, (long long)h->token, h->changed,
		(long long)MIN(h->waits, INT64_C(999999999)),
		(long long)MIN(h->waited_ms, INT64_C(99999999999)),
		(long long)MIN(h->longest_ms, INT64_C(99999999)));
	return write_line(fd, line, n, 0);
}

int lock_table_start(struct lock_table *t, int fd)
{
	char line[LOCK_LINE] = "stat";
	int n = STATE_WIDTH, r;

	for (size_t i = 0; i < countof(columns); i++)
		n += snprintf(line + n, sizeof line - (size_t)n, " %*.*s", columns[i].width,
			columns[i].width, columns[i].name);
	n += snprintf(line + n, sizeof line - (size_t)n, " %-*s label", SINCE_WIDTH, "since");
	r = write_line(fd, line, n, 1);
	return r < 0 ? r : lock_table_write_head(t, fd);
}

int lock_row_write(const struct lock_row *row, int fd)
{
	char line[LOCK_LINE + 64];
	struct lock_row copy = *row;
	int n = snprintf(line, sizeof line, "%s", state_words[row->state]);

	for (size_t i = 0; i < countof(columns); i++)
		n += snprintf(line + n, sizeof line - (size_t)n, " %*lld", columns[i].width,
			(long long)*cell(&copy, &columns[i]));
	n += snprintf(line + n, sizeof line - (size_t)n, " %-*s %s", SINCE_WIDTH, row->since,
		row->label);
	return write_line(fd, line, n, row->line);
}

int lock_row_drop(struct lock_row *row, int fd)
{
	row->state = LOCK_NOBODY;
	return write_at(fd, state_words[LOCK_NOBODY], STATE_WIDTH, row->line);
}

/* A right-adjusted number that fills its column to the end. */
static bool read_cell(const char *p, int width, int64_t *out)
{
	int64_t value = 0;
	bool negative = false;
	int i = 0;

	while (i < width - 1 && p[i] == ' ')
		i++;
	if (i < width - 1 && p[i] == '-') {
		negative = true;
		i++;
	}
	for (; i < width; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		value = value * 10 + (p[i] - '0');
	}
	*out = negative ? -value : value;
	return true;
}

static bool read_state(const char *line, enum lock_state *state)
{
	for (size_t i = 0; i < countof(state_words); i++) {
		if (memcmp(line, state_words[i], STATE_WIDTH) == 0) {
			*state = (enum lock_state)i;
			return true;
		}
	}
	return false;
}

static size_t trimmed(const char *p, size_t n)
{
	while (n && p[n - 1] == ' ')
		n--;
	return n;
}

static bool read_row(const char *line, bool holders_only, struct lock_row *row)
{
	const char *p = line + STATE_WIDTH;
	size_t n;

	if (!read_state(line, &row->state) || row->state == LOCK_NOBODY)
		return false;
	if (holders_only && !lock_row_holds(row))
		return true;
	for (size_t i = 0; i < countof(columns); p += 1 + columns[i++].width)
		if (*p != ' ' || !read_cell(p + 1, columns[i].width, cell(row, &columns[i])))
			return false;
	if (row->ticket < 0 || row->ticket >= LOCK_TICKETS || row->units < 1 || row->pid < 1)
		return false;
	memcpy(row->since, p + 1, SINCE_WIDTH);
	row->since[SINCE_WIDTH] = '\0';
	p += 1 + SINCE_WIDTH + 1;
	n = trimmed(p, (size_t)(line + LOCK_LINE - 1 - p));
	memcpy(row->label, p, n);
	row->label[n] = '\0';
	return true;
}

bool lock_row_stands(const struct lock_row *row, int fd)
{
	char line[LOCK_LINE];
	struct lock_row now = {0};

	return io_pread(fd, line, sizeof line, (off_t)(row->line * LOCK_LINE)) == LOCK_LINE &&
		read_row(line, false, &now) && now.state == row->state && now.ticket == row->ticket;
}

static int read_head(const char *text, struct lock_head *h)
{
	char line[LOCK_LINE];
	long long v[6];
	int version;

	memcpy(line, text, LOCK_LINE);
	line[LOCK_LINE - 1] = '\0';
	if (text[LOCK_LINE - 1] != '\n' || sscanf(line, "loop-lock %d", &version) != 1)
		return -EBADMSG;
	if (version != 1)
		return -ENOTSUP;
	if (sscanf(line, "loop-lock 1 cap %lld ticket %lld token %lld at %24s waits %lld %lld %lld",
		    &v[0], &v[1], &v[2], h->changed, &v[3], &v[4], &v[5]) != 7)
		return -EBADMSG;
	h->capacity = v[0];
	h->ticket = v[1];
	h->token = v[2];
	h->waits = v[3];
	h->waited_ms = v[4];
	h->longest_ms = v[5];
	if (v[0] < 1 || v[0] > LOCK_ROWS_MAX || v[1] < 1 || v[1] >= LOCK_TICKETS || v[2] < 1 ||
		v[2] >= LOCK_TICKETS)
		return -EBADMSG;
	return 0;
}

int lock_table_peek(struct lock_head *head, int fd)
{
	char line[LOCK_LINE];
	ssize_t n = io_pread(fd, line, sizeof line, 0);

	if (n < 0)
		return (int)n;
	return n < LOCK_LINE ? -EBADMSG : read_head(line, head);
}

static void read_rows(struct lock_table *t, size_t lines)
{
	struct lock_row row = {0};

	t->count = t->waiters = 0;
	for (row.line = LOCK_FIRST_ROW; row.line < lines; row.line++) {
		if (!read_row(t->text + row.line * LOCK_LINE, t->holders_only, &row))
			continue;
		if (t->holders_only && lock_row_waits(&row)) {
			t->waiters++;
			continue;
		}
		t->row = mem_grow(t->row, t->count, &t->capacity, sizeof *t->row);
		t->row[t->count++] = row;
	}
}

int lock_table_read(struct lock_table *t, int fd, size_t size)
{
	ssize_t n;

	size = MIN(size, (size_t)(LOCK_FIRST_ROW + LOCK_ROWS_MAX) * LOCK_LINE);
	if (size > t->room) {
		t->room = MAX(size, (size_t)8 * LOCK_LINE);
		t->text = mem_resize(t->text, t->room, 1);
	}
	n = io_pread(fd, t->text, size, 0);
	if (n < 0)
		return (int)n;
	read_rows(t, (size_t)n / LOCK_LINE);
	if (n == 0)
		return -ENODATA;
	return n < LOCK_LINE ? -EBADMSG : read_head(t->text, &t->head);
}

void lock_table_clear(struct lock_table *t)
{
	free(t->row);
	free(t->text);
	*t = (struct lock_table){0};
}

struct lock_row *lock_table_find(const struct lock_table *t, int64_t ticket)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->row[i].ticket == ticket && t->row[i].state != LOCK_NOBODY)
			return &t->row[i];
	return NULL;
}

/* Rows stand in the file's order: the first gap is where one was dropped or never was. */
size_t lock_table_line(const struct lock_table *t)
{
	size_t line = LOCK_FIRST_ROW;

	for (size_t i = 0; i < t->count; i++) {
		if (t->row[i].state == LOCK_NOBODY)
			continue;
		if (t->row[i].line != line)
			break;
		line++;
	}
	return line < LOCK_FIRST_ROW + LOCK_ROWS_MAX ? line : 0;
}

bool lock_row_waits(const struct lock_row *row)
{
	return row->state != LOCK_NOBODY && !lock_row_holds(row);
}

bool lock_row_holds(const struct lock_row *row)
{
	return row->state == LOCK_HOLDS || row->state == LOCK_TOLD;
}

static int64_t head_start(int64_t priority)
{
	return priority * LEVEL_MS / LEVEL;
}

int64_t lock_key(int64_t arrival, int64_t priority)
{
	return arrival / NS_PER_MS - head_start(priority);
}

int64_t lock_row_arrival(const struct lock_row *row)
{
	return row->key + head_start(row->priority);
}

bool lock_row_before(const struct lock_row *a, const struct lock_row *b)
{
	return a->key != b->key ? a->key < b->key : a->ticket < b->ticket;
}
