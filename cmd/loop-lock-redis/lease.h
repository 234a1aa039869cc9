/*
 * lease: a hold of one lock in Redis. It lasts for a time and is renewed; all that
 * decides is done by the functions of share/redis/lock.lua, at the server's time.
 */
#ifndef LEASE_H
#define LEASE_H

#include "err.h"
#include "id.h"
#include "redis.h"

enum { LEASE_CAPACITY_MAX = 4096,
	NAME_SIZE = 129 };

/* Who asks, for all leases alike. */
struct asker {
	int64_t length; /* of a lease, ns */
	int64_t boost;	/* how much earlier its priority lets it come, ns */
	int priority;
	bool waits;
	char host[65];
	const char *label, *command;
};

struct lease {
	char name[NAME_SIZE];
	int64_t units, capacity; /* capacity 0: as it is */
	bool shared;

	char id[UUID_SIZE]; /* of this hold */
	pid_t pid;	    /* who is said to hold */
	bool held, told;    /* told: lock.acquired was */
	int64_t token;
	char *slots;		 /* with commas between them */
	int64_t since;		 /* clock_real */
	int64_t until, renew_at; /* clock_now: it holds at least so long; when it is renewed */
};

/* NAME[:UNITS][/CAPACITY]; ends the program where it is none. */
void lease_parse(struct lease *, const char *text, bool shared);
void lease_clear(struct lease *);

/* Opens Redis with the functions that all the rest needs. */
int lease_store(struct redis **, const char *url, int64_t patience, struct err *) MUST_CHECK;

/*
 * 1: it is held. 0: not yet; who holds it in the err, and in *again how long the first
 * lease of theirs lasts, ns. -ECANCELED: put out, the err says why; -EINVAL: not of this
 * capacity; or as redis_call.
 */
int lease_ask(struct redis *, struct lease *, const struct asker *, int64_t *again, struct err *)
	MUST_CHECK;

/* 1; 0: it is lost, the err says why; or as redis_call. */
int lease_renew(struct redis *, struct lease *, int64_t length, struct err *) MUST_CHECK;

/* Gives it back, or asks no more. */
int lease_free(struct redis *, struct lease *, struct err *);

/* A descriptor that polls readable when something was given back; -1: ask by time. */
int lease_listen(struct redis *, const struct lease *);

/* A function of the library on one lock: the words, then what it is sent, then the reply. */
void call_begin(struct redis_words *, const char *function, const char *name);
int call_send(struct redis *, struct redis_words *, redisReply **, struct err *) MUST_CHECK;

#endif
