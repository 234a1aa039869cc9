/* What changes the locks of others: cancel and break. */
#include "loop-lock-redis.h"

#include "clock.h"
#include "die.h"
#include "parse.h"

#define BREAK_TIME (30 * NS_PER_S) /* for its command to end, or its lease */

/* Asks a function of the library; ends the program where it does not answer as it should. */
static redisReply *send(struct redis *r, struct redis_words *w, int type)
{
	struct err e = {0};
	redisReply *reply;
	int code = call_send(r, w, &reply, &e);

	if (code < 0)
		fail(code, &e);
	if (reply->type != type)
		die(EX_PROTOCOL, "an answer without sense");
	return reply;
}

/* Who holds, or waits, is told that it must not any longer; the ids of those. */
static redisReply *put_out(struct redis *r, const char *name, const char *what, const char *why)
{
	struct redis_words w = {0};
	redisReply *ids;

	call_begin(&w, "ll1_put_out", name);
	redis_word(&w, what);
	redis_number(&w, choices.pid);
	redis_word(&w, why);
	ids = send(r, &w, REDIS_REPLY_ARRAY);
	if (!ids->elements)
		warn("locks/%s: nobody %s it%s", name,
			strcmp(what, "wait") == 0 ? "waits for" : "holds",
			choices.pid ? " with that pid" : "");
	return ids;
}

static int64_t still_holding(struct redis *r, const char *name, const redisReply *ids)
{
	struct redis_words w = {0};
	redisReply *reply;
	int64_t count;

	call_begin(&w, "ll1_holding", name);
	for (size_t i = 0; i < ids->elements; i++)
		redis_word(&w, ids->element[i]->str);
	reply = send(r, &w, REDIS_REPLY_INTEGER);
	count = reply->integer;
	freeReplyObject(reply);
	return count;
}

static struct redis *open_for(const struct args *args)
{
	args_expect(args, 1, 1);
	if (!name_valid(args->item[0]))
		die(EX_DATAERR, "'%s' is not the name of a lock", args->item[0]);
	return open_store();
}

int run_cancel(const struct args *args)
{
	struct redis *r = open_for(args);
	redisReply *ids = put_out(r, args->item[0], "wait", "the wait was cancelled");
	int status = ids->elements ? EXIT_SUCCESS : EXIT_NO;

	freeReplyObject(ids);
	redis_close(r);
	return status;
}

int run_break(const struct args *args)
{
	int64_t deadline = clock_after(BREAK_TIME);
	struct redis *r;
	redisReply *ids;
	int status;

	if (!choices.yes)
		die_usage("break ends the hold by force: say --yes");
	r = open_for(args);
	ids = put_out(r, args->item[0], "hold", "the hold was broken");
	status = ids->elements ? EXIT_SUCCESS : EXIT_NO;
	while (ids->elements && still_holding(r, args->item[0], ids) > 0) {
		if (clock_now() >= deadline)
			die(EX_TEMPFAIL,
				"locks/%s: who holds it does not answer: it is free when the lease "
				"ends",
				args->item[0]);
		clock_sleep(50 * NS_PER_MS);
	}
	freeReplyObject(ids);
	redis_close(r);
	return status;
}
