#include "redis_wire.h"

#include "clock.h"
#include "io.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PIECE = 64 << 10 };

static int wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};
	int r;

	for (;;) {
		r = poll(&p, 1, clock_poll_timeout(deadline));
		if (r > 0)
			return 0;
		if (r < 0 && errno != EINTR)
			return -errno;
		if (clock_now() >= deadline)
			return -ETIMEDOUT;
	}
}

/* A descriptor that is connected to this address. */
static int connect_to(const struct sockaddr *address, socklen_t length, int64_t deadline)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int r, failed = 0;
	socklen_t size = sizeof failed;

	if (fd < 0)
		return -errno;
	r = connect(fd, address, length) < 0 ? -errno : 0;
	if (r == -EINPROGRESS || r == -EINTR) {
		r = wait_for(fd, POLLOUT, deadline);
		if (r == 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) == 0)
			r = -failed;
	}
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

static int connect_unix(const char *path, int64_t deadline)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (strlen(path) >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	return connect_to(
		(const struct sockaddr *)(const void *)&address, sizeof address, deadline);
}

/* All addresses of the name in turn. */
static int connect_tcp(const char *host, int64_t port, int64_t deadline, struct err *e)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
	char service[16];
	int r, fd = -ENOTCONN, on = 1;

	snprintf(service, sizeof service, "%lld", (long long)port);
	r = getaddrinfo(host, service, &hints, &list);
	if (r != 0)
		return err_set(e, -ENOTCONN, "%s", gai_strerror(r));
	for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = connect_to(a->ai_addr, a->ai_addrlen, deadline);
	freeaddrinfo(list);
	if (fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	return fd;
}

void wire_close(struct wire *w)
{
	if (w->tls)
		tls_close(w->tls);
	if (w->fd >= 0)
		close(w->fd);
	if (w->reader)
		redisReaderFree(w->reader);
	*w = (struct wire)WIRE_NONE;
}

int wire_open(struct wire *w, const struct redis_url *u, int64_t deadline, struct err *e)
{
	int r = 0;

	*w = (struct wire)WIRE_NONE;
	w->fd = u->path ? connect_unix(u->path, deadline)
			: connect_tcp(u->host, u->port, deadline, e);
	if (w->fd < 0) {
		r = w->fd;
		w->fd = -1;
		return err_set(e, -ENOTCONN, "%s", strerror(-r));
	}
	w->reader = redisReaderCreate();
	if (!w->reader)
		r = -ENOMEM;
	if (r == 0 && u->tls)
		r = tls_open(&w->tls, w->fd, u, deadline, e);
	if (r < 0)
		wire_close(w);
	return r;
}

/* What a read or write that could not go on has to wait for. */
static int again(const struct wire *w, ssize_t n, short events, int64_t deadline)
{
	if (n == -EINTR)
		return 0;
	return n == -EAGAIN ? wait_for(w->fd, events, deadline) : (int)n;
}

static int lost(const struct wire *w, int code, struct err *e)
{
	if (w->tls && code == -EACCES)
		return err_set(e, code, "TLS: %s", tls_reason());
	/* Who has not read what we said may end it so that we never see why. */
	if (w->tls && code == -ECONNRESET)
		return err_set(e, -ENOTCONN, "TLS: ended there (does it ask for a certificate?)");
	return err_set(e, -ENOTCONN, "%s",
		code == -ETIMEDOUT ? "no answer in time" : strerror(-code));
}

int wire_send(struct wire *w, const char *p, size_t length, int64_t deadline, struct err *e)
{
	while (length) {
		short events = POLLOUT;
		ssize_t n = w->tls ? tls_write(w->tls, p, length, &events)
				   : send(w->fd, p, length, MSG_NOSIGNAL);
		int r;

		if (n < 0 && !w->tls)
			n = -errno;
		if (n < 0 && (r = again(w, n, events, deadline)) < 0)
			return lost(w, r, e);
		if (n > 0) {
			p += n;
			length -= (size_t)n;
		}
	}
	return 0;
}

/* Takes in what there is; -EAGAIN and what to wait for. */
static ssize_t feed(struct wire *w, short *events)
{
	char piece[PIECE];
	ssize_t n;

	*events = POLLIN;
	if (w->tls)
		n = tls_read(w->tls, piece, sizeof piece, events);
	else if ((n = recv(w->fd, piece, sizeof piece, 0)) < 0)
		n = -errno;
	if (n > 0 && redisReaderFeed(w->reader, piece, (size_t)n) != REDIS_OK)
		return -EPROTO;
	return n == 0 ? -ECONNRESET : n;
}

static int take_reply(struct wire *w, redisReply **out)
{
	void *reply = NULL;

	if (redisReaderGetReply(w->reader, &reply) != REDIS_OK)
		return -EPROTO;
	*out = reply;
	return reply != NULL;
}

int wire_receive(struct wire *w, int64_t deadline, redisReply **out, struct err *e)
{
	short events;
	int r;

	for (;;) {
		ssize_t n;

		r = take_reply(w, out);
		if (r > 0)
			return 0;
		if (r < 0)
			return err_set(e, -EPROTO, "what answers is no Redis (%s)",
				w->reader->errstr);
		n = feed(w, &events);
		r = n < 0 ? again(w, n, events, deadline) : 0;
		if (r < 0)
			return lost(w, r, e);
	}
}

int wire_poll(struct wire *w, redisReply **out)
{
	short events;
	ssize_t n;
	int r = take_reply(w, out);

	if (r != 0)
		return r;
	n = feed(w, &events);
	if (n < 0)
		return n == -EAGAIN || n == -EINTR ? 0 : (int)n;
	return take_reply(w, out);
}
