#include "lease.h"

#include "clock.h"
#include "die.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

/* A holder learns within this time that its hold was broken. */
#define NEWS_IN (2 * NS_PER_S)

/* How long a waiter keeps its place without asking again. */
#define ATTENDANCE (10 * NS_PER_S)

/* Cuts ":N" or "/N" off the end. */
static void cut_number(char *text, char mark, const char *what, int64_t *out)
{
	char *at = strrchr(text, mark);

	if (!at || !at[1] || at[1 + strspn(at + 1, "0123456789")])
		return;
	if (parse_int(at + 1, 1, LEASE_CAPACITY_MAX, out) < 0)
		die_usage("'%s': %s is a number from 1 to %d", at, what, LEASE_CAPACITY_MAX);
	*at = '\0';
}

void lease_parse(struct lease *l, const char *text, bool shared)
{
	AUTO_FREE char *name = mem_string(text);

	*l = (struct lease){.units = 1, .shared = shared, .pid = getpid()};
	cut_number(name, '/', "the capacity", &l->capacity);
	cut_number(name, ':', "the number of units", &l->units);
	if (!name_valid(name))
		die(EX_DATAERR, "'%s' is not the name of a lock", name);
	if (shared && l->units > 1)
		die_usage("--shared is for plain locks, not for units of '%s'", name);
	snprintf(l->name, sizeof l->name, "%s", name);
	id_uuid(l->id);
}

void lease_clear(struct lease *l)
{
	free(l->slots);
}

static void on_warning(void *context UNUSED, const char *text)
{
	warn("%s", text);
}

int lease_store(struct redis **out, const char *url, int64_t patience, struct err *e)
{
	const struct redis_how how = {.url = url,
		.library = "lock",
		.probe = "loop_lock_1",
		.patience = patience,
		.warning = on_warning};

	return redis_open(out, &how, e);
}

void call_begin(struct redis_words *w, const char *function, const char *name)
{
	redis_word(w, "FCALL");
	redis_word(w, function);
	redis_word(w, "1");
	strs_format(&w->own, "loop:l:{%s}", name);
	redis_word(w, w->own.item[w->own.count - 1]);
}

int call_send(struct redis *r, struct redis_words *w, redisReply **reply, struct err *e)
{
	int failed = redis_call(r, w, "CAPACITY", reply, e);

	redis_words_clear(w);
	return failed;
}

static int senseless(redisReply *reply, struct err *e)
{
	freeReplyObject(reply);
	return err_set(e, -EPROTO, "an answer without sense");
}

static void add_question(struct redis_words *w, const struct lease *l, const struct asker *a)
{
	redis_word(w, l->id);
	redis_number(w, l->units);
	redis_number(w, l->capacity);
	redis_word(w, l->shared ? "1" : "0");
	redis_number(w, a->boost / NS_PER_MS);
	redis_number(w, a->length / NS_PER_MS);
	redis_word(w, a->waits ? "1" : "0");
	redis_number(w, ATTENDANCE / NS_PER_MS);
	redis_word(w, a->label);
	redis_word(w, a->host);
	redis_number(w, l->pid);
	redis_word(w, a->command);
}

static void begin(struct lease *l, int64_t asked, int64_t length)
{
	l->until = asked + length;
	l->renew_at = asked + MIN(length / 3, NEWS_IN);
}

static int take_answer(struct lease *l, const redisReply *answer, int64_t *again, struct err *e)
{
	const redisReply *second = answer->element[1];

	switch (answer->element[0]->integer) {
	case 1:
		if (answer->elements < 4 || !answer->element[2]->str)
			break;
		l->held = true;
		l->token = second->integer;
		free(l->slots);
		l->slots = mem_string(answer->element[2]->str);
		l->since = clock_real();
		return 1;
	case 0:
		if (answer->elements < 3 || !answer->element[2]->str)
			break;
		*again = second->integer * NS_PER_MS;
		err_set(e, 0, "locks/%s: %s", l->name,
			answer->element[2]->str[0] ? answer->element[2]->str
						   : "others are before us");
		return 0;
	case -1:
		return err_set(e, -ECANCELED, "locks/%s: %s", l->name,
			second->str ? second->str : "put out");
	default: break;
	}
	return err_set(e, -EPROTO, "locks/%s: an answer without sense", l->name);
}

int lease_ask(struct redis *r, struct lease *l, const struct asker *a, int64_t *again,
	struct err *e)
{
	struct redis_words w = {0};
	int64_t asked = clock_now();
	redisReply *reply;
	int code;

	call_begin(&w, "ll1_ask", l->name);
	add_question(&w, l, a);
	code = call_send(r, &w, &reply, e);
	if (code == -EIO && strncmp(e->text, "UNITS", 5) == 0)
		return -EINVAL;
	if (code < 0)
		return code;
	if (reply->type == REDIS_REPLY_ERROR)
		code = err_set(e, -EINVAL, "locks/%s: %s", l->name, reply->str + 9);
	else if (reply->type == REDIS_REPLY_ARRAY && reply->elements >= 2)
		code = take_answer(l, reply, again, e);
	else
		return senseless(reply, e);
	freeReplyObject(reply);
	if (code > 0)
		begin(l, asked, a->length);
	return code;
}

int lease_renew(struct redis *r, struct lease *l, int64_t length, struct err *e)
{
	struct redis_words w = {0};
	int64_t asked = clock_now();
	redisReply *reply;
	int code;

	call_begin(&w, "ll1_renew", l->name);
	redis_word(&w, l->id);
	redis_number(&w, length / NS_PER_MS);
	code = call_send(r, &w, &reply, e);
	if (code < 0)
		return code;
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 || !reply->element[1]->str)
		return senseless(reply, e);
	code = reply->element[0]->integer == 1;
	if (code)
		begin(l, asked, length);
	else
		err_set(e, 0, "locks/%s: %s", l->name, reply->element[1]->str);
	freeReplyObject(reply);
	return code;
}

int lease_free(struct redis *r, struct lease *l, struct err *e)
{
	struct redis_words w = {0};
	redisReply *reply;
	int code;

	l->held = false;
	call_begin(&w, "ll1_free", l->name);
	redis_word(&w, l->id);
	code = call_send(r, &w, &reply, e);
	if (code == 0)
		freeReplyObject(reply);
	return code;
}

int lease_listen(struct redis *r, const struct lease *l)
{
	AUTO_FREE char *channel = mem_format("loop:l:{%s}:wake", l->name);

	return redis_listen(r, channel);
}
