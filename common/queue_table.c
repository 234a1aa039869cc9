/* The index of a queue: read, searched, and after a reboot made anew of the blocks there are. */
#include "queue_file.h"

#include "clock.h"
#include "id.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#define HEAD "loop-queue 1 "

int64_t file_now(const struct queue_file *f)
{
	return (clock_now() + f->offset) / NS_PER_MS;
}

int64_t to_ms(int64_t ns)
{
	return ns / NS_PER_MS + (ns % NS_PER_MS != 0);
}

enum { TABLE_STEP = 128 }; /* lines that are read at once: no more memory is touched for them */

static void table_grow(struct queue_file *f, size_t slots)
{
	if (slots <= f->capacity)
		return;
	f->capacity = slots + slots / 2;
	f->blocks = mem_resize(f->blocks, f->capacity, sizeof *f->blocks);
}

/* The next of the table; the first is the head, and no block's. */
static void take_line(struct queue_file *f, const char line[QUEUE_LINE])
{
	struct block_line *b = &f->blocks[f->slots];

	if (f->slots == 0) {
		*b = (struct block_line){0};
	} else if (!block_line_parse(line, b)) {
		f->torn |= *line != '\0';
		*b = (struct block_line){0};
	}
	if (b->number > f->blocks[f->newest].number)
		f->newest = f->slots;
	f->slots++;
}

int table_read(struct queue_file *f, struct err *e)
{
	char text[TABLE_STEP * QUEUE_LINE];
	ssize_t n;

	f->slots = f->newest = 0;
	f->torn = false;
	do {
		n = io_pread(f->index, text, sizeof text, (off_t)f->slots * QUEUE_LINE);
		if (n < 0)
			return err_sys(e, (int)n, "queue %s: index", f->queue.name);
		table_grow(f, f->slots + TABLE_STEP);
		for (ssize_t at = 0; at + QUEUE_LINE <= n; at += QUEUE_LINE)
			take_line(f, text + at);
		f->torn |= n % QUEUE_LINE != 0;
	} while (n == sizeof text);
	return 0;
}

size_t table_find(const struct queue_file *f, int64_t number)
{
	for (size_t i = 1; number && i < f->slots; i++)
		if (f->blocks[i].number == number)
			return i;
	return 0;
}

/* Whether the head is of this boot; takes the clock from it. */
static bool head_fits(struct queue_file *f)
{
	char text[QUEUE_LINE + 1] = "", *p = text + sizeof HEAD - 1;
	const char *boot = id_boot();
	size_t n = strlen(boot);

	if (io_pread(f->index, text, QUEUE_LINE, 0) != QUEUE_LINE ||
		memcmp(text, HEAD, sizeof HEAD - 1) != 0 || strncmp(p, boot, n) != 0 || p[n] != ' ')
		return false;
	f->offset = strtoll(p + n, NULL, 10);
	return true;
}

/*
 * The queue's clock starts with the wall clock's time and then runs on by itself, so that
 * no lease ends early and no delay late when somebody sets the wall clock.
 */
static int write_head(struct queue_file *f)
{
	char text[QUEUE_LINE], words[QUEUE_LINE];
	int n;

	f->offset = clock_real() - clock_now();
	n = snprintf(words, sizeof words, HEAD "%s %lld", id_boot(), (long long)f->offset);
	memset(text, ' ', sizeof text);
	memcpy(text, words, (size_t)n);
	text[sizeof text - 1] = '\n';
	return io_pwrite(f->index, text, sizeof text, 0);
}

/* The number of a block's items file; 0 for any other file. */
static int64_t number_of(const char *file)
{
	size_t n = strlen(file);
	char digits[24];
	int64_t number;

	if (n < 7 || n - 6 >= sizeof digits || strcmp(file + n - 6, ".items") != 0)
		return 0;
	snprintf(digits, sizeof digits, "%.*s", (int)(n - 6), file);
	return parse_int(digits, 1, BLOCK_NO_READY, &number) < 0 ? 0 : number;
}

