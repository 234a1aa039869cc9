/*
 * A process ends or stops itself just before a system call of the lock's code. The
 * linker sends those calls here (-Wl,--wrap), so every gap between two is met.
 */
#include "stress.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/stat.h>

static int calls_left, end_signal;

void fault_after(int calls, int signal)
{
	calls_left = calls;
	end_signal = signal;
}

static void step(void)
{
	if (calls_left && --calls_left == 0)
		kill(getpid(), end_signal);
}

int __real_fcntl(int, int, void *);
int __wrap_fcntl(int, int, ...);
int __wrap_fcntl(int fd, int command, ...)
{
	void *argument;
	va_list list;

	va_start(list, command);
	argument = va_arg(list, void *);
	va_end(list);
	step();
	return __real_fcntl(fd, command, argument);
}

#define WRAP(type, name, parameters, arguments) \
	type __real_##name parameters;          \
	type __wrap_##name parameters;          \
	type __wrap_##name parameters           \
	{                                       \
		step();                         \
		return __real_##name arguments; \
	}

WRAP(ssize_t, pread, (int fd, void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(int, close, (int fd), (fd))
WRAP(int, fstat, (int fd, struct stat *st), (fd, st))
WRAP(int, ppoll, (struct pollfd * p, nfds_t n, const struct timespec *t, const sigset_t *s),
	(p, n, t, s))
