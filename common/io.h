/*
 * io: files and descriptors. EINTR, short transfers and close-on-exec are
 * handled here and nowhere else. All return 0 or a count, or -errno.
 */
#ifndef IO_H
#define IO_H

#include "base.h"

#include <sys/types.h>
#include <sys/uio.h>

struct buf;

/*
 * openat(2), close-on-exec, never a controlling terminal. The state directory's own
 * files are opened with O_NOFOLLOW besides.
 */
int io_open(int dir, const char *path, int flags, mode_t mode) MUST_CHECK;

/* Everything, or -errno; what was written before a failure stays. The iovec is used up. */
int io_write(int fd, const void *bytes, size_t length) MUST_CHECK;
int io_writev(int fd, struct iovec *, int count) MUST_CHECK;
int io_pwrite(int fd, const void *bytes, size_t length, off_t at) MUST_CHECK;

/* Reads until length bytes or the end; the count, which is short only at the end. */
ssize_t io_read(int fd, void *bytes, size_t length) MUST_CHECK;
ssize_t io_pread(int fd, void *bytes, size_t length, off_t at) MUST_CHECK;

/* One read(2), restarted on EINTR. */
ssize_t io_read_some(int fd, void *bytes, size_t length) MUST_CHECK;

/* The whole of a file, appended to the buffer; -EMSGSIZE if it is larger than max. */
int io_read_all(int fd, size_t max, struct buf *) MUST_CHECK;
int io_read_file(int dir, const char *path, size_t max, struct buf *) MUST_CHECK;

/*
 * Replaces a file whole, so that readers see the old or the new and a power cut
 * leaves one of them: temporary file in the same folder, fsync, rename, fsync
 * of the folder. The path may have folders in it. A symbolic link is replaced
 * by the file: resolve a user's path first.
 */
int io_replace(int dir, const char *path, const void *bytes, size_t length, mode_t mode) MUST_CHECK;

/*
 * The same without waiting for the disk: readers see the old or the new, but a power cut may
 * leave an empty file. For what is written often and can be begun anew.
 */
int io_replace_lazily(int dir, const char *path, const void *bytes, size_t length,
	mode_t mode) MUST_CHECK;

int io_sync_dir(int dir) MUST_CHECK;

/*
 * The exclusive flock(2) of an open file, for short moments of holding: flock has no
 * deadline and a signal would be somebody else's, so it is asked again and again, soon
 * at first. -ETIMEDOUT at the deadline (clock_now). The kernel frees it with the
 * descriptor.
 */
int io_lock(int fd, int64_t deadline) MUST_CHECK;

/* A file in memory that holds the text, at its beginning; the name is for who looks into /proc. */
int io_memory(const char *name, const void *text, size_t length) MUST_CHECK;

int io_pipe(int ends[2]) MUST_CHECK;
int io_nonblock(int fd, bool on) MUST_CHECK;

/* Whether there are the descriptors that an event loop of libuv takes: it aborts without. */
int io_loop_room(void) MUST_CHECK;

/*
 * Fills 0, 1 and 2 where they are closed, so that none of them becomes somebody's file. What is
 * written to a standard output that was closed still fails with -EBADF.
 */
void io_fill_standard(void);

#endif
