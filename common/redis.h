/*
 * redis: a connection to Redis that knows what the house needs of it: where it
 * is (a URL), whether it is fit to keep what is acknowledged, which functions
 * must be in it, and how to come back to it when it went away.
 *
 *	redis://[[user]:password@]host[:port][/db]	rediss://… by TLS
 *	redis+unix:///path/to/socket[?db=N]
 *
 * After a '?', joined by '&': db, password-file, and for TLS cacert, cert, key,
 * servername, insecure=1. Values may hold %XX.
 *
 * Errors: -EINVAL (no such URL), -ENOTCONN (away, or too slow, for longer than
 * the patience), -EACCES (password, rights), -EPROTO (no Redis), -EHOSTUNREACH (a
 * Redis that does not serve: too old, a replica, read-only), -ENOSPC (its memory is full),
 * -EIO (any other error of its).
 */
#ifndef REDIS_H
#define REDIS_H

#include "buf.h"
#include "err.h"

#include <hiredis/hiredis.h>

struct redis_url {
	bool tls, insecure;
	char *host, *path, *user, *password; /* host or path; NULL: none */
	char *cacert, *cert, *key, *server;
	int64_t port, db;
};

int redis_url_parse(struct redis_url *, const char *text, struct err *) MUST_CHECK;
void redis_url_clear(struct redis_url *);

struct redis;

struct redis_how {
	const char *url;
	/* A Lua library in share/redis, without .lua, or NULL; probe: its name in there. */
	const char *library, *probe;
	int64_t patience; /* ns */
	/* Told when it is not fit, but serves; may be NULL. */
	void (*warning)(void *context, const char *text);
	void *context;
};

/* Connects, checks, and loads the library where it is not there. The strings of how are lent. */
int redis_open(struct redis **, const struct redis_how *, struct err *) MUST_CHECK;
void redis_close(struct redis *);

/* From here on. */
void redis_patience(struct redis *, int64_t patience);

/* A command's words, put together. Zeroed is empty. */
struct redis_words {
	const char **word;
	size_t *length;
	size_t count, room;
	struct strs own;
};

void redis_word(struct redis_words *, const char *text); /* lent */
void redis_bytes(struct redis_words *, const char *bytes, size_t length);
void redis_number(struct redis_words *, int64_t);
void redis_words_clear(struct redis_words *);

/*
 * Sends it and waits for the answer, which the caller frees (freeReplyObject). Where the
 * connection is lost it is made anew and the command is sent again: it must be one that may
 * come twice. An error that Redis answers is one of those above, but one that begins with
 * except (NULL: none) is handed out as the reply.
 */
int redis_call(struct redis *, const struct redis_words *, const char *except, redisReply **,
	struct err *) MUST_CHECK;

/*
 * Adds the names, sorted and each once, of which there is a key PREFIX{NAME}. Looks at
 * all keys there are.
 */
int redis_names(struct redis *, const char *prefix, struct strs *, struct err *) MUST_CHECK;

/*
 * A second connection that hears a channel: its descriptor, -1 where it cannot be had.
 * redis_heard takes in what came; where the connection was lost, it is made anew by the next
 * redis_listen.
 */
int redis_listen(struct redis *, const char *channel);
void redis_heard(struct redis *);

#endif
