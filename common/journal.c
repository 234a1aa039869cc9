/*
 * Appending. The lock is on the file itself, so a rotated file's lock guards
 * nothing: whoever has it asks whether the path still names that file. What a
 * killed writer left of a line gets its newline first, in the same write.
 */
#include "journal.h"

#include "clock.h"
#include "die.h"
#include "event.h"
#include "io.h"
#include "parse.h"
#include "segment.h"
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

/* How long one append may go on taking in what others put aside. */
#define SPOOL_TIME (100 * NS_PER_MS)

void journal_init(struct journal *j, const struct state *s)
{
	*j = (struct journal){
		.state = s, .fd = -1, .base = -1, .whole = -1, .wait = JOURNAL_LOCK_WAIT};
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
	j->base = j->whole = -1;
}

static int64_t segment_size(void)
{
	const char *text = getenv("LOOP_JOURNAL_SEGMENT");
	int64_t size;

	return text && parse_size(text, &size) == 0 && size > 0 ? size : JOURNAL_SEGMENT;
}

/* Opens the newest segment; a new one's name is on disk before anything in it is acknowledged. */
static int open_newest(struct journal *j)
{
	const int flags = O_RDWR | O_APPEND;
	struct stat st;
	int r = 0;

	j->fd = state_file(j->state, SEGMENT_NEWEST, flags, 0);
	if (j->fd == -ENOENT) {
		j->fd = state_file(j->state, SEGMENT_NEWEST, flags | O_CREAT, 0600);
		r = j->fd < 0 ? 0 : io_sync_dir(j->state->dir);
	}
	if (j->fd < 0 || r < 0)
		return MIN(j->fd, r);
	if (fstat(j->fd, &st) < 0)
		return -errno;
	j->inode = st.st_ino;
	j->device = st.st_dev;
	j->limit = segment_size();
	return 0;
}

