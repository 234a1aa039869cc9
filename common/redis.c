#include "redis_wire.h"

#include "clock.h"
#include "io.h"
#include "mem.h"
#include "share.h"

#include <errno.h>
#include <fcntl.h>

#define PAUSE_MIN (20 * NS_PER_MS)
#define PAUSE_MAX NS_PER_S
#define ANSWER_TIME (10 * NS_PER_S) /* one that takes longer is taken for lost */

struct redis {
	struct redis_url url;
	struct redis_how how;
	char *place; /* for messages */
	struct wire wire, ears;
	bool checked;
};

static void add(struct redis_words *w, const char *bytes, size_t length)
{
	if (w->count == w->room) {
		w->room = w->room ? 2 * w->room : 64;
		w->word = mem_resize(w->word, w->room, sizeof *w->word);
		w->length = mem_resize(w->length, w->room, sizeof *w->length);
	}
	w->word[w->count] = bytes;
	w->length[w->count++] = length;
}

void redis_word(struct redis_words *w, const char *text)
{
	add(w, text, strlen(text));
}

void redis_bytes(struct redis_words *w, const char *bytes, size_t length)
{
	add(w, length ? bytes : "", length);
}

void redis_number(struct redis_words *w, int64_t n)
{
	strs_format(&w->own, "%lld", (long long)n);
	redis_word(w, w->own.item[w->own.count - 1]);
}

void redis_words_clear(struct redis_words *w)
{
	free(w->word);
	free(w->length);
	strs_clear(&w->own);
	*w = (struct redis_words){0};
}

static int send_words(
	struct wire *wire, const struct redis_words *w, int64_t deadline, struct err *e)
{
	char *text = NULL;
	int length = redisFormatCommandArgv(&text, (int)w->count, w->word, w->length), r;

	if (length < 0)
		return err_set(e, -ENOMEM, "a command that is too long");
	r = wire_send(wire, text, (size_t)length, deadline, e);
	redisFreeCommand(text);
	return r;
}

static bool begins(const redisReply *reply, const char *word)
{
	return word && strncmp(reply->str, word, strlen(word)) == 0;
}

/* An error of Redis as one of ours; 0 for what passes by itself. */
static int code_of(const redisReply *reply)
{
	static const struct {
		const char *word;
		int code;
	} table[] = {
		{"LOADING", 0},
		{"BUSY", 0},
		{"TRYAGAIN", 0},
		{"CLUSTERDOWN", 0},
		{"MASTERDOWN", 0},
		{"NOREPLICAS", 0},
		{"NOAUTH", -EACCES},
		{"WRONGPASS", -EACCES},
		{"NOPERM", -EACCES},
		{"ERR invalid password", -EACCES},
		{"ERR AUTH", -EACCES},
		{"ERR Client sent AUTH", -EACCES},
		{"READONLY", -EHOSTUNREACH},
		{"ERR unknown command", -EHOSTUNREACH},
		{"OOM", -ENOSPC},
		{"MISCONF", -ENOSPC},
	};

	for (size_t i = 0; i < countof(table); i++)
		if (begins(reply, table[i].word))
			return table[i].code;
	return -EIO;
}

static int one_call(struct redis *r, const struct redis_words *w, int64_t deadline,
	redisReply **reply, struct err *e)
{
	int failed = send_words(&r->wire, w, deadline, e);

	return failed < 0 ? failed : wire_receive(&r->wire, deadline, reply, e);
}

/* A command of a few words whose answer matters only when it is an error. */
static int simple_call(struct redis *r, const char *const *words, size_t count, int64_t deadline,
	redisReply **out, struct err *e)
{
	struct redis_words w = {0};
	redisReply *reply = NULL;
	int failed;

	for (size_t i = 0; i < count; i++)
		redis_word(&w, words[i]);
	failed = one_call(r, &w, deadline, &reply, e);
	redis_words_clear(&w);
	if (failed == 0 && reply->type == REDIS_REPLY_ERROR) {
		failed = code_of(reply);
		err_set(e, failed, "%s", reply->str);
		failed = failed ? failed : -EAGAIN;
	}
	if (failed == 0 && out)
		*out = reply;
	else if (reply)
		freeReplyObject(reply);
	return failed;
}

static int log_in(struct redis *r, int64_t deadline, struct err *e)
{
	const struct redis_url *u = &r->url;
	const char *with_user[] = {"AUTH", u->user, u->password};
	const char *alone[] = {"AUTH", u->password};
	char db[24];
	const char *select[] = {"SELECT", db};
	int failed = 0;

	snprintf(db, sizeof db, "%lld", (long long)u->db);
	if (u->password && u->user)
		failed = simple_call(r, with_user, 3, deadline, NULL, e);
	else if (u->password)
		failed = simple_call(r, alone, 2, deadline, NULL, e);
	if (failed == 0 && u->db)
		failed = simple_call(r, select, 2, deadline, NULL, e);
	return failed;
}

