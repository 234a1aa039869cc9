/*
 * queue_redis: a queue in Redis, for workers on many hosts (queue.h says what it does,
 * redis.h how a URL looks). The errors of redis.h come beside those of queue.h.
 */
#ifndef QUEUE_REDIS_H
#define QUEUE_REDIS_H

#include "queue.h"
#include "redis.h"

int queue_redis_open(struct queue **, const char *url, const char *name, int64_t patience,
	void (*warning)(void *context, const char *text), struct err *) MUST_CHECK;

/* The rest is for the parts of this store alone. */

enum { QUEUE_REDIS_MANY = 500 }; /* items of one call */

struct queue_redis {
	struct queue queue;
	struct redis *redis;
	char key[QUEUE_NAME_SIZE + 16]; /* what all keys of the queue begin with */
	char *url;
};

struct queue_redis *queue_redis_of(struct queue *);

/* A call of one of the library's functions: begun, given its words, sent; the words are freed. */
void call_begin(struct redis_words *, const struct queue_redis *, const char *function);
void call_add_ageing(struct redis_words *); /* how a queue ages that was not told otherwise */
int call_send(struct queue_redis *, struct redis_words *, redisReply **, struct err *) MUST_CHECK;

/* Frees the reply; -EPROTO. */
int call_unexpected(const struct queue_redis *, redisReply *, struct err *);

/* What a reply holds; 0 or "" where it is of another kind. */
int64_t reply_number(const redisReply *);
const char *reply_text(const redisReply *);
bool reply_is_array(const redisReply *, size_t least);
bool reply_item(const redisReply *, struct item *); /* false: it is none */

/* Items that a sweep buried. */
void reply_tell(const struct queue_redis *, const redisReply *);

int redis_get(struct queue *, const char *, item_taker *, void *, struct err *);
int redis_each(struct queue *, unsigned, item_taker *, void *, struct err *);
int redis_stats(struct queue *, struct queue_stats *, struct err *);
int64_t redis_kick(struct queue *, const char *, int64_t, bool, struct err *);
int64_t redis_purge(struct queue *, const char *, unsigned, struct err *);
int redis_pause(struct queue *, int64_t, struct err *);
int redis_drain(struct queue *, bool, struct err *);
int redis_age(struct queue *, int64_t, struct err *);
int redis_sweep(struct queue *, struct err *);
int64_t redis_check(struct queue *, bool, queue_complaint *, void *, struct err *);

#endif
