/* Answers in Redis: each verb one function of share/redis/job.lua. */
#include "answers.h"

#include "mem.h"
#include "redis.h"

#include <errno.h>

struct answers_redis {
	struct answers answers;
	struct redis *redis;
	char key[QUEUE_NAME_SIZE + 16];
};

static struct answers_redis *of(struct answers *a)
{
	return container_of(a, struct answers_redis, answers);
}

static void begin(struct redis_words *w, const struct answers_redis *a, const char *function)
{
	redis_word(w, "FCALL");
	redis_word(w, function);
	redis_word(w, "1");
	redis_word(w, a->key);
}

static void begin_held(struct redis_words *w, const struct answers_redis *a, const char *function,
	const struct holder *h, const char *job)
{
	begin(w, a, function);
	redis_word(w, h->id);
	redis_word(w, h->token);
	redis_word(w, job);
}

/* Sends; the number that is answered. */
static int64_t send_number(struct answers_redis *a, struct redis_words *w, struct err *e)
{
	redisReply *reply;
	int64_t n = redis_call(a->redis, w, NULL, &reply, e);

	redis_words_clear(w);
	if (n < 0)
		return n;
	n = reply->type == REDIS_REPLY_INTEGER ? reply->integer
					       : err_set(e, -EPROTO, "an answer without sense");
	freeReplyObject(reply);
	return n;
}

static int give(struct answers *answers, const struct holder *h, const char *job,
	struct span answer, struct err *e)
{
	struct answers_redis *a = of(answers);
	struct redis_words w = {0};

	begin_held(&w, a, "lj1_give", h, job);
	redis_bytes(&w, answer.p, answer.n);
	redis_number(&w, ANSWERS_KEPT / NS_PER_MS);
	return (int)send_number(a, &w, e);
}

static int64_t note(struct answers *answers, const struct holder *h, const char *job,
	struct span text, struct err *e)
{
	struct answers_redis *a = of(answers);
	struct redis_words w = {0};
	int64_t ms;

	begin_held(&w, a, "lj1_note", h, job);
	redis_bytes(&w, text.p, text.n);
	ms = send_number(a, &w, e);
	return ms > 0 ? ms * NS_PER_MS : ms;
}

static int ask(struct answers *answers, const char *job, struct buf *out, struct err *e)
{
	struct answers_redis *a = of(answers);
	struct redis_words w = {0};
	const redisReply *text;
	redisReply *reply;
	int r;

	begin(&w, a, "lj1_ask");
	redis_word(&w, job);
	r = redis_call(a->redis, &w, NULL, &reply, e);
	redis_words_clear(&w);
	if (r < 0)
		return r;
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3) {
		r = reply->element[0]->integer > 0;
		text = reply->element[r ? 1 : 2];
		buf_add(out, text->str, text->len);
	} else {
		r = err_set(e, -EPROTO, "an answer without sense");
	}
	freeReplyObject(reply);
	return r;
}

static int drop(struct answers *answers, const char *job, struct err *e)
{
	struct answers_redis *a = of(answers);
	struct redis_words w = {0};

	begin(&w, a, "lj1_drop");
	redis_word(&w, job);
	return (int)send_number(a, &w, e);
}

static int watch(struct answers *answers)
{
	struct answers_redis *a = of(answers);
	AUTO_FREE char *channel = mem_format("%s:answered", a->key);

	return redis_listen(a->redis, channel);
}

static void heard(struct answers *answers)
{
	redis_heard(of(answers)->redis);
}

static void close_answers(struct answers *answers)
{
	struct answers_redis *a = of(answers);

	if (a->redis)
		redis_close(a->redis);
	free(a);
}

static const struct answers_ops redis_ops = {
	.give = give,
	.note = note,
	.ask = ask,
	.drop = drop,
	.watch = watch,
	.heard = heard,
	.close = close_answers,
};

int answers_redis_open(struct answers **out, const char *url, const char *queue, int64_t patience,
	struct err *e)
{
	struct answers_redis *a = mem_zero(1, sizeof *a);
	const struct redis_how how = {
		.url = url, .library = "job", .probe = "loop_job_1", .patience = patience};
	int r;

	a->answers.ops = &redis_ops;
	snprintf(a->key, sizeof a->key, "loop:q:{%s}", queue);
	r = redis_open(&a->redis, &how, e);
	if (r < 0)
		close_answers(&a->answers);
	else
		*out = &a->answers;
	return r;
}