/* The value of a line "name:value" of INFO. */
static void info_value(const char *info, const char *name, char out[64])
{
	const char *line = info;
	size_t n = strlen(name);

	out[0] = '\0';
	for (; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, name, n) == 0 && line[n] == ':') {
			snprintf(out, 64, "%.*s", (int)strcspn(line + n + 1, "\r\n"), line + n + 1);
			return;
		}
}

/* Said once an hour, whoever asks: a warning with every call is one that nobody reads. */
static void advise(struct redis *r, const char *what, const char *text, int64_t deadline)
{
	char key[64];
	const char *words[] = {"SET", key, "1", "EX", "3600", "NX"};
	redisReply *reply = NULL;

	if (!r->how.warning)
		return;
	snprintf(key, sizeof key, "loop:told:%s", what);
	if (simple_call(r, words, 6, deadline, &reply, &(struct err){0}) == 0 &&
		reply->type != REDIS_REPLY_NIL) {
		AUTO_FREE char *line = mem_format("%s: %s", r->place, text);

		r->how.warning(r->how.context, line);
	}
	if (reply)
		freeReplyObject(reply);
}

static int check_info(struct redis *r, const char *info, int64_t deadline, struct err *e)
{
	char version[64], role[64], policy[64], aof[64];

	info_value(info, "redis_version", version);
	info_value(info, "role", role);
	info_value(info, "maxmemory_policy", policy);
	info_value(info, "aof_enabled", aof);
	if (strtol(version, NULL, 10) < 7)
		return err_set(e, -EHOSTUNREACH, "Redis %s; 7 or later is needed",
			version[0] ? version : "of an unknown version");
	if (strcmp(role, "slave") == 0)
		return err_set(e, -EHOSTUNREACH, "a replica: name its master");
	if (strcmp(policy, "noeviction") != 0)
		advise(r, "eviction",
			"maxmemory-policy is not noeviction: items may be thrown away",
			deadline);
	if (aof[0] == '0')
		advise(r, "persistence",
			"appendonly is no: what was acknowledged is lost when Redis ends",
			deadline);
	return 0;
}

static int check(struct redis *r, int64_t deadline, struct err *e)
{
	const char *words[] = {"INFO"};
	redisReply *reply = NULL;
	int failed;

	if (r->checked)
		return 0;
	failed = simple_call(r, words, 1, deadline, &reply, e);
	if (failed < 0)
		return failed;
	failed = reply->type == REDIS_REPLY_STRING
		? check_info(r, reply->str, deadline, e)
		: err_set(e, -EPROTO, "what answers is no Redis");
	freeReplyObject(reply);
	r->checked = failed == 0;
	return failed;
}

static int load_library(struct redis *r, int64_t deadline, struct err *e)
{
	AUTO_FREE char *name = mem_format("redis/%s.lua", r->how.library);
	AUTO_FREE char *path = share_path(name);
	AUTO_BUF struct buf text = {0};
	const char *words[] = {"FUNCTION", "LOAD", "REPLACE", NULL};
	int failed = path ? io_read_file(AT_FDCWD, path, 1 << 20, &text) : -ENOENT;

	if (failed < 0)
		return err_sys(e, failed, "share/%s", name);
	words[3] = text.text;
	return simple_call(r, words, 4, deadline, NULL, e);
}

/* One way to see whether it is there: the list of libraries of that name. */
static int find_library(struct redis *r, int64_t deadline, struct err *e)
{
	const char *words[] = {"FUNCTION", "LIST", "LIBRARYNAME", r->how.probe};
	redisReply *reply = NULL;
	bool there;
	int failed;

	if (!r->how.library)
		return 0;
	failed = simple_call(r, words, 4, deadline, &reply, e);
	if (failed < 0)
		return failed;
	there = reply->type == REDIS_REPLY_ARRAY && reply->elements > 0;
	freeReplyObject(reply);
	return there ? 0 : load_library(r, deadline, e);
}

static int connect_once(struct redis *r, int64_t deadline, struct err *e)
{
	int failed = wire_open(&r->wire, &r->url, deadline, e);

	if (failed == 0)
		failed = log_in(r, deadline, e);
	if (failed == 0)
		failed = check(r, deadline, e);
	if (failed == 0)
		failed = find_library(r, deadline, e);
	if (failed < 0)
		wire_close(&r->wire);
	return failed;
}

/* Whether trying again may help. */
static bool passes(int code)
{
	return code == -ENOTCONN || code == -EAGAIN;
}

