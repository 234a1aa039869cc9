/*
 * Items that have been ready for too long have a turn (queue.h). While there is one, each claim
 * adds a byte to the file "turns", and the kernel puts these in a row: no lock, and nothing to
 * mend when a claim is killed: the turn that it had comes again.
 */
#include "queue_file.h"

#include "io.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { TURNS_MAX = 512 * QUEUE_TURN }; /* then the file begins anew */

int64_t file_age(const struct queue_file *f)
{
	AUTO_BUF struct buf text = {0};
	int64_t ms;

	if (io_read_file(f->dir, "age", 64, &text) < 0)
		return QUEUE_AGE / NS_PER_MS;
	ms = strtoll(text.text, NULL, 10);
	return ms > 0 ? ms : INT64_MAX;
}

int file_set_age(struct queue *q, int64_t time, struct err *e)
{
	struct queue_file *f = container_of(q, struct queue_file, queue);
	char text[32];
	int n = snprintf(
		text, sizeof text, "%lld\n", time == NS_FOREVER ? 0 : (long long)to_ms(time));
	int r = io_replace(f->dir, "age", text, (size_t)n, 0600);

	return r < 0 ? err_sys(e, r, "queue %s: age", q->name) : 0;
}

/* Where no byte can be added, the disk is full: nothing is put, so nothing keeps others waiting. */
bool turn_take(const struct queue_file *f)
{
	AUTO_CLOSE int fd =
		io_open(f->dir, "turns", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
	off_t end;

	if (fd < 0 || io_write(fd, ".", 1) < 0)
		return false;
	end = lseek(fd, 0, SEEK_CUR);
	if (end >= TURNS_MAX)
		(void)!ftruncate(fd, 0);
	return end % QUEUE_TURN == 0;
}

bool turn_is_next(const struct queue_file *f)
{
	struct stat st;
	off_t taken = fstatat(f->dir, "turns", &st, AT_SYMLINK_NOFOLLOW) == 0 ? st.st_size : 0;

	return (taken + 1) % QUEUE_TURN == 0;
}
