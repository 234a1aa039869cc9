/* A queue in Redis, looked at and managed. */
#include "queue_redis.h"

#include "mem.h"

#include <errno.h>
#include <hiredis/hiredis.h>

enum { LIST_STEP = 1000 };

static const char *const states[] = {"ready", "delayed", "claimed", "buried"};

int redis_get(struct queue *q, const char *id, item_taker *taker, void *context, struct err *e)
{
	struct queue_redis *r = queue_redis_of(q);
	struct redis_words w = {0};
	struct item item;
	redisReply *reply;
	int failed;

	call_begin(&w, r, "lq2_get");
	call_add_ageing(&w);
	if (id)
		redis_word(&w, id);
	failed = call_send(r, &w, &reply, e);
	if (failed < 0)
		return failed;
	if (!reply_is_array(reply, 2))
		return call_unexpected(r, reply, e);
	reply_tell(r, reply->element[0]);
	failed = reply_item(reply->element[1], &item);
	if (failed) {
		int taken = taker(context, &item);

		failed = taken < 0 ? taken : 1;
	}
	freeReplyObject(reply);
	return failed;
}

/* Ids as the numbers that they are: of a million it is no matter to remember them. */
struct ids {
	int64_t *id;
	size_t count, room;
};

static void add_id(struct ids *ids, const char *text)
{
	if (ids->count == ids->room) {
		ids->room += ids->room / 2 + LIST_STEP;
		ids->id = mem_resize(ids->id, ids->room, sizeof *ids->id);
	}
	ids->id[ids->count++] = strtoll(text, NULL, 10);
}

/* The ids of one state, step by step. */
static int list_ids(struct queue_redis *r, const char *state, struct ids *ids, struct err *e)
{
	for (int64_t at = 0;; at += LIST_STEP) {
		struct redis_words w = {0};
		redisReply *reply;
		size_t n;
		int failed;

		call_begin(&w, r, "lq2_list");
		redis_word(&w, state);
		redis_number(&w, at);
		redis_number(&w, LIST_STEP);
		failed = call_send(r, &w, &reply, e);
		if (failed < 0)
			return failed;
		n = reply_is_array(reply, 0) ? reply->elements : 0;
		for (size_t i = 0; i < n; i++)
			add_id(ids, reply_text(reply->element[i]));
		freeReplyObject(reply);
		if (n < LIST_STEP)
			return 0;
	}
}

