/* What shows locks: list, stats, why. */
#include "loop-lock-redis.h"

#include "buf.h"
#include "die.h"
#include "mem.h"
#include "parse.h"

#include <errno.h>

/* A row of ll1_show, in its order. */
enum { UNITS,
	SHARED,
	PRIORITY,
	LABEL,
	HOST,
	PID,
	COMMAND,
	SINCE,
	GOT,
	TOKEN,
	SLOTS,
	LEASE_END,
	COLUMNS };

/* The figures of a lock, in their order. */
enum { CAPACITY,
	REQUESTS,
	WAITS,
	WAITED,
	LONGEST,
	CHANGED,
	FIGURES };

struct view {
	const char *name;
	int64_t now, figure[FIGURES]; /* ms */
	const redisReply *holders, *waiters;
};

static const char *text_of(const redisReply *r)
{
	return r->type == REDIS_REPLY_STRING ? r->str : "";
}

static int64_t number_of(const redisReply *r)
{
	return r->type == REDIS_REPLY_INTEGER ? r->integer : strtoll(text_of(r), NULL, 10);
}

/* 1; 0: there is no such lock. The reply is the caller's to free. */
static int look_at(struct redis *r, const char *name, struct view *v, redisReply **reply)
{
	struct redis_words w = {0};
	struct err e = {0};
	int code;

	call_begin(&w, "ll1_show", name);
	code = call_send(r, &w, reply, &e);
	if (code < 0)
		fail(code, &e);
	if ((*reply)->type != REDIS_REPLY_ARRAY || (*reply)->elements < 4)
		return 0;
	*v = (struct view){.name = name, .now = number_of((*reply)->element[0])};
	for (size_t i = 0; i < FIGURES && i < (*reply)->element[1]->elements; i++)
		v->figure[i] = number_of((*reply)->element[1]->element[i]);
	v->holders = (*reply)->element[2];
	v->waiters = (*reply)->element[3];
	return 1;
}

static const char *mode_of(const struct view *v, const redisReply *row, char out[48])
{
	if (v->figure[CAPACITY] > 1)
		snprintf(out, 48, "%s/%lld", text_of(row->element[UNITS]),
			(long long)v->figure[CAPACITY]);
	else
		snprintf(out, 48, "%s", number_of(row->element[SHARED]) ? "shared" : "alone");
	return out;
}

static int64_t age_of(const struct view *v, const redisReply *row, bool holds)
{
	return (v->now - number_of(row->element[holds ? GOT : SINCE])) * NS_PER_MS;
}

static void print_row(const struct view *v, const redisReply *row, bool holds)
{
	AUTO_BUF struct buf command = {0}, who = {0};
	char age[DURATION_SIZE], mode[48];

	if (row->elements < COLUMNS)
		return;
	buf_escape(&command, text_of(row->element[COMMAND]),
		MIN(row->element[COMMAND]->len, (size_t)70));
	buf_format(&who, "%s:%s", text_of(row->element[HOST]), text_of(row->element[PID]));
	printf("%-20s %-5s %-9s %-20s %7s  %s\n", v->name, holds ? "holds" : "waits",
		mode_of(v, row, mode), who.text, format_duration(age, age_of(v, row, holds)),
		command.length ? command.text : text_of(row->element[LABEL]));
}

static void print_view(const struct view *v)
{
	for (size_t i = 0; i < v->holders->elements; i++)
		print_row(v, v->holders->element[i], true);
	for (size_t i = 0; i < v->waiters->elements; i++)
		print_row(v, v->waiters->element[i], false);
}

static void add_text(struct buf *b, const char *key, const redisReply *text)
{
	buf_format(b, ",\"%s\":", key);
	buf_json(b, text_of(text), strlen(text_of(text)));
}

static void add_row(struct buf *b, const struct view *v, const redisReply *row, bool holds)
{
	char mode[48], since[TIME_SIZE];

	buf_format(b, "{\"pid\":%lld", (long long)number_of(row->element[PID]));
	add_text(b, "host", row->element[HOST]);
	if (v->figure[CAPACITY] > 1)
		buf_format(b, ",\"units\":%lld", (long long)number_of(row->element[UNITS]));
	else
		buf_format(b, ",\"mode\":\"%s\"", mode_of(v, row, mode));
	if (holds)
		buf_format(b, ",\"token\":%lld,\"slot\":\"%s\",\"lease_ms\":%lld",
			(long long)number_of(row->element[TOKEN]), text_of(row->element[SLOTS]),
			(long long)(number_of(row->element[LEASE_END]) - v->now));
	buf_format(b, ",\"since\":\"%s\"",
		format_time(since, number_of(row->element[holds ? GOT : SINCE]) * NS_PER_MS));
	add_text(b, "label", row->element[LABEL]);
	add_text(b, "command", row->element[COMMAND]);
	buf_char(b, '}');
}

