/*
 * queue_redis: a queue in Redis. Each verb is one function of share/redis/queue.lua, so
 * it happens whole or not at all. Calls that change something carry a number used once: when
 * the answer was lost, the call is sent again and answered as before.
 */
#include "queue_redis.h"

#include "clock.h"
#include "id.h"
#include "mem.h"
#include "parse.h"
#include "redis.h"

#include <errno.h>
#include <hiredis/hiredis.h>

enum { CLAIM_BYTES = 8 << 20, /* bodies of one claim */
	CALL_BYTES = 16 << 20,
	FIELDS = 12 };

struct queue_redis *queue_redis_of(struct queue *q)
{
	return container_of(q, struct queue_redis, queue);
}

void call_begin(struct redis_words *w, const struct queue_redis *r, const char *function)
{
	redis_word(w, "FCALL");
	redis_word(w, function);
	redis_word(w, "1");
	redis_word(w, r->key);
}

static void add_nonce(struct redis_words *w)
{
	char nonce[TOKEN_SIZE];

	queue_token(nonce);
	strs_add(&w->own, nonce);
	redis_word(w, w->own.item[w->own.count - 1]);
}

void call_add_ageing(struct redis_words *w)
{
	redis_number(w, QUEUE_AGE / NS_PER_MS);
	redis_number(w, QUEUE_TURN);
}

/* Sends and frees the words; the reply is an array, or else the error says so. */
int call_send(struct queue_redis *r, struct redis_words *w, redisReply **reply, struct err *e)
{
	int failed = redis_call(r->redis, w, NULL, reply, e);

	redis_words_clear(w);
	return failed;
}

int call_unexpected(const struct queue_redis *r, redisReply *reply, struct err *e)
{
	freeReplyObject(reply);
	return err_set(e, -EPROTO, "queue %s: an answer that makes no sense", r->queue.name);
}

int64_t reply_number(const redisReply *reply)
{
	if (reply->type == REDIS_REPLY_INTEGER)
		return reply->integer;
	return reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
}

bool reply_is_array(const redisReply *reply, size_t least)
{
	return reply->type == REDIS_REPLY_ARRAY && reply->elements >= least;
}

const char *reply_text(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS ? reply->str
										      : "";
}

/* Items that a sweep buried: id, tries, why, and again. */
void reply_tell(const struct queue_redis *r, const redisReply *told)
{
	if (told->type != REDIS_REPLY_ARRAY)
		return;
	for (size_t i = 0; i + 2 < told->elements; i += 3)
		queue_tell_buried(&r->queue, reply_text(told->element[i]),
			reply_number(told->element[i + 1]), reply_text(told->element[i + 2]));
}

static void add_put(struct redis_words *w, const struct put *p)
{
	redis_bytes(w, p->body.p, p->body.n);
	redis_word(w, p->key ? p->key : "");
	redis_number(w, p->priority);
	redis_number(w, (p->delay + NS_PER_MS - 1) / NS_PER_MS);
	redis_number(w, (p->lease + NS_PER_MS - 1) / NS_PER_MS);
	redis_number(w, p->max_tries);
	redis_number(w, p->key_ttl / NS_PER_MS);
	redis_number(w, p->tries);
	redis_word(w, p->buried ? "1" : "0");
}

/* As many as one call takes; how many that are. */
static size_t add_puts(struct redis_words *w, const struct put *p, size_t count)
{
	size_t n = 0, bytes = 0;

	for (; n < count && n < QUEUE_REDIS_MANY && (!n || bytes + p[n].body.n < CALL_BYTES); n++) {
		bytes += p[n].body.n;
		add_put(w, &p[n]);
	}
	return n;
}