/* The numbers of the blocks that have items and that the index does not know. */
static int list_unknown(struct queue_file *f, struct strs *numbers)
{
	int fd = io_open(f->dir, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	if (!dir)
		return fd < 0 ? fd : -errno;
	while ((entry = readdir(dir))) {
		int64_t number = number_of(entry->d_name);

		/* One that is empty is just being made, or nobody was told of it. */
		if (number && !table_find(f, number) && fstatat(fd, entry->d_name, &st, 0) == 0 &&
			st.st_size >= QUEUE_LINE)
			strs_format(numbers, "%lld", (long long)number);
	}
	closedir(dir);
	return 0;
}

int table_unknown(struct queue_file *f, struct strs *numbers, struct err *e)
{
	struct strs listed = {0};
	int r = list_unknown(f, &listed);

	if (r < 0)
		err_sys(e, r, "queue %s", f->queue.name);
	else if (listed.count)
		r = table_read(f, e); /* one may have been made, or removed, meanwhile */
	for (size_t i = 0; r == 0 && i < listed.count; i++)
		if (!table_find(f, strtoll(listed.item[i], NULL, 10)))
			strs_add(numbers, listed.item[i]);
	strs_clear(&listed);
	return r;
}

/* Under the lock of the head: lines that are damaged are freed, and every block gets one. */
static int heal(struct queue_file *f, struct err *e)
{
	AUTO_STRS struct strs numbers = {0};
	int r = 0;

	for (size_t i = 1; r == 0 && f->torn && i <= f->slots; i++)
		if (i == f->slots || !f->blocks[i].number)
			r = block_free_torn(f, i, e);
	if (r == 0)
		r = table_unknown(f, &numbers, e);
	for (size_t i = 0; r == 0 && i < numbers.count; i++)
		r = block_adopt(f, strtoll(numbers.item[i], NULL, 10), e);
	return r;
}

/* All figures are counted anew by whoever comes to them. */
static int mark_all(const struct queue_file *f)
{
	int r = 0;

	for (size_t i = 1; r == 0 && i < f->slots; i++)
		if (f->blocks[i].number)
			r = io_pwrite(f->index, "*", 1, (off_t)i * QUEUE_LINE);
	return r;
}

static int lock_head(const struct queue_file *f)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = QUEUE_LINE};
	int64_t deadline = clock_after(BLOCK_WAIT);

	while (fcntl(f->index, F_OFD_SETLK, &l) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
		if (clock_now() >= deadline)
			return -ETIMEDOUT;
		clock_sleep(NS_PER_MS);
	}
	return 0;
}

static void unlock_head(const struct queue_file *f)
{
	struct flock l = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_len = QUEUE_LINE};

	fcntl(f->index, F_OFD_SETLK, &l);
}

static int make_anew(struct queue_file *f, struct err *e)
{
	int r = table_read(f, e);

	if (r == 0 && (r = mark_all(f)) < 0)
		err_sys(e, r, "queue %s: index", f->queue.name);
	if (r == 0)
		r = heal(f, e);
	/* Last: as long as it is the old one, the next who comes does all this. */
	if (r == 0 && (r = write_head(f)) < 0)
		err_sys(e, r, "queue %s: index", f->queue.name);
	return r;
}

int table_heal(struct queue_file *f, struct err *e)
{
	int r = lock_head(f);

	if (r < 0)
		return err_sys(e, r, "queue %s: index", f->queue.name);
	r = table_read(f, e);
	if (r == 0)
		r = heal(f, e);
	unlock_head(f);
	return r < 0 ? r : table_read(f, e);
}

int table_adopt(struct queue_file *f, struct err *e)
{
	int r;

	if (head_fits(f))
		return 0;
	r = lock_head(f);
	if (r < 0)
		return err_sys(e, r, "queue %s: index", f->queue.name);
	r = head_fits(f) ? 0 : make_anew(f, e);
	unlock_head(f);
	return r;
}
