/*
 * fanload: many clients of one event stream, and how fast all of them have all
 * events.
 *
 *	fanload PORT PATH CLIENTS EVENTS [POST-PATH]
 *
 * Prints "ready" once every client has its head. The events then come from
 * elsewhere, or are posted by us where a path for that is given. A client has
 * them all when it has seen that many empty lines more. Prints deliveries a
 * second, from the first byte to the last.
 */
#include "base.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { PIPELINE = 16,
	EVENT_BYTES = 200 };
#define PATIENCE (60 * NS_PER_S)

struct client {
	int fd;
	bool empty; /* the last byte ended a line */
	int64_t blank;
};

static struct sockaddr_in server;
static const char *path, *post_path;
static int64_t clients, events;
static int64_t blank_head; /* empty lines before the first event */
static char scratch[1 << 18];

static int dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&server, sizeof server) < 0)
		die_errno(EX_UNAVAILABLE, "connect");
	return fd;
}

static void request(int fd)
{
	AUTO_BUF struct buf text = {0};
	int r;

	buf_format(&text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", path,
		ntohs(server.sin_port));
	buf_str(&text, "Accept: text/event-stream\r\n\r\n");
	r = io_write(fd, text.text, text.length);
	if (r < 0)
		die(EX_IOERR, "request: %s", strerror(-r));
}

/* Empty lines, CR not counted. */
static void count(struct client *c, const char *p, size_t n)
{
	const char *end = p + n;

	while (p < end) {
		const char *line = memchr(p, '\n', (size_t)(end - p));

		if (!line) {
			c->empty = c->empty && end - p == 1 && *p == '\r';
			return;
		}
		c->blank += c->empty && (line == p || (line == p + 1 && *p == '\r'));
		c->empty = true;
		p = line + 1;
	}
}

/* What a client has; false when there is no more for now. */
static bool drain(struct client *c)
{
	ssize_t n = recv(c->fd, scratch, sizeof scratch, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		die(EX_PROTOCOL, "a stream ended");
	if (n > 0)
		count(c, scratch, (size_t)n);
	return n == (ssize_t)sizeof scratch;
}

/* Until every client has seen so many empty lines. */
static int64_t receive(int poll, struct client *all, int64_t want)
{
	struct epoll_event ready[512];
	int64_t deadline = clock_after(PATIENCE), first = 0, whole = 0;

	while (whole < clients) {
		int n = epoll_wait(poll, ready, countof(ready), clock_poll_timeout(deadline));

		if (n == 0)
			die(EX_TEMPFAIL, "only %lld of %lld clients have all", (long long)whole,
				(long long)clients);
		first = first ? first : clock_now();
		for (int i = 0; i < n; i++) {
			struct client *c = &all[ready[i].data.u64];
			bool had = c->blank >= want;

			while (drain(c))
				;
			whole += !had && c->blank >= want;
		}
	}
	return clock_now() - first;
}

static void open_all(int poll, struct client *all)
{
	for (int64_t i = 0; i < clients; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.u64 = (uint64_t)i};

		all[i] = (struct client){.fd = dial()};
		request(all[i].fd);
		if (epoll_ctl(poll, EPOLL_CTL_ADD, all[i].fd, &e) < 0)
			die_errno(EX_OSERR, "epoll");
	}
}

/* A process of its own publishes, some posts ahead of their answers. */
static void publish(void)
{
	AUTO_BUF struct buf text = {0};
	int fd;

	if (fork() != 0)
		return;
	fd = dial();
	buf_format(&text,
		"POST %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %d\r\n\r\n%0*d",
		post_path, ntohs(server.sin_port), EVENT_BYTES, EVENT_BYTES, 0);
	for (int64_t sent = 0; sent < events; sent++) {
		if (io_write(fd, text.text, text.length) < 0)
			_exit(1);
		if (sent % PIPELINE == 0)
			(void)!recv(fd, scratch, sizeof scratch, MSG_DONTWAIT);
	}
	while (recv(fd, scratch, sizeof scratch, 0) > 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct client *all;
	int64_t port, took;
	int poll = epoll_create1(EPOLL_CLOEXEC);

	die_init("fanload", 0);
	if (argc < 5 || parse_int(argv[1], 1, 65535, &port) < 0 ||
		parse_int(argv[3], 1, 100000, &clients) < 0 ||
		parse_int(argv[4], 1, 100000000, &events) < 0)
		die(EX_USAGE, "usage: fanload PORT PATH CLIENTS EVENTS [POST-PATH]");
	path = argv[2];
	post_path = argc > 5 ? argv[5] : NULL;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	server = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	all = mem_zero((size_t)clients, sizeof *all);
	open_all(poll, all);
	receive(poll, all, 1);
	clock_sleep(300 * NS_PER_MS); /* what a server says at once besides its head */
	blank_head = 0;
	for (int64_t i = 0; i < clients; i++) {
		while (drain(&all[i]))
			;
		blank_head = MAX(blank_head, all[i].blank);
	}
	puts("ready");
	if (finish(0))
		return EX_IOERR;
	if (post_path)
		publish();
	took = receive(poll, all, blank_head + events);
	printf("%.0f\n", (double)clients * (double)events * 1e9 / (double)MAX(took, INT64_C(1)));
	free(all);
	return finish(0);
}