static int put_some(struct queue_redis *r, struct put *p, size_t count, size_t *done, struct err *e)
{
	struct redis_words w = {0};
	redisReply *reply;
	size_t n;
	int failed;

	call_begin(&w, r, "lq2_put");
	add_nonce(&w);
	n = add_puts(&w, p, count);
	failed = redis_call(r->redis, &w, "DRAINING", &reply, e);
	redis_words_clear(&w);
	if (failed < 0)
		return failed;
	if (reply->type == REDIS_REPLY_ERROR) {
		freeReplyObject(reply);
		return err_set(e, -ESHUTDOWN, "queue %s: drains, nothing is put", r->queue.name);
	}
	if (!reply_is_array(reply, 2 * n))
		return call_unexpected(r, reply, e);
	for (size_t i = 0; i < n; i++) {
		snprintf(p[i].id, sizeof p[i].id, "%s", reply_text(reply->element[2 * i]));
		p[i].dup = reply_text(reply->element[2 * i + 1])[0] == '1';
	}
	*done += n;
	freeReplyObject(reply);
	return 0;
}

/* Redis acknowledges as its appendfsync says, whatever sync says. */
static int put(struct queue *q, struct put *p, size_t count, bool sync UNUSED, size_t *done,
	struct err *e)
{
	int failed = 0;

	*done = 0;
	for (size_t i = 0; i < count; i++)
		if ((int64_t)p[i].body.n > QUEUE_BODY_MAX)
			return err_set(e, -EMSGSIZE, "a body of more than %lld MiB",
				(long long)(QUEUE_BODY_MAX >> 20));
	while (failed == 0 && *done < count)
		failed = put_some(queue_redis_of(q), p + *done, count - *done, done, e);
	return failed;
}

/* id and the FIELDS of the library, in its order. */
bool reply_item(const redisReply *a, struct item *item)
{
	enum item_state state;

	if (!reply_is_array(a, FIELDS) || item_state_parse(reply_text(a->element[8]), &state) < 0)
		return false;
	*item = (struct item){.state = state,
		.priority = reply_number(a->element[2]),
		.tries = reply_number(a->element[3]),
		.max_tries = reply_number(a->element[4]),
		.lease = reply_number(a->element[5]) * NS_PER_MS,
		.created = reply_number(a->element[6]) * NS_PER_MS,
		.due = reply_number(a->element[7]) * NS_PER_MS};
	snprintf(item->id, sizeof item->id, "%s", reply_text(a->element[0]));
	snprintf(item->token, sizeof item->token, "%s", reply_text(a->element[9]));
	snprintf(item->key, sizeof item->key, "%s", reply_text(a->element[10]));
	item->body = (struct span){reply_text(a->element[1]), a->element[1]->len};
	item->why = (struct span){reply_text(a->element[11]), a->element[11]->len};
	return true;
}

static int64_t hand_out(
	const struct queue_redis *r, redisReply *reply, item_taker *taker, void *context)
{
	const redisReply *items = reply->element[1];
	struct item item;
	int64_t got = 0;

	reply_tell(r, reply->element[0]);
	for (size_t i = 0; items->type == REDIS_REPLY_ARRAY && i < items->elements; i++)
		if (reply_item(items->element[i], &item)) {
			int failed = taker(context, &item);

			if (failed < 0)
				return failed;
			got++;
		}
	return got;
}

static int64_t claim_some(struct queue_redis *r, const struct claim *how, int64_t count,
	item_taker *taker, void *context, struct err *e)
{
	struct redis_words w = {0};
	redisReply *reply;
	int64_t got;
	int failed;

	call_begin(&w, r, "lq2_claim");
	redis_number(&w, MIN(count, QUEUE_REDIS_MANY));
	redis_number(&w, (how->lease + NS_PER_MS - 1) / NS_PER_MS);
	redis_word(&w, how->id ? how->id : "");
	redis_number(&w, CLAIM_BYTES);
	add_nonce(&w);
	call_add_ageing(&w);
	failed = call_send(r, &w, &reply, e);
	if (failed < 0)
		return failed;
	if (!reply_is_array(reply, 2))
		return call_unexpected(r, reply, e);
	got = hand_out(r, reply, taker, context);
	freeReplyObject(reply);
	return got;
}

static int64_t claim(
	struct queue *q, const struct claim *how, item_taker *taker, void *context, struct err *e)
{
	int64_t got = 0, n;

	do {
		n = claim_some(queue_redis_of(q), how, how->count - got, taker, context, e);
		if (n < 0)
			return got ? got : n;
		got += n;
	} while (n && got < how->count && !how->id);
	return got;
}

