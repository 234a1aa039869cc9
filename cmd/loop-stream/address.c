#include "address.h"

#include "mem.h"
#include "parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

enum { BACKLOG = 4096 };

union place {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un local;
};

static int unix_place(const char *path, union place *p, socklen_t *size, struct err *e)
{
	if (!*path || strlen(path) >= sizeof p->local.sun_path)
		return err_set(e, -EINVAL, "unix:%s: not a path of 1 to %zu bytes", path,
			sizeof p->local.sun_path - 1);
	p->local.sun_family = AF_UNIX;
	memcpy(p->local.sun_path, path, strlen(path) + 1);
	*size = (socklen_t)sizeof p->local;
	return 0;
}

/* Numbers and "localhost" only: a name server has no say in where we listen. */
static int inet_place(const char *text, union place *p, socklen_t *size, struct err *e)
{
	const char *colon = strrchr(text, ':');
	size_t n = colon ? (size_t)(colon - text) : 0;
	AUTO_FREE char *host = mem_substring(text, n);
	int64_t port;

	if (!colon || parse_int(colon + 1, 0, 65535, &port) < 0)
		return err_set(e, -EINVAL, "%s: not ADDRESS:PORT or unix:PATH", text);
	if (n > 2 && host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		p->v6.sin6_family = AF_INET6;
		p->v6.sin6_port = htons((uint16_t)port);
		*size = (socklen_t)sizeof p->v6;
		if (inet_pton(AF_INET6, host + 1, &p->v6.sin6_addr) == 1)
			return 0;
	} else {
		p->v4.sin_family = AF_INET;
		p->v4.sin_port = htons((uint16_t)port);
		*size = (socklen_t)sizeof p->v4;
		if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
			    &p->v4.sin_addr) == 1)
			return 0;
	}
	return err_set(e, -EINVAL, "%s: '%s' is no numeric address", text, host);
}

static int read_place(const char *text, union place *p, socklen_t *size, struct err *e)
{
	*p = (union place){0};
	if (strncmp(text, "unix:", 5) == 0)
		return unix_place(text + 5, p, size, e);
	return inet_place(text, p, size, e);
}

/* A socket file that nobody listens on any more. */
static void remove_dead(const union place *p)
{
	struct stat st;
	AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || lstat(p->local.sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	if (connect(fd, &p->any, sizeof p->local) < 0 && errno == ECONNREFUSED)
		unlink(p->local.sun_path);
}

static int bind_place(int fd, const union place *p, socklen_t size)
{
	int on = 1;
	mode_t mask;
	int r;

	if (p->any.sa_family != AF_UNIX) {
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		return bind(fd, &p->any, size) < 0 ? -errno : 0;
	}
	remove_dead(p);
	mask = umask(0177);
	r = bind(fd, &p->any, size) < 0 ? -errno : 0;
	umask(mask);
	return r;
}

int address_listen(const char *text, struct err *e)
{
	union place p;
	socklen_t size;
	int r = read_place(text, &p, &size, e);
	int fd;

	if (r < 0)
		return r;
	fd = socket(p.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, -errno, "%s", text);
	r = bind_place(fd, &p, size);
	if (r == 0 && listen(fd, BACKLOG) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return err_sys(e, r, "%s", text);
}

static int own_place(int fd, union place *p)
{
	socklen_t size = sizeof *p;

	*p = (union place){0};
	return getsockname(fd, &p->any, &size) < 0 ? -errno : 0;
}

int address_url(int fd, struct buf *out, struct err *e)
{
	char host[INET6_ADDRSTRLEN] = "";
	union place p;
	int r = own_place(fd, &p);

	if (r < 0)
		return err_sys(e, r, "a listening socket");
	switch (p.any.sa_family) {
	case AF_UNIX: buf_format(out, "unix:%s", p.local.sun_path); break;
	case AF_INET:
		inet_ntop(AF_INET, &p.v4.sin_addr, host, sizeof host);
		buf_format(out, "http://%s:%d/", host, ntohs(p.v4.sin_port));
		break;
	default:
		inet_ntop(AF_INET6, &p.v6.sin6_addr, host, sizeof host);
		buf_format(out, "http://[%s]:%d/", host, ntohs(p.v6.sin6_port));
		break;
	}
	return 0;
}

int address_port(int fd)
{
	union place p;

	if (own_place(fd, &p) < 0 || p.any.sa_family == AF_UNIX)
		return 0;
	return ntohs(p.any.sa_family == AF_INET ? p.v4.sin_port : p.v6.sin6_port);
}

bool address_local(int fd)
{
	union place p;

	if (own_place(fd, &p) < 0)
		return false;
	if (p.any.sa_family == AF_INET)
		return ntohl(p.v4.sin_addr.s_addr) >> 24 == 127;
	return p.any.sa_family == AF_UNIX || IN6_IS_ADDR_LOOPBACK(&p.v6.sin6_addr);
}

int address_connect(const char *url, int64_t timeout, struct err *e)
{
	static const char scheme[] = "http://";
	bool inet = strncmp(url, scheme, strlen(scheme)) == 0;
	const char *from = inet ? url + strlen(scheme) : url;
	AUTO_FREE char *text = mem_substring(from, inet ? strcspn(from, "/") : strlen(from));
	struct timeval limit = {.tv_sec = (time_t)(timeout / NS_PER_S),
		.tv_usec = (suseconds_t)(timeout % NS_PER_S / NS_PER_US)};
	union place p;
	socklen_t size;
	int fd, r = read_place(text, &p, &size, e);

	if (r < 0)
		return r;
	fd = socket(p.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_sys(e, -errno, "%s", url);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) < 0 ||
		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) < 0 ||
		connect(fd, &p.any, size) < 0) {
		r = err_sys(e, -errno, "%s", url);
		close(fd);
		return r;
	}
	return fd;
}
