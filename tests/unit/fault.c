#include "unit.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/uio.h>

static struct {
	bool armed;
	enum fault_call call;
	int skip, count, errnum;
} fault;

void fault_at(enum fault_call call, int nth, int count, int errnum)
{
	fault.armed = true;
	fault.call = call;
	fault.skip = nth - 1;
	fault.count = count;
	fault.errnum = errnum;
}

void fault_none(void)
{
	fault.armed = false;
}

/* Whether this call is one of those that fail. */
static bool hit(enum fault_call call)
{
	if (!fault.armed || fault.call != call || fault.count <= 0)
		return false;
	if (fault.skip > 0) {
		fault.skip--;
		return false;
	}
	fault.count--;
	errno = fault.errnum;
	return true;
}

ssize_t __real_write(int, const void *, size_t);
ssize_t __wrap_write(int, const void *, size_t);
ssize_t __wrap_write(int fd, const void *bytes, size_t n)
{
	if (!hit(FAULT_WRITE))
		return __real_write(fd, bytes, n);
	return fault.errnum ? -1 : __real_write(fd, bytes, MIN(n, (size_t)1));
}

ssize_t __real_writev(int, const struct iovec *, int);
ssize_t __wrap_writev(int, const struct iovec *, int);
ssize_t __wrap_writev(int fd, const struct iovec *v, int count)
{
	if (!hit(FAULT_WRITEV))
		return __real_writev(fd, v, count);
	return fault.errnum ? -1 : __real_write(fd, v->iov_base, MIN(v->iov_len, (size_t)1));
}

ssize_t __real_pread(int, void *, size_t, off_t);
ssize_t __wrap_pread(int, void *, size_t, off_t);
ssize_t __wrap_pread(int fd, void *bytes, size_t n, off_t at)
{
	return hit(FAULT_PREAD) ? -1 : __real_pread(fd, bytes, n, at);
}

int __real_fsync(int);
int __wrap_fsync(int);
int __wrap_fsync(int fd)
{
	return hit(FAULT_FSYNC) ? -1 : __real_fsync(fd);
}

int __real_fdatasync(int);
int __wrap_fdatasync(int);
int __wrap_fdatasync(int fd)
{
	return hit(FAULT_FDATASYNC) ? -1 : __real_fdatasync(fd);
}

int __real_openat(int, const char *, int, ...);
int __wrap_openat(int, const char *, int, ...);
int __wrap_openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	int mode;

	va_start(args, flags);
	mode = va_arg(args, int);
	va_end(args);
	return hit(FAULT_OPENAT) ? -1 : __real_openat(dir, path, flags, mode);
}

int __real_renameat(int, const char *, int, const char *);
int __wrap_renameat(int, const char *, int, const char *);
int __wrap_renameat(int from, const char *old, int to, const char *new)
{
	return hit(FAULT_RENAMEAT) ? -1 : __real_renameat(from, old, to, new);
}