static void add_settle(struct redis_words *w, const struct settle *s)
{
	redis_word(w, s->id);
	redis_word(w, s->token);
	redis_number(w, s->delay < 0 ? -1 : (s->delay + NS_PER_MS - 1) / NS_PER_MS);
	redis_number(w, s->priority);
	redis_number(w, (s->lease + NS_PER_MS - 1) / NS_PER_MS);
	redis_word(w, s->uncounted ? "1" : "0");
	redis_word(w, s->why ? s->why : "");
	redis_word(w, s->why ? "1" : "0");
}

static int result_of(const char *word)
{
	if (strcmp(word, "ok") == 0)
		return 0;
	return strcmp(word, "missing") == 0 ? -ENOENT : -EPERM;
}

static int settle_some(
	struct queue_redis *r, const char *how, struct settle *s, size_t n, struct err *e)
{
	struct redis_words w = {0};
	redisReply *reply;
	int failed;

	call_begin(&w, r, "lq2_settle");
	add_nonce(&w);
	redis_word(&w, how);
	for (size_t i = 0; i < n; i++)
		add_settle(&w, &s[i]);
	failed = call_send(r, &w, &reply, e);
	if (failed < 0)
		return failed;
	if (!reply_is_array(reply, 3 * n))
		return call_unexpected(r, reply, e);
	for (size_t i = 0; i < n; i++) {
		s[i].result = result_of(reply_text(reply->element[3 * i]));
		s[i].buried = reply_text(reply->element[3 * i + 1])[0] == '1';
		s[i].tries = reply_number(reply->element[3 * i + 2]);
		if (s[i].result == 0 && s[i].buried)
			queue_tell_buried(&r->queue, s[i].id, s[i].tries, s[i].why);
	}
	freeReplyObject(reply);
	return 0;
}

static int settle(struct queue *q, enum settling how, struct settle *s, size_t count,
	bool sync UNUSED, struct err *e)
{
	static const char *const words[] = {[SETTLE_ACK] = "ack",
		[SETTLE_NACK] = "nack",
		[SETTLE_BURY] = "bury",
		[SETTLE_TOUCH] = "touch"};
	int failed = 0;

	for (size_t i = 0; failed == 0 && i < count; i += QUEUE_REDIS_MANY)
		failed = settle_some(queue_redis_of(q), words[how], s + i,
			MIN(count - i, (size_t)QUEUE_REDIS_MANY), e);
	return failed;
}

static int watch(struct queue *q)
{
	struct queue_redis *r = queue_redis_of(q);
	AUTO_FREE char *channel = mem_format("%s:wake", r->key);

	return redis_listen(r->redis, channel);
}

static void heard(struct queue *q)
{
	redis_heard(queue_redis_of(q)->redis);
}

static void close_queue(struct queue *q)
{
	struct queue_redis *r = queue_redis_of(q);

	if (r->redis)
		redis_close(r->redis);
	free(r->url);
	free(r);
}

static const struct queue_ops redis_ops = {
	.put = put,
	.claim = claim,
	.settle = settle,
	.get = redis_get,
	.each = redis_each,
	.stats = redis_stats,
	.kick = redis_kick,
	.purge = redis_purge,
	.pause = redis_pause,
	.drain = redis_drain,
	.age = redis_age,
	.sweep = redis_sweep,
	.check = redis_check,
	.watch = watch,
	.heard = heard,
	.close = close_queue,
};

int queue_redis_open(struct queue **out, const char *url, const char *name, int64_t patience,
	void (*warning)(void *context, const char *text), struct err *e)
{
	struct queue_redis *r;
	struct redis_how how = {.library = "queue",
		.probe = "loop_queue_2",
		.patience = patience,
		.warning = warning};
	int failed;

	if (!name_valid(name))
		return err_set(e, -EINVAL, "not a queue's name: '%s'", name);
	r = mem_zero(1, sizeof *r);
	r->queue.ops = &redis_ops;
	r->url = mem_string(url);
	snprintf(r->queue.name, sizeof r->queue.name, "%s", name);
	snprintf(r->key, sizeof r->key, "loop:q:{%s}", name);
	how.url = r->url;
	failed = redis_open(&r->redis, &how, e);
	if (failed < 0)
		close_queue(&r->queue);
	else
		*out = &r->queue;
	return failed;
}
