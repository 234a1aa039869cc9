#include "hits.h"

#include "buf.h"
#include "io.h"
#include "parse.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

/* A line: when (microseconds since the epoch), what, the entry. */
enum { HIT = ' ',
	USE = '^' }; /* by a scope that inherits */

enum {
	TIME_WIDTH = 16,
	LINE_SIZE = TIME_WIDTH + 1 + DIGEST_HEX + 1,
	NOTED_MAX = 4096 * LINE_SIZE, /* then the file begins anew */
	COUNT_EVERY = 512,	      /* hits, more or less, though nobody needs the lock */
};

/* Sixteen digits, which will do for some centuries yet. */
static void put_time(char line[TIME_WIDTH], int64_t us)
{
	for (int i = TIME_WIDTH; i-- > 0; us /= 10)
		line[i] = (char)('0' + us % 10);
}

/*
 * Asked of the kernel: the library would look for the faster way first, and the one time that
 * a hit needs does not pay for the pages that it touches.
 */
static int64_t now_us(void)
{
	struct timespec t;

	syscall(SYS_clock_gettime, CLOCK_REALTIME, &t);
	return t.tv_sec * (NS_PER_S / NS_PER_US) + t.tv_nsec / NS_PER_US;
}

bool hits_note(const struct scope *s, const struct digest *key, bool asked_here)
{
	AUTO_CLOSE int fd = io_open(
		s->dir, "hits", O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600);
	int64_t now = now_us();
	char line[LINE_SIZE];

	if (fd < 0)
		return false;
	put_time(line, now);
	line[TIME_WIDTH] = asked_here ? HIT : USE;
	digest_hex(key, line + TIME_WIDTH + 1);
	line[LINE_SIZE - 1] = '\n';
	/* One write: whole, or not at all. */
	return write(fd, line, LINE_SIZE) == LINE_SIZE && now % COUNT_EVERY;
}

/* False for what is no line: a disk was full, or somebody wrote here. */
static bool count_line(struct table *t, const char *line)
{
	char what = line[TIME_WIDTH];
	struct digest key;
	struct row row;
	int64_t at, used = strtoll(line, NULL, 10);

	if ((what != HIT && what != USE) || line[LINE_SIZE - 1] != '\n' ||
		!digest_parse(&key, line + TIME_WIDTH + 1, DIGEST_HEX))
		return false;
	if (what == HIT)
		table_count(t, CELL_HITS, 1);
	at = table_find(t, ROW_ENTRY, &key);
	if (at < 0)
		return true;
	table_read(t, at, &row);
	row.uses = MAX(row.uses, 0) + 1;
	row.used = MAX(row.used, used);
	table_write(t, at, &row);
	return true;
}

/* Counts whole lines; returns the bytes that need not be looked at again. */
static ssize_t count_lines(struct table *t, const char *lines, ssize_t n)
{
	ssize_t at = 0;

	while (at + LINE_SIZE <= n) {
		const char *line = lines + at, *end;

		if (count_line(t, line)) {
			at += LINE_SIZE;
			continue;
		}
		end = memchr(line, '\n', (size_t)(n - at));
		at = end ? end + 1 - lines : n;
	}
	return at;
}

/* What comes in between is lost: a hit that is not counted, once in thousands. */
static void begin_anew(struct scope *s, int fd, int64_t counted)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_size == counted && ftruncate(fd, 0) == 0)
		table_set(&s->table, CELL_COUNTED, 0);
}

void hits_count(struct scope *s)
{
	int64_t counted = table_cell(&s->table, CELL_COUNTED);
	AUTO_CLOSE int fd = io_open(s->dir, "hits", O_RDWR | O_NOFOLLOW | O_NONBLOCK, 0);
	char lines[64 * LINE_SIZE];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	if (counted > st.st_size)
		counted = 0; /* it was begun anew by one who was killed then */
	while (counted < st.st_size) {
		ssize_t n = io_pread(fd, lines, sizeof lines, counted);

		if (n < LINE_SIZE)
			break;
		counted += count_lines(&s->table, lines, n);
	}
	table_set(&s->table, CELL_COUNTED, counted);
	if (counted >= NOTED_MAX)
		begin_anew(s, fd, counted);
}
