#include "breaker_redis.h"

#include "breaker_file.h"
#include "clock.h"
#include "mem.h"
#include "redis.h"

#include <errno.h>

struct place {
	struct breaker_place place;
	struct redis *redis;
	int64_t revision; /* that was got, or put, last */
	int64_t ahead;	  /* the server's clock, of ours */
};

/* What a breaker's place really is: what is learned from Redis is kept in it. */
static struct place *place_of(const struct breaker *b)
{
	return container_of(b->place, struct place, place);
}

static void begin(struct redis_words *w, const char *function, const struct breaker *b)
{
	redis_word(w, "FCALL");
	redis_word(w, function);
	redis_word(w, "1");
	strs_format(&w->own, "loop:b:{%s}", b->name);
	redis_word(w, w->own.item[w->own.count - 1]);
}

static int senseless(redisReply *reply, struct err *e)
{
	freeReplyObject(reply);
	return err_set(e, -EPROTO, "an answer without sense");
}

static int get(const struct breaker *b, struct buf *text, struct err *e)
{
	struct place *p = place_of(b);
	struct redis_words w = {0};
	redisReply *reply;
	int r;

	begin(&w, "lb1_get", b);
	r = redis_call(p->redis, &w, NULL, &reply, e);
	redis_words_clear(&w);
	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 3 || !reply->element[2]->str)
		return senseless(reply, e);
	p->ahead = reply->element[0]->integer * NS_PER_US - clock_real();
	p->revision = reply->element[1]->integer;
	buf_add(text, reply->element[2]->str, reply->element[2]->len);
	freeReplyObject(reply);
	return p->revision ? 0 : -ENOENT;
}

static int put(const struct breaker *b, const struct buf *text, struct err *e)
{
	struct place *p = place_of(b);
	struct redis_words w = {0};
	redisReply *reply;
	int r;

	begin(&w, "lb1_set", b);
	redis_number(&w, p->revision);
	redis_bytes(&w, text->text, text->length);
	r = redis_call(p->redis, &w, NULL, &reply, e);
	redis_words_clear(&w);
	if (r < 0)
		return r;
	if (reply->type != REDIS_REPLY_INTEGER)
		return senseless(reply, e);
	r = reply->integer == 1 ? 0 : -ESTALE;
	freeReplyObject(reply);
	p->revision += r == 0;
	return r;
}

static void shift_one(int64_t *time, int64_t by)
{
	if (*time && *time != NS_FOREVER)
		*time += by;
}

static void shift(struct breaker_file *f, int64_t by)
{
	int64_t *const times[] = {
		&f->since, &f->until, &f->hint, &f->probe.since, &f->probe.expires};

	for (size_t i = 0; i < countof(times); i++)
		shift_one(times[i], by);
	for (size_t i = 0; i < f->count; i++)
		shift_one(&f->call[i].time, by);
}

static void arrive(const struct breaker *b, struct breaker_file *f)
{
	shift(f, -place_of(b)->ahead);
	/* Whether a process of another host lives, only its lease tells. */
	if (strcmp(f->probe.owner.boot, id_boot()) != 0)
		f->probe.owner.pid = 0;
}

static void leave(const struct breaker *b, struct breaker_file *f)
{
	shift(f, place_of(b)->ahead);
}

bool breaker_redis_has(const struct breaker *b)
{
	AUTO_BUF struct buf text = {0};
	struct err e = {0};

	return get(b, &text, &e) != -ENOENT;
}

static int connect_to(struct redis **out, const char *url, int64_t patience, struct err *e)
{
	const struct redis_how how = {.url = url,
		.library = "breaker",
		.probe = "loop_breaker_1",
		.patience = patience};

	return redis_open(out, &how, e);
}

int breaker_redis_open(struct breaker *b, const char *url, int64_t patience, struct err *e)
{
	struct place *p = mem_zero(1, sizeof *p);
	int r = connect_to(&p->redis, url, patience, e);

	if (r < 0) {
		free(p);
		return r;
	}
	p->place = (struct breaker_place){
		.get = get, .put = put, .arrive = arrive, .leave = leave};
	b->place = &p->place;
	return 0;
}

void breaker_redis_close(struct breaker *b)
{
	struct place *p;

	if (!b->place)
		return;
	p = place_of(b);
	redis_close(p->redis);
	free(p);
	b->place = NULL;
}

int breaker_redis_list(const char *url, int64_t patience, struct strs *names, struct err *e)
{
	struct redis *redis;
	int r = connect_to(&redis, url, patience, e);

	if (r < 0)
		return r;
	r = redis_names(redis, "loop:b:", names, e);
	redis_close(redis);
	return r;
}
