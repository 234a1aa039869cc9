#include "id.h"

#include "die.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/syscall.h>

void id_random(void *bytes, size_t length)
{
	char *p = bytes;

	while (length) {
		ssize_t n = getrandom(p, length, 0);

		if (n < 0 && errno != EINTR)
			die_errno(EX_OSERR, "getrandom");
		if (n > 0) {
			p += n;
			length -= (size_t)n;
		}
	}
}

char *id_uuid(char out[UUID_SIZE])
{
	static const char hex[] = "0123456789abcdef";
	unsigned char b[16];
	char *p = out;

	id_random(b, sizeof b);
	b[6] = (b[6] & 0x0f) | 0x40;
	b[8] = (b[8] & 0x3f) | 0x80;
	for (size_t i = 0; i < sizeof b; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		*p++ = hex[b[i] >> 4];
		*p++ = hex[b[i] & 15];
	}
	*p = '\0';
	return out;
}

/* A small file of /proc in one read, without its final newline; -errno. */
static ssize_t read_small(const char *path, char *out, size_t size)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, out, size - 1);
	if (n < 0)
		return -errno;
	if (n > 0 && out[n - 1] == '\n')
		n--;
	out[n] = '\0';
	return n;
}

static char boot[BOOT_SIZE];

static void read_boot(void)
{
	if (read_small("/proc/sys/kernel/random/boot_id", boot, sizeof boot) < 0)
		boot[0] = '\0';
}

/* Threads may ask at once, and none may see half of it. */
const char *id_boot(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, read_boot);
	return boot;
}

/* Fields 3 and 22 of proc(5)'s stat. */
static const char after_name[] = " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s"
				 " %*s %*s %*s %llu";

int owner_of(pid_t pid, struct owner *owner)
{
	char path[40], stat[1024], *p;
	unsigned long long start;
	char state;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (read_small(path, stat, sizeof stat) <= 0)
		return -ESRCH;
	/* The name in parentheses may hold anything: what is ours begins behind the last one. */
	p = strrchr(stat, ')');
	if (!p || sscanf(p + 1, after_name, &state, &start) != 2)
		return -ESRCH;
	if (state == 'Z' || state == 'X')
		return -ESRCH;
	owner->pid = pid;
	owner->start = start;
	snprintf(owner->boot, sizeof owner->boot, "%s", id_boot());
	return 0;
}

int owner_self(struct owner *owner)
{
	return owner_of(getpid(), owner);
}

bool owner_alive(const struct owner *owner)
{
	struct owner now;

	return owner->pid > 0 && owner_of(owner->pid, &now) == 0 && now.start == owner->start &&
		strcmp(now.boot, owner->boot) == 0;
}

/* musl has the call's number, but no function for it. */
int process_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

char *process_name(pid_t pid, char out[PROCESS_NAME_SIZE])
{
	char path[40];

	snprintf(path, sizeof path, "/proc/%d/comm", (int)pid);
	if (read_small(path, out, PROCESS_NAME_SIZE) < 0)
		out[0] = '\0';
	return out;
}
