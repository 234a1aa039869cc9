/*
 * Any bytes as the table of a lock: nothing is read out of bounds, and what is
 * accepted is within the bounds that the rest relies on and is written back as
 * it was read.
 */
#include "lock_table.h"

#include "io.h"

#include <sys/mman.h>

static void check_row(const struct lock_row *row, int fd)
{
	if (row->ticket < 0 || row->ticket >= LOCK_TICKETS || row->units < 1 || row->pid < 1 ||
		strlen(row->label) >= LOCK_LABEL)
		abort();
	if (!lock_row_stands(row, fd))
		abort();
	if (lock_row_write(row, fd) < 0 || !lock_row_stands(row, fd))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lock_table t;
	static int fd = -1;
	int r;

	if (fd < 0)
		fd = memfd_create("table", MFD_CLOEXEC);
	if (ftruncate(fd, 0) < 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	r = lock_table_read(&t, fd, size);
	if (r == 0 && (t.head.capacity < 1 || t.head.capacity > LOCK_ROWS_MAX))
		abort();
	if (r == 0 && (t.head.ticket < 1 || t.head.token < 1))
		abort();
	for (size_t i = 0; i < t.count; i++)
		check_row(&t.row[i], fd);
	return 0;
}
