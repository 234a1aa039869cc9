/*
 * redis_wire: the bytes between us and Redis, by TCP, a Unix socket, or TLS, each
 * wait bounded by a deadline. Only redis' own modules use this.
 */
#ifndef REDIS_WIRE_H
#define REDIS_WIRE_H

#include "redis.h"

struct tls; /* redis_tls.c */

struct wire {
	int fd;
	struct tls *tls;
	redisReader *reader;
};

#define WIRE_NONE        \
	{                \
		.fd = -1 \
	}

/* 0, or -errno with the reason in the err: -ENOTCONN, -EACCES (a certificate), -ETIMEDOUT. */
int wire_open(struct wire *, const struct redis_url *, int64_t deadline, struct err *) MUST_CHECK;
void wire_close(struct wire *);

int wire_send(struct wire *, const char *bytes, size_t length, int64_t deadline, struct err *)
	MUST_CHECK;

/* One reply, the caller's to free. -EPROTO: what came is none. */
int wire_receive(struct wire *, int64_t deadline, redisReply **, struct err *) MUST_CHECK;

/* One that is there already, without waiting: 1, 0: none, -errno. */
int wire_poll(struct wire *, redisReply **) MUST_CHECK;

/*
 * TLS over a connected descriptor. read and write as the system calls; -EAGAIN with *events what
 * to poll for; -EACCES: the other side will not have us, tls_reason says why.
 */
int tls_open(struct tls **, int fd, const struct redis_url *, int64_t deadline, struct err *)
	MUST_CHECK;
void tls_close(struct tls *);
ssize_t tls_read(struct tls *, void *bytes, size_t length, short *events);
ssize_t tls_write(struct tls *, const void *bytes, size_t length, short *events);
const char *tls_reason(void);

#endif