static int by_number(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* One that changed its state meanwhile may stand there twice. */
static int get_each(struct queue *q, const struct ids *ids, item_taker *taker, void *context,
	struct err *e)
{
	char text[ITEM_ID_SIZE];
	int failed = 0;

	for (size_t i = 0; failed >= 0 && i < ids->count; i++) {
		if (i && ids->id[i] == ids->id[i - 1])
			continue;
		snprintf(text, sizeof text, "%015lld", (long long)ids->id[i]);
		failed = redis_get(q, text, taker, context, e);
	}
	return failed;
}

int redis_each(
	struct queue *q, unsigned mask, item_taker *taker, void *context, struct err *e)
{
	struct ids ids = {0};
	int failed = 0;

	for (size_t i = 0; failed >= 0 && i < countof(states); i++)
		if (mask >> i & 1)
			failed = list_ids(queue_redis_of(q), states[i], &ids, e);
	if (ids.count)
		qsort(ids.id, ids.count, sizeof *ids.id, by_number);
	if (failed >= 0)
		failed = get_each(q, &ids, taker, context, e);
	free(ids.id);
	return MIN(failed, 0);
}

static int64_t time_of(const redisReply *reply)
{
	const char *text = reply_text(reply);

	return strstr(text, "inf") ? NS_FOREVER : strtoll(text, NULL, 10) * NS_PER_MS;
}

/* As the queue was told; 0: never. */
static int64_t age_of(const char *ms)
{
	if (strcmp(ms, "-") == 0)
		return QUEUE_AGE;
	return strcmp(ms, "0") == 0 ? NS_FOREVER : strtoll(ms, NULL, 10) * NS_PER_MS;
}

static void take_stats(const redisReply *a, struct queue_stats *s)
{
	const char *paused = reply_text(a->element[7]);

	*s = (struct queue_stats){.now = reply_number(a->element[0]) * NS_PER_MS};
	for (size_t i = 0; i < countof(states); i++)
		s->count[i] = reply_number(a->element[1 + i]);
	s->oldest = time_of(a->element[5]);
	s->next = time_of(a->element[6]);
	s->draining = reply_number(a->element[8]) == 1;
	s->age = age_of(reply_text(a->element[9]));
	if (strcmp(paused, "-") == 0)
		return;
	s->paused = strtoll(paused, NULL, 10) * NS_PER_MS;
	if (s->paused == 0)
		s->paused = NS_FOREVER;
	else if (s->paused <= s->now)
		s->paused = 0;
	else
		s->next = MIN(s->next, s->paused);
}

int redis_stats(struct queue *q, struct queue_stats *s, struct err *e)
{
	struct queue_redis *r = queue_redis_of(q);
	struct redis_words w = {0};
	redisReply *reply;
	int failed;

	call_begin(&w, r, "lq2_stats");
	failed = call_send(r, &w, &reply, e);
	if (failed < 0)
		return failed;
	if (!reply_is_array(reply, 2) || !reply_is_array(reply->element[1], 10))
		return call_unexpected(r, reply, e);
	reply_tell(r, reply->element[0]);
	take_stats(reply->element[1], s);
	freeReplyObject(reply);
	return 0;
}

/* A call that answers with a number. */
static int64_t count_call(struct queue_redis *r, struct redis_words *w, struct err *e)
{
	redisReply *reply;
	int64_t n = call_send(r, w, &reply, e);

	if (n < 0)
		return n;
	n = reply_number(reply);
	freeReplyObject(reply);
	return n;
}

static int64_t kick_some(struct queue_redis *r, const char *id, const char *state, int64_t count,
	bool reset, struct err *e)
{
	struct redis_words w = {0};

	call_begin(&w, r, "lq2_kick");
	redis_word(&w, id ? id : "");
	redis_number(&w, MIN(count, QUEUE_REDIS_MANY));
	redis_word(&w, reset ? "1" : "0");
	redis_word(&w, state);
	return count_call(r, &w, e);
}

int64_t redis_kick(struct queue *q, const char *id, int64_t count, bool reset, struct err *e)
{
	struct queue_redis *r = queue_redis_of(q);
	int64_t kicked = 0, n = 1;

	if (id)
		return kick_some(r, id, "", 1, reset, e);
	for (size_t state = ITEM_BURIED; !kicked; state = ITEM_DELAYED) {
		for (n = 1; n > 0 && kicked < count; kicked += n) {
			n = kick_some(r, NULL, states[state], count - kicked, reset, e);
			if (n < 0)
				return n;
		}
		if (state == ITEM_DELAYED)
			break;
	}
	return kicked;
}

static int64_t purge_some(struct queue_redis *r, const char *id, const char *state, struct err *e)
{
	struct redis_words w = {0};

	call_begin(&w, r, "lq2_purge");
	redis_word(&w, id ? id : "");
	redis_word(&w, state);
	redis_number(&w, QUEUE_REDIS_MANY);
	return count_call(r, &w, e);
}

int64_t redis_purge(struct queue *q, const char *id, unsigned mask, struct err *e)
{
	int64_t purged = 0, n;

	if (id)
		return purge_some(queue_redis_of(q), id, "", e);
	for (size_t i = 0; i < countof(states); i++) {
		if (!(mask >> i & 1))
			continue;
		do {
			n = purge_some(queue_redis_of(q), NULL, states[i], e);
			if (n < 0)
				return n;
			purged += n;
		} while (n);
	}
	return purged;
}

static int control(struct queue_redis *r, const char *what, int64_t number, struct err *e)
{
	struct redis_words w = {0};
	int64_t n;

	call_begin(&w, r, "lq2_control");
	redis_word(&w, what);
	redis_number(&w, number);
	n = count_call(r, &w, e);
	return n < 0 ? (int)n : 0;
}

int redis_pause(struct queue *q, int64_t time, struct err *e)
{
	int64_t ms = time == NS_FOREVER ? 0 : (time + NS_PER_MS - 1) / NS_PER_MS;

	return control(queue_redis_of(q), "pause", time == 0 ? -1 : ms, e);
}

int redis_drain(struct queue *q, bool on, struct err *e)
{
	return control(queue_redis_of(q), "drain", on, e);
}

int redis_age(struct queue *q, int64_t time, struct err *e)
{
	int64_t ms = time == NS_FOREVER ? 0 : (time + NS_PER_MS - 1) / NS_PER_MS;

	return control(queue_redis_of(q), "age", ms, e);
}

int redis_sweep(struct queue *q, struct err *e)
{
	struct queue_stats s;
	int failed;

	/* Each call sweeps a bounded number. */
	do
		failed = redis_stats(q, &s, e);
	while (failed == 0 && s.next <= s.now);
	return failed;
}

struct checking {
	struct queue_redis *r;
	bool repair;
	queue_complaint *complain;
	void *context;
	int64_t wrong;
	struct err *err;
};

/* A step of one state, from this rank on: how many were looked at and are there. */
static int64_t check_some(struct checking *c, const char *state, int64_t at)
{
	struct redis_words w = {0};
	const redisReply *found;
	redisReply *reply;
	int64_t n;

	call_begin(&w, c->r, "lq2_check");
	redis_word(&w, c->repair ? "1" : "0");
	redis_word(&w, state);
	redis_number(&w, at);
	redis_number(&w, LIST_STEP);
	n = call_send(c->r, &w, &reply, c->err);
	if (n < 0)
		return n;
	if (!reply_is_array(reply, 2) || !reply_is_array(reply->element[1], 0))
		return call_unexpected(c->r, reply, c->err);
	n = reply_number(reply->element[0]);
	found = reply->element[1];
	for (size_t i = 0; i < found->elements; i++)
		c->complain(c->context, reply_text(found->element[i]));
	c->wrong += (int64_t)found->elements;
	freeReplyObject(reply);
	return n;
}

static int check_state(struct checking *c, const char *state)
{
	int64_t at = 0, before, n;

	do {
		before = c->wrong;
		n = check_some(c, state, at);
		if (n < 0)
			return (int)n;
		at += n;
	} while (n || c->wrong > before);
	return 0;
}

int64_t redis_check(
	struct queue *q, bool repair, queue_complaint *complain, void *context, struct err *e)
{
	struct checking c = {.r = queue_redis_of(q),
		.repair = repair,
		.complain = complain,
		.context = context,
		.err = e};
	int failed = 0;

	for (size_t i = 0; failed == 0 && i < countof(states); i++)
		failed = check_state(&c, states[i]);
	if (failed < 0)
		return failed;
	return repair ? 0 : c.wrong;
}
