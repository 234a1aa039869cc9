#include "daemon.h"

#include "buf.h"
#include "clock.h"
#include "io.h"
#include "parse.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { FIRST_FD = 3,
	PIDFILE_MAX = 4096 };

static void file_name(char out[64], const char *name, const char *suffix)
{
	snprintf(out, 64, "%s.%s", name, suffix);
}

static struct flock whole_file(short type)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET};
}

/* Whether somebody holds the file. */
static bool is_held(int fd)
{
	struct flock lock = whole_file(F_WRLCK);

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

/* The pid on the first line, the place on the second. */
static int read_instance(int fd, pid_t *pid, struct buf *place)
{
	AUTO_BUF struct buf text = {0};
	char *second;
	int64_t value;
	int r = lseek(fd, 0, SEEK_SET) < 0 ? -errno : io_read_all(fd, PIDFILE_MAX, &text);

	if (r < 0)
		return r;
	second = strchr(text.text, '\n');
	if (!second)
		return -EBADMSG;
	*second++ = '\0';
	if (parse_int(text.text, 1, INT32_MAX, &value) < 0)
		return -EBADMSG;
	*pid = (pid_t)value;
	buf_add(place, second, strcspn(second, "\n"));
	return 0;
}

static int busy(const struct daemon *d, int fd, struct err *e)
{
	AUTO_BUF struct buf place = {0};
	pid_t pid;

	buf_add(&place, "", 0);
	if (read_instance(fd, &pid, &place) < 0)
		return err_set(e, -EBUSY, "%s/%s.pid: another one is starting", d->state->path,
			d->name);
	return err_set(e, -EBUSY, "%s/%s.pid: already running: pid %d, %s", d->state->path, d->name,
		(int)pid, place.text);
}

static int claim(struct daemon *d, struct err *e)
{
	struct flock lock = whole_file(F_WRLCK);
	char file[64];
	AUTO_CLOSE int fd = -1;

	file_name(file, d->name, "pid");
	fd = state_file(d->state, file, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return err_sys(e, fd, "%s/%s", d->state->path, file);
	if (fcntl(fd, F_OFD_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES ? busy(d, fd, e)
							  : err_sys(e, -errno, "%s", file);
	d->pidfile = fd;
	fd = -1;
	return ftruncate(d->pidfile, 0) < 0 ? err_sys(e, -errno, "%s", file) : 0;
}

/* The parent's whole rest: until the child says that it is ready, or ends. */
static NORETURN void wait_for_child(pid_t child, int ready)
{
	char byte;
	int status = 0;

	if (io_read_some(ready, &byte, 1) == 1)
		_exit(EXIT_SUCCESS);
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
}

static int detach(struct daemon *d, struct err *e)
{
	int ends[2];
	int r = io_pipe(ends);
	pid_t child;

	if (r < 0)
		return err_sys(e, r, "pipe");
	fflush(NULL);
	child = fork();
	if (child < 0)
		return err_sys(e, -errno, "fork");
	if (child > 0) {
		close(ends[1]);
		wait_for_child(child, ends[0]);
	}
	close(ends[0]);
	d->parent = ends[1];
	setsid();
	return 0;
}

int daemon_begin(struct daemon *d, const struct state *s, const char *name, bool background,
	struct err *e)
{
	int r;

	*d = (struct daemon){.state = s, .name = name, .pidfile = -1, .parent = -1};
	r = background ? detach(d, e) : 0;
	return r < 0 ? r : claim(d, e);
}

static void notify(const char *message)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	AUTO_CLOSE int fd = -1;

	if (n < 2 || n >= sizeof a.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Nobody can be told that nobody was told. */
	(void)!sendto(fd, message, strlen(message), MSG_NOSIGNAL, (struct sockaddr *)&a,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

/* Away from the terminal: nothing in, nothing out, messages to the log. */
static int leave_terminal(struct daemon *d, struct err *e)
{
	char file[64];
	AUTO_CLOSE int log = -1;
	AUTO_CLOSE int null = io_open(AT_FDCWD, "/dev/null", O_RDWR, 0);

	file_name(file, d->name, "log");
	log = state_file(d->state, file, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (log < 0)
		return err_sys(e, log, "%s/%s", d->state->path, file);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
		dup2(log, STDERR_FILENO) < 0)
		return err_sys(e, -errno, "standard descriptors");
	return 0;
}

int daemon_ready(struct daemon *d, const char *place, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	int r;

	buf_format(&text, "%d\n%s\n", (int)getpid(), place);
	r = io_write(d->pidfile, text.text, text.length);
	if (r < 0)
		return err_sys(e, r, "%s/%s.pid", d->state->path, d->name);
	text.length = 0;
	buf_format(&text, "READY=1\nMAINPID=%d\nSTATUS=%s\n", (int)getpid(), place);
	notify(text.text);
	if (d->parent < 0)
		return 0;
	r = leave_terminal(d, e);
	if (r == 0)
		r = io_write(d->parent, "", 1);
	close(d->parent);
	d->parent = -1;
	return r;
}

void daemon_stopping(void)
{
	notify("STOPPING=1\n");
}

void daemon_end(struct daemon *d)
{
	char file[64];

	if (d->pidfile < 0)
		return;
	file_name(file, d->name, "pid");
	unlinkat(d->state->dir, file, 0);
	close(d->pidfile);
	d->pidfile = -1;
}

static bool meant_for_us(void)
{
	const char *pid = getenv("LISTEN_PID");
	int64_t value;

	return pid && parse_int(pid, 1, INT32_MAX, &value) == 0 && value == getpid();
}

int daemon_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? -errno : fd;
}

int daemon_inherited(void)
{
	const char *fds = getenv("LISTEN_FDS");
	int64_t count = 0;

	if (!meant_for_us() || !fds || parse_int(fds, 1, 64, &count) < 0)
		count = 0;
	for (int fd = FIRST_FD; fd < FIRST_FD + count; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			count = 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return (int)count;
}

/* The pid file of one that lives, open; 0 is never one: -ENOENT if none lives. */
static int open_instance(const struct state *s, const char *name)
{
	char file[64];
	int fd;

	file_name(file, name, "pid");
	fd = state_file(s, file, O_RDWR, 0);
	if (fd >= 0 && !is_held(fd)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

int daemon_find(const struct state *s, const char *name, pid_t *pid, struct buf *place)
{
	AUTO_CLOSE int fd = open_instance(s, name);
	int r;

	buf_add(place, "", 0);
	if (fd == -ENOENT)
		return 0;
	r = fd < 0 ? fd : read_instance(fd, pid, place);
	return r < 0 ? r : 1;
}

/* The lock is freed by the kernel, however the instance ends. */
static int wait_until_freed(int fd, int64_t timeout)
{
	int64_t deadline = clock_after(timeout);

	while (is_held(fd)) {
		if (clock_now() >= deadline)
			return -ETIMEDOUT;
		clock_sleep(10 * NS_PER_MS);
	}
	return 1;
}

int daemon_stop(const struct state *s, const char *name, int64_t timeout)
{
	AUTO_CLOSE int fd = open_instance(s, name);
	AUTO_CLOSE int process = -1;
	AUTO_BUF struct buf place = {0};
	pid_t pid;
	int r;

	if (fd == -ENOENT)
		return 0;
	r = fd < 0 ? fd : read_instance(fd, &pid, &place);
	if (r < 0)
		return r;
	process = (int)syscall(SYS_pidfd_open, pid, 0);
	/* Still held: the descriptor is the instance's, not a later owner's of its pid. */
	if (!is_held(fd))
		return 1;
	if (process < 0 || syscall(SYS_pidfd_send_signal, process, SIGTERM, NULL, 0) < 0)
		return -errno;
	return wait_until_freed(fd, timeout);
}
