/*
 * fanfloor: the least that serving events to many clients costs: what comes on
 * standard input is sent to all who have asked for anything, in one write a
 * client for all that is there. No filters, no resume, no journal.
 *
 *	fanfloor PORT
 */
#include "base.h"

#include "buf.h"
#include "die.h"
#include "io.h"
#include "parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { CLIENTS_MAX = 65536,
	INPUT = CLIENTS_MAX,
	LISTENER };

static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
static size_t sent[CLIENTS_MAX]; /* by descriptor */
static bool asked[CLIENTS_MAX], full[CLIENTS_MAX];
static int clients[CLIENTS_MAX], count, poll_fd;
static struct buf text; /* all that ever came */

static void watch(int fd, uint64_t data, uint32_t events, int how)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	if (epoll_ctl(poll_fd, how, fd, &e) < 0)
		die_errno(EX_OSERR, "epoll");
}

static void flush(int fd)
{
	while (asked[fd] && sent[fd] < text.length) {
		ssize_t n = send(fd, text.text + sent[fd], text.length - sent[fd],
			MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n <= 0) {
			watch(fd, (uint64_t)fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
			full[fd] = true;
			return;
		}
		sent[fd] += (size_t)n;
	}
	if (full[fd])
		watch(fd, (uint64_t)fd, EPOLLIN, EPOLL_CTL_MOD);
	full[fd] = false;
}

/* Who has gone would be told of for ever. */
static void leave(int fd)
{
	int i = 0;

	while (clients[i] != fd)
		i++;
	clients[i] = clients[--count];
	asked[fd] = full[fd] = false;
	close(fd);
}

static void ask(int fd)
{
	char request[4096];
	ssize_t n = recv(fd, request, sizeof request, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		leave(fd);
		return;
	}
	if (n < 0 || asked[fd])
		return;
	asked[fd] = true;
	sent[fd] = text.length;
	if (io_write(fd, head, strlen(head)) < 0)
		die(EX_IOERR, "head");
}

static void admit(int listener)
{
	int on = 1;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0 || fd >= CLIENTS_MAX)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	clients[count++] = fd;
	watch(fd, (uint64_t)fd, EPOLLIN, EPOLL_CTL_ADD);
}

static void take_in(void)
{
	ssize_t n = io_read_some(STDIN_FILENO, buf_reserve(&text, 1 << 16), 1 << 16);

	if (n <= 0)
		exit(0);
	text.length += (size_t)n;
	for (int i = 0; i < count; i++)
		flush(clients[i]);
}

static void serve(int listener)
{
	struct epoll_event ready[512];

	for (;;) {
		int n = epoll_wait(poll_fd, ready, countof(ready), -1);

		for (int i = 0; i < n; i++) {
			uint64_t who = ready[i].data.u64;

			if (who == LISTENER)
				admit(listener);
			else if (who == INPUT)
				take_in();
			else if (ready[i].events & ~(uint32_t)EPOLLOUT)
				ask((int)who);
			else
				flush((int)who);
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	struct rlimit files;
	int64_t port;
	int on = 1;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	die_init("fanfloor", 0);
	if (argc != 2 || parse_int(argv[1], 1, 65535, &port) < 0)
		die(EX_USAGE, "usage: fanfloor PORT");
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	a.sin_port = htons((uint16_t)port);
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&a, sizeof a) < 0 || listen(listener, 4096) < 0)
		die_errno(EX_UNAVAILABLE, "port %lld", (long long)port);
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	watch(listener, LISTENER, EPOLLIN, EPOLL_CTL_ADD);
	watch(STDIN_FILENO, INPUT, EPOLLIN, EPOLL_CTL_ADD);
	serve(listener);
}