static void add_rows(struct buf *b, const struct view *v, const redisReply *rows, bool holds)
{
	for (size_t i = 0; i < rows->elements; i++) {
		buf_str(b, i ? "," : "");
		if (rows->element[i]->elements >= COLUMNS)
			add_row(b, v, rows->element[i], holds);
	}
}

static void print_json(const struct view *v)
{
	AUTO_BUF struct buf b = {0};

	buf_format(&b, "{\"lock\":\"%s\",\"capacity\":%lld,\"holders\":[", v->name,
		(long long)v->figure[CAPACITY]);
	add_rows(&b, v, v->holders, true);
	buf_str(&b, "],\"waiters\":[");
	add_rows(&b, v, v->waiters, false);
	buf_str(&b, "]}\n");
	fputs(b.text, stdout);
}

static int64_t mean_of(const struct view *v)
{
	return v->figure[WAITS] ? v->figure[WAITED] / v->figure[WAITS] : 0;
}

static void print_stats(const struct view *v)
{
	printf("%-20s %9lld %7lld %9lld %10lld %7zu %7zu\n", v->name,
		(long long)v->figure[REQUESTS], (long long)v->figure[WAITS], (long long)mean_of(v),
		(long long)v->figure[LONGEST], v->holders->elements, v->waiters->elements);
}

static void print_stats_json(const struct view *v)
{
	char changed[TIME_SIZE];

	printf("{\"lock\":\"%s\",\"capacity\":%lld,\"requests\":%lld,\"waits\":%lld,"
	       "\"waited_ms\":%lld,\"longest_ms\":%lld,\"holders\":%zu,\"waiters\":%zu,"
	       "\"changed\":\"%s\"}\n",
		v->name, (long long)v->figure[CAPACITY], (long long)v->figure[REQUESTS],
		(long long)v->figure[WAITS], (long long)v->figure[WAITED],
		(long long)v->figure[LONGEST], v->holders->elements, v->waiters->elements,
		format_time(changed, v->figure[CHANGED] * NS_PER_MS));
}

typedef void print_lock(const struct view *);

/* The locks that are named, else all that are in use, or were. */
static int show(const struct args *args, bool used, print_lock *print)
{
	AUTO_STRS struct strs names = {0};
	struct redis *r = open_store();
	int status = EXIT_SUCCESS;
	struct err e = {0};

	for (size_t i = 0; i < args->count; i++)
		strs_add(&names, args->item[i]);
	if (!args->count && redis_names(r, "loop:l:", &names, &e) < 0)
		die(EX_UNAVAILABLE, "%s", e.text);
	for (size_t i = 0; i < names.count; i++) {
		redisReply *reply;
		struct view v;

		if (!look_at(r, names.item[i], &v, &reply)) {
			warn("locks/%s: there is no such lock", names.item[i]);
			status = EX_NOINPUT;
		} else if (args->count || !used || v.holders->elements + v.waiters->elements) {
			print(&v);
		}
		freeReplyObject(reply);
	}
	redis_close(r);
	return status;
}

int run_list(const struct args *args)
{
	return show(args, true, choices.json ? print_json : print_view);
}

int run_stats(const struct args *args)
{
	if (!choices.json)
		printf("%-20s %9s %7s %9s %10s %7s %7s\n", "lock", "requests", "waits", "mean ms",
			"longest ms", "holders", "waiters");
	return show(args, false, choices.json ? print_stats_json : print_stats);
}

static void explain(const struct view *v)
{
	for (size_t i = 0; i < v->holders->elements; i++) {
		const redisReply *row = v->holders->element[i];
		AUTO_BUF struct buf command = {0};
		char age[DURATION_SIZE], left[DURATION_SIZE], mode[48];

		buf_escape(&command, text_of(row->element[COMMAND]), row->element[COMMAND]->len);
		printf("%s: held (%s) for %s by pid %s on %s, its lease lasts %s unless renewed: "
		       "%s\n",
			v->name, mode_of(v, row, mode), format_duration(age, age_of(v, row, true)),
			text_of(row->element[PID]), text_of(row->element[HOST]),
			format_duration(left,
				(number_of(row->element[LEASE_END]) - v->now) * NS_PER_MS),
			command.length ? command.text : text_of(row->element[LABEL]));
	}
	if (v->waiters->elements)
		printf("%s: %zu wait for it, pid %s on %s first\n", v->name, v->waiters->elements,
			text_of(v->waiters->element[0]->element[PID]),
			text_of(v->waiters->element[0]->element[HOST]));
}

int run_why(const struct args *args)
{
	struct redis *r;
	redisReply *reply;
	struct view v;
	bool held;

	args_expect(args, 1, 1);
	r = open_store();
	if (!look_at(r, args->item[0], &v, &reply))
		die(EX_NOINPUT, "locks/%s: there is no such lock", args->item[0]);
	held = v.holders->elements > 0;
	if (held)
		explain(&v);
	else
		printf("%s: nobody holds it\n", args->item[0]);
	freeReplyObject(reply);
	redis_close(r);
	return held ? EXIT_SUCCESS : EXIT_NO;
}