/* The next try, unless the patience is at its end: then what went wrong is said. */
static int pause_or_end(struct redis *r, int code, int64_t give_up, int64_t *pause, struct err *e,
	struct err *out)
{
	if (!passes(code) || clock_now() + *pause >= give_up) {
		if (code == -EAGAIN)
			code = -ENOTCONN;
		return err_set(out, code, "%s: %s", r->place, e->text);
	}
	e->text[0] = '\0';
	clock_sleep(*pause);
	*pause = MIN(*pause * 2, PAUSE_MAX);
	return 0;
}

/* -EAGAIN: Redis asks to come again; any other error of its as its code, except what is wanted. */
static int judge(const redisReply *reply, const char *except, struct err *e)
{
	int code;

	if (reply->type != REDIS_REPLY_ERROR || begins(reply, except))
		return 0;
	code = code_of(reply);
	err_set(e, code, "%s", reply->str);
	return code ? code : -EAGAIN;
}

/* What is large may take longer. */
static int64_t answer_time(const struct redis *r, const struct redis_words *w)
{
	int64_t bytes = 0, patience = MAX(r->how.patience, NS_PER_S);

	for (size_t i = 0; i < w->count; i++)
		bytes += (int64_t)w->length[i];
	return MIN(ANSWER_TIME, patience) + bytes * NS_PER_US;
}

static int try_call(struct redis *r, const struct redis_words *w, const char *except,
	redisReply **reply, struct err *e)
{
	int64_t deadline = clock_after(answer_time(r, w));
	int failed = r->wire.fd < 0 ? connect_once(r, deadline, e) : 0;

	if (failed < 0)
		return failed;
	failed = one_call(r, w, deadline, reply, e);
	if (failed < 0) {
		wire_close(&r->wire);
		return failed;
	}
	failed = judge(*reply, except, e);
	if (failed < 0) {
		freeReplyObject(*reply);
		*reply = NULL;
	}
	/* A Redis that lost its functions gets them again. */
	if (failed == -EIO && strstr(e->text, "Function not found")) {
		wire_close(&r->wire);
		return -EAGAIN;
	}
	return failed;
}

int redis_call(struct redis *r, const struct redis_words *w, const char *except,
	redisReply **reply, struct err *out)
{
	int64_t give_up = clock_after(r->how.patience), pause = PAUSE_MIN;
	struct err e = {0};
	int code;

	for (;;) {
		code = try_call(r, w, except, reply, &e);
		if (code == 0)
			return 0;
		code = pause_or_end(r, code, give_up, &pause, &e, out);
		if (code < 0)
			return code;
	}
}

void redis_close(struct redis *r)
{
	wire_close(&r->wire);
	wire_close(&r->ears);
	redis_url_clear(&r->url);
	free(r->place);
	free(r);
}

void redis_patience(struct redis *r, int64_t patience)
{
	r->how.patience = patience;
}

/* Where it is, without its password. */
static char *place_of(const struct redis_url *u)
{
	return u->path ? mem_string(u->path)
		       : mem_format("%s:%lld", u->host, (long long)u->port);
}

int redis_open(struct redis **out, const struct redis_how *how, struct err *e)
{
	struct redis *r = mem_zero(1, sizeof *r);
	struct redis_words ping = {0};
	redisReply *reply = NULL;
	int failed;

	r->wire = r->ears = (struct wire)WIRE_NONE;
	r->how = *how;
	failed = redis_url_parse(&r->url, how->url, e);
	if (failed == 0) {
		r->place = place_of(&r->url);
		redis_word(&ping, "PING");
		failed = redis_call(r, &ping, NULL, &reply, e);
		redis_words_clear(&ping);
	}
	if (failed == 0) {
		freeReplyObject(reply);
		*out = r;
		return 0;
	}
	redis_close(r);
	return failed;
}

int redis_listen(struct redis *r, const char *channel)
{
	struct redis main = *r;
	struct redis_words w = {0};
	struct err e = {0};
	redisReply *reply = NULL;
	int64_t deadline = clock_after(NS_PER_S);
	int failed;

	if (r->ears.fd >= 0)
		return r->ears.fd;
	failed = wire_open(&main.wire, &main.url, deadline, &e);
	if (failed == 0)
		failed = log_in(&main, deadline, &e);
	redis_word(&w, "SUBSCRIBE");
	redis_word(&w, channel);
	if (failed == 0)
		failed = one_call(&main, &w, deadline, &reply, &e);
	redis_words_clear(&w);
	if (reply)
		freeReplyObject(reply);
	if (failed < 0)
		wire_close(&main.wire);
	r->ears = main.wire;
	return r->ears.fd;
}

void redis_heard(struct redis *r)
{
	redisReply *reply;
	int n;

	if (r->ears.fd < 0)
		return;
	while ((n = wire_poll(&r->ears, &reply)) > 0)
		freeReplyObject(reply);
	if (n < 0)
		wire_close(&r->ears);
}
