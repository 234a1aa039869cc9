/*
 * bridge: this state directory's events to a stream in Redis, and those of others
 * from there into the journal, each once.
 *
 * Out: a cursor says how far the journal has been sent; Redis keeps each host's
 * last id, so what is sent again is not there twice. In: what was taken bears its
 * place in the stream ("bridgeid"), so after a crash the journal itself tells how
 * far we had come; bridge/NAME only saves reading all of it. What bears such a
 * place is not sent out: events do not go in circles.
 */
#ifndef BRIDGE_H
#define BRIDGE_H

#include "cursor.h"
#include "filter.h"
#include "journal.h"
#include "redis.h"

enum { STREAM_ID_SIZE = 48,
	HOST_SIZE = 96 };

/* A place in the stream: behind this entry. */
struct place {
	char id[STREAM_ID_SIZE]; /* "1732184000000-5"; "0-0": the beginning */
	int64_t n;		 /* its number; -1: not known */
};

struct bridge {
	struct state state;
	struct redis *redis;
	const char *name;
	char *stream;	      /* the key */
	char host[HOST_SIZE]; /* what we are called there */
	struct filter filter;
	int64_t keep; /* entries of the stream */

	struct cursor cursor;
	struct journal_reader *reader; /* of what goes out */
	struct journal journal;	       /* to which comes in */
	struct place place;
	int64_t end;   /* the journal's position behind what was taken */
	int64_t saved; /* clock_now when the place was saved */
	bool unsaved;
};

/* redis_call, as often as it takes; -ECANCELED if the end was asked for. */
int bridge_call(struct bridge *, const struct redis_words *, redisReply **, struct err *)
	MUST_CHECK;

/* Opens both ends. start: what was in the stream before we first came is taken, too. */
int bridge_out_open(struct bridge *, struct err *) MUST_CHECK;
int bridge_in_open(struct bridge *, bool start, struct err *) MUST_CHECK;

/* Some of what there is: 1 there may be more, 0 there is no more now, -errno. */
int bridge_out(struct bridge *, struct err *) MUST_CHECK;
int bridge_in(struct bridge *, struct err *) MUST_CHECK;

/* The place on disk, behind the events it stands for. */
int bridge_save(struct bridge *, struct err *) MUST_CHECK;

#endif