/* Whether the path still names the open file, whose number nobody else has while it is open. */
static bool is_newest(const struct journal *j, int64_t *size)
{
	struct stat path;

	if (fstatat(j->state->dir, SEGMENT_NEWEST, &path, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	*size = path.st_size;
	return path.st_ino == j->inode && path.st_dev == j->device;
}

static int rotate(const struct journal *j)
{
	char name[SEGMENT_NAME_SIZE];
	int dir = j->state->dir;

	/* Never over a segment that is there. */
	if (faccessat(dir, segment_name(name, j->base), F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return -EEXIST;
	return renameat(dir, SEGMENT_NEWEST, dir, name) < 0 ? -errno : 0;
}

/* One attempt: 1 locked, its size known; 0 it was or is rotated, try again. */
static int try_acquire(struct journal *j, int64_t deadline, int64_t *size)
{
	int r = j->fd < 0 ? open_newest(j) : 0;

	if (r == 0)
		r = io_lock(j->fd, deadline);
	if (r < 0)
		return r;
	if (!is_newest(j, size))
		return 0;
	if (j->base < 0)
		j->base = segment_base(j->state->dir, j->fd);
	if (j->base < 0)
		return (int)j->base;
	/* One that cannot be renamed goes on growing. */
	return *size < j->limit || rotate(j) < 0;
}

/* Gets the lock on the segment to append to. */
static int acquire(struct journal *j, int64_t deadline, int64_t *size)
{
	int r;

	while ((r = try_acquire(j, deadline, size)) == 0)
		journal_close(j);
	if (r < 0)
		journal_close(j);
	return MIN(r, 0);
}

static void release(struct journal *j)
{
	if (j->fd >= 0)
		flock(j->fd, LOCK_UN);
}

/*
 * 1 if the last line has no end, or -errno: glued to what cannot be read, a line may be lost.
 * Asked of the file only where we did not write it ourselves.
 */
static int is_torn(const struct journal *j, int64_t size)
{
	char last = '\n';
	ssize_t n = size > 0 && size != j->whole ? io_pread(j->fd, &last, 1, size - 1) : 0;

	return n < 0 ? (int)n : last != '\n';
}

void journal_lines(struct buf *b, const struct span *records, size_t count, int64_t position)
{
	size_t start = b->length, room = 0;

	for (size_t i = 0; i < count; i++)
		room += sizeof SEGMENT_HEAD + 20 + records[i].n;
	buf_reserve(b, room);
	for (size_t i = 0; i < count; i++) {
		int64_t id = position + (int64_t)(b->length - start);

		buf_add(b, SEGMENT_HEAD, sizeof SEGMENT_HEAD - 1);
		buf_int(b, id);
		buf_char(b, '"');
		buf_add(b, records[i].p, records[i].n);
	}
}

int64_t journal_behind(int64_t position, struct span record)
{
	int64_t digits = 1;

	for (int64_t left = position; left >= 10; left /= 10)
		digits++;
	return position + (int64_t)sizeof SEGMENT_HEAD - 1 + digits + 1 + (int64_t)record.n;
}

static size_t count_lines(const char *text, size_t n)
{
	const char *end = text + n;
	size_t lines = 0;

	while ((text = memchr(text, '\n', (size_t)(end - text))))
		text++, lines++;
	return lines;
}

/* After a failed write: what stands there as whole lines stays, the rest of the last goes. */
static size_t keep_whole_lines(const struct journal *j, const struct buf *b, int64_t size)
{
	struct stat st;
	const char *last;
	size_t n;

	if (fstat(j->fd, &st) < 0 || st.st_size <= size)
		return 0;
	n = MIN((size_t)(st.st_size - size), b->length);
	last = memrchr(b->text, '\n', n);
	n = last ? (size_t)(last + 1 - b->text) : 0;
	if (ftruncate(j->fd, size + (int64_t)n) < 0)
		return 0; /* a torn line, then: the next writer ends it */
	return n;
}

/* Appends under the lock; the size grows by what was written. */
static int write_records(struct journal *j, int64_t *size, const struct span *records, size_t count,
	struct appended *out)
{
	AUTO_BUF struct buf b = {0};
	int torn = is_torn(j, *size), r;
	size_t written;

	if (torn < 0)
		return torn;
	if (torn)
		buf_char(&b, '\n');
	journal_lines(&b, records, count, j->base + *size + torn);
	r = io_write(j->fd, b.text, b.length);
	written = r == 0 ? b.length : keep_whole_lines(j, &b, *size);
	out->count = count_lines(b.text, written) - (torn && written);
	out->first = out->count ? j->base + *size + torn : -1;
	*size += (int64_t)written;
	out->next = j->base + *size;
	j->whole = r == 0 ? *size : -1;
	return r;
}

static int sync_file(const struct journal *j)
{
	return fdatasync(j->fd) < 0 ? -errno : 0;
}

/* How many of a claimed file's records stand where it says that they were being appended. */
static size_t count_standing(const struct journal *j, const struct spool *s)
{
	AUTO_BUF struct buf want = {0}, is = {0};
	AUTO_CLOSE int fd = -1;
	int64_t base;
	bool newest;
	size_t same = 0;
	ssize_t n;

	if (s->position >= 0 && s->skip < s->count)
		fd = segment_open(j->state->dir, s->position, &base, &newest);
	if (fd < 0)
		return 0;
	journal_lines(&want, s->record + s->skip, s->count - s->skip, s->position);
	n = io_pread(fd, buf_reserve(&is, want.length), want.length, s->position - base);
	while (n > 0 && same < (size_t)n && want.text[same] == is.text[same])
		same++;
	return count_lines(want.text, same);
}

/* The rest of one file that was put aside; on disk before the file goes. */
static int take_file(struct journal *j, int64_t *size, struct spool *s)
{
	struct appended done;
	int torn, r = 0;

	s->skip += count_standing(j, s);
	if (s->skip < s->count) {
		torn = is_torn(j, *size);
		r = torn < 0 ? torn : spool_claim(s, j->base + *size + torn);
		if (r == 0)
			r = write_records(j, size, s->record + s->skip, s->count - s->skip, &done);
	}
	if (r == 0)
		r = sync_file(j);
	if (r == 0)
		spool_done(s);
	return r;
}

static void take_spool(struct journal *j, int64_t *size)
{
	struct spool s;
	int64_t deadline;

	if (!spool_open(&s, j->state))
		return;
	deadline = clock_after(SPOOL_TIME);
	while (spool_next(&s))
		if (take_file(j, size, &s) < 0 || clock_now() >= deadline)
			break;
	spool_close(&s, j->state);
}

/* Puts aside what was not appended, where that helps. */
static int put_aside(struct journal *j, const struct span *records, size_t count, int why,
	struct appended *out, struct err *e)
{
	int r = spool_put(j->state, records + out->count, count - out->count);

	out->spooled = r == 0;
	out->why = why;
	if (r < 0)
		return err_sys(e, why, "%s/%s: cannot append", j->state->path, SEGMENT_NEWEST);
	return 0;
}

int journal_append(struct journal *j, const struct span *records, size_t count, unsigned flags,
	struct appended *out, struct err *e)
{
	bool going_on;
	int64_t size;
	int r;

	*out = (struct appended){.first = -1, .next = -1};
	if (!count)
		return 0;
	r = acquire(j, clock_after(j->wait), &size);
	if (r < 0)
		return put_aside(j, records, count, r, out, e);
	/* What others put aside goes in before our first lines, so that a script's events keep
	 * their order; and behind later ones, whose readers need not wait for it. */
	going_on = j->whole >= 0;
	if (!going_on)
		take_spool(j, &size);
	r = write_records(j, &size, records, count, out);
	if (r == 0 && going_on)
		take_spool(j, &size);
	if (r < 0 || flags != JOURNAL_LAST)
		release(j);
	if (r < 0)
		return put_aside(j, records, count, r, out, e);
	if (flags & JOURNAL_SYNC)
		r = sync_file(j);
	if (r < 0)
		return err_sys(e, r, "%s/%s: cannot sync", j->state->path, SEGMENT_NEWEST);
	return 0;
}

void journal_emit(struct journal *j, const struct event *ev)
{
	static bool warned;
	AUTO_BUF struct buf record = {0};
	struct err e = {0};
	struct appended done;
	int r = event_record(&record, ev, &e);

	if (r == 0)
		r = journal_append(j, &(struct span){record.text, record.length}, 1,
			ev->priority == CRITICAL ? JOURNAL_SYNC : 0, &done, &e);
	if (r < 0 && !warned) {
		warned = true;
		warn("an event was lost: %s", e.text);
	}
}
