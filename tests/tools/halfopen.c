/*
 * halfopen: many connections that say only the beginning of something.
 *
 *	halfopen PORT COUNT TEXT
 *
 * Connects so many times and sends the text (printf's \r and \n resolved) on
 * each, prints "ready", and then how many of them the server has closed, at the
 * end of standard input at the latest.
 */
#include "base.h"

#include "buf.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

static int dial(int64_t port, const struct buf *text)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die_errno(EX_UNAVAILABLE, "port %d", (int)port);
	if (io_write(fd, text->text, text->length) < 0)
		die(EX_IOERR, "write");
	return fd;
}

static void unescape(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' && (text[1] == 'r' || text[1] == 'n'))
			buf_char(out, *++text == 'r' ? '\r' : '\n');
		else
			buf_char(out, *text);
	}
	buf_add(out, "", 0);
}

/* Whether the server has ended it; what it says before that is thrown away. */
static bool ended(struct pollfd *p)
{
	char bytes[4096];
	ssize_t n;

	if (!(p->revents & (POLLIN | POLLHUP | POLLERR)))
		return false;
	n = recv(p->fd, bytes, sizeof bytes, MSG_DONTWAIT);
	if (n > 0)
		return false;
	close(p->fd);
	p->fd = -1;
	return true;
}

static int64_t count_ended(struct pollfd *all, int64_t count)
{
	int64_t closed = 0;

	while (closed < count) {
		int n = poll(all, (nfds_t)count + 1, -1);

		if (n < 0)
			die_errno(EX_OSERR, "poll");
		for (int64_t i = 0; i < count; i++)
			closed += all[i].fd >= 0 && ended(&all[i]);
		if (all[count].revents)
			break;
	}
	return closed;
}

int main(int argc, char **argv)
{
	AUTO_BUF struct buf text = {0};
	struct rlimit files;
	struct pollfd *all;
	int64_t port, count;

	die_init("halfopen", 0);
	if (argc != 4 || parse_int(argv[1], 1, 65535, &port) < 0 ||
		parse_int(argv[2], 1, 100000, &count) < 0)
		die(EX_USAGE, "usage: halfopen PORT COUNT TEXT");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	unescape(&text, argv[3]);
	all = mem_zero((size_t)count + 1, sizeof *all);
	for (int64_t i = 0; i < count; i++)
		all[i] = (struct pollfd){.fd = dial(port, &text), .events = POLLIN};
	all[count] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
	puts("ready");
	if (finish(0) != 0)
		return EX_IOERR;
	printf("%lld\n", (long long)count_ended(all, count));
	free(all);
	return finish(0);
}
