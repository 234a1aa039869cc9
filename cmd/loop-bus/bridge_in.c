#include "bridge.h"

#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"

#include <errno.h>
#include <fcntl.h>

enum { MANY = 200 };
#define SAVE_EVERY NS_PER_S

/* An entry of the stream, lent from the reply. */
struct entry {
	const char *id, *origin, *there;
	int64_t n;
	struct span event;
};

static int stream_range(
	struct bridge *b, const char *verb, const char *from, const char *to, int count,
	redisReply **reply, struct err *e)
{
	struct redis_words w = {0};
	int r;

	redis_word(&w, verb);
	redis_word(&w, b->stream);
	redis_word(&w, from);
	redis_word(&w, to);
	redis_word(&w, "COUNT");
	redis_number(&w, count);
	r = bridge_call(b, &w, reply, e);
	redis_words_clear(&w);
	if (r == 0 && (*reply)->type != REDIS_REPLY_ARRAY) {
		freeReplyObject(*reply);
		return err_set(e, -EPROTO, "%s: an answer that makes no sense", b->stream);
	}
	return r;
}

static bool entry_parse(const redisReply *r, struct entry *out)
{
	const redisReply *fields;

	*out = (struct entry){.origin = "", .there = "", .n = -1};
	if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 ||
		r->element[0]->type != REDIS_REPLY_STRING ||
		r->element[0]->len >= STREAM_ID_SIZE ||
		r->element[1]->type != REDIS_REPLY_ARRAY)
		return false;
	out->id = r->element[0]->str;
	fields = r->element[1];
	for (size_t i = 0; i + 1 < fields->elements; i += 2) {
		const redisReply *key = fields->element[i], *value = fields->element[i + 1];

		if (key->type != REDIS_REPLY_STRING || value->type != REDIS_REPLY_STRING)
			return false;
		if (strcmp(key->str, "n") == 0)
			out->n = strtoll(value->str, NULL, 10);
		else if (strcmp(key->str, "origin") == 0)
			out->origin = value->str;
		else if (strcmp(key->str, "id") == 0)
			out->there = value->str;
		else if (strcmp(key->str, "event") == 0)
			out->event = (struct span){value->str, value->len};
	}
	return out->event.n > 0;
}

static char *file_of(const struct bridge *b)
{
	return mem_format("bridge/%s", b->name);
}

int bridge_save(struct bridge *b, struct err *e)
{
	AUTO_FREE char *path = file_of(b);
	AUTO_CLOSE int journal = state_file(&b->state, "events.jsonl", O_RDONLY, 0);
	AUTO_BUF struct buf text = {0};
	int r;

	/* What the place stands for must be on disk before it. */
	if (journal >= 0 && fdatasync(journal) < 0)
		return err_sys(e, -errno, "events.jsonl");
	buf_format(&text, "{\"stream\":\"%s\",\"n\":%lld,\"journal\":%lld}\n", b->place.id,
		(long long)b->place.n, (long long)b->end);
	r = io_replace(b->state.dir, path, text.text, text.length, 0600);
	if (r < 0)
		return err_sys(e, r, "%s", path);
	b->saved = clock_now();
	b->unsaved = false;
	return 0;
}

static bool number_in(struct span object, const char *key, int64_t *out)
{
	struct span value;

	return jscan_get(object, key, &value) && jscan_int(value, out) == 0;
}

/* 1 it was there, 0 not, -errno. */
static int load(struct bridge *b, struct err *e)
{
	AUTO_FREE char *path = file_of(b);
	AUTO_BUF struct buf text = {0}, id = {0};
	struct span all, stream;
	int r = io_read_file(b->state.dir, path, 4096, &text);

	if (r < 0)
		return r == -ENOENT ? 0 : err_sys(e, r, "%s", path);
	all = (struct span){text.text, text.length};
	if (!jscan_get(all, "stream", &stream) || jscan_text(stream, &id) < 0 ||
		id.length >= STREAM_ID_SIZE || !number_in(all, "n", &b->place.n) ||
		!number_in(all, "journal", &b->end))
		return err_set(e, -EINVAL, "%s: is damaged; without it, it begins anew from now on",
			path);
	snprintf(b->place.id, sizeof b->place.id, "%s", id.text);
	return 1;
}

/* "NAME/STREAM-ID/N" of an event that came over this bridge. */
static void look_at(struct bridge *b, const struct journal_line *line)
{
	AUTO_BUF struct buf text = {0};
	struct span value;
	size_t length = strlen(b->name);
	const char *id, *n;

	if (!jscan_get((struct span){line->text, line->length}, "bridgeid", &value) ||
		jscan_text(value, &text) < 0)
		return;
	if (strncmp(text.text, b->name, length) != 0 || text.text[length] != '/')
		return;
	id = text.text + length + 1;
	n = strchr(id, '/');
	if (!n || n - id >= STREAM_ID_SIZE)
		return;
	snprintf(b->place.id, sizeof b->place.id, "%.*s", (int)(n - id), id);
	b->place.n = strtoll(n + 1, NULL, 10);
}

/* What was taken behind the saved place stands in the journal. */
static int catch_up(struct bridge *b, struct err *e)
{
	struct journal_reader *r = NULL;
	struct journal_line line;
	int more = journal_reader_new(&r, &b->state, JOURNAL_FROM_ID, b->end, e);

	if (more == -ERANGE) {
		*e = (struct err){0};
		more = journal_reader_new(&r, &b->state, JOURNAL_FROM_START, 0, e);
	}
	if (more < 0)
		return more;
	while ((more = journal_read(r, &line)) > 0)
		look_at(b, &line);
	b->end = journal_position(r);
	journal_reader_free(r);
	return more < 0 ? err_sys(e, more, "the journal") : 0;
}

/* How many entries there have ever been, in a stream that has none now. */
static int count_past(struct bridge *b, struct err *e)
{
	AUTO_FREE char *hosts = mem_format("%s:hosts", b->stream);
	struct redis_words w = {0};
	redisReply *reply;
	int r;

	redis_word(&w, "HGET");
	redis_word(&w, hosts);
	redis_word(&w, "#");
	r = bridge_call(b, &w, &reply, e);
	redis_words_clear(&w);
	if (r < 0)
		return r;
	b->place.n = reply->type == REDIS_REPLY_STRING ? strtoll(reply->str, NULL, 10) : 0;
	freeReplyObject(reply);
	return 0;
}

/* The first time: behind what is in the stream now, or before all of it. */
static int first_place(struct bridge *b, bool start, struct err *e)
{
	redisReply *reply;
	struct entry entry;
	int r;

	b->place = (struct place){.id = "0-0", .n = -1};
	b->end = journal_position(b->reader);
	if (start)
		return bridge_save(b, e);
	r = count_past(b, e);
	if (r < 0)
		return r;
	r = stream_range(b, "XREVRANGE", "+", "-", 1, &reply, e);
	if (r < 0)
		return r;
	if (reply->elements && entry_parse(reply->element[0], &entry)) {
		snprintf(b->place.id, sizeof b->place.id, "%s", entry.id);
		b->place.n = entry.n;
	}
	freeReplyObject(reply);
	return bridge_save(b, e);
}

int bridge_in_open(struct bridge *b, bool start, struct err *e)
{
	int r = load(b, e);

	journal_init(&b->journal, &b->state);
	if (r == 0)
		return first_place(b, start, e);
	return r < 0 ? r : catch_up(b, e);
}

/* Entries that were thrown away before we came: nobody can bring them back, so it is said. */
static void tell_gap(struct bridge *b, int64_t n)
{
	AUTO_BUF struct buf data = {0};
	int64_t lost = n - b->place.n - 1;
	struct event event = {.type = "error.occurred",
		.source = "/loop-bus/bridge",
		.priority = HIGH};

	warn("%s: %lld events were thrown away before they were read here", b->stream,
		(long long)lost);
	buf_format(&data,
		"{\"message\":\"bridge %s: %lld events were thrown away before they were read\","
		"\"program\":\"loop-bus\"}",
		b->name, (long long)lost);
	event.data = (struct span){data.text, data.length};
	journal_emit(&b->journal, &event);
}

/* The event as a record, with where it comes from. False if it is none. */
static bool add_record(const struct bridge *b, const struct entry *entry, struct buf *records)
{
	AUTO_BUF struct buf text = {0};
	struct event missing = {.source = "/loop-bus/bridge", .priority = NORMAL};
	struct err e = {0};
	size_t n = entry->event.n;

	if (entry->event.p[n - 1] != '}')
		return false;
	buf_add(&text, entry->event.p, n - 1);
	buf_str(&text, ",\"originhost\":");
	buf_json(&text, entry->origin, strlen(entry->origin));
	buf_str(&text, ",\"originid\":");
	buf_json(&text, entry->there, strlen(entry->there));
	buf_format(&text, ",\"bridgeid\":\"%s/%s/%lld\"}", b->name, entry->id,
		(long long)entry->n);
	if (event_from_json(records, text.text, text.length, &missing, &e) >= 0)
		return true;
	warn("%s %s: %s", b->stream, entry->id, e.text);
	return false;
}

/* Appends them; a disk that is full must not make us take them twice. */
static int append(struct bridge *b, const struct span *record, size_t count, struct err *e)
{
	struct appended out;
	int r;

	if (!count)
		return 0;
	r = journal_append(&b->journal, record, count, 0, &out, e);
	if (r < 0)
		return r;
	if (out.count)
		b->end = out.next;
	return out.spooled ? bridge_save(b, e) : 0;
}

static int take(struct bridge *b, const redisReply *reply, struct err *e)
{
	AUTO_BUF struct buf records = {0};
	struct span record[MANY];
	size_t end[MANY], count = 0;
	struct entry entry;

	for (size_t i = 0; i < reply->elements && i < MANY; i++) {
		if (!entry_parse(reply->element[i], &entry))
			continue;
		if (b->place.n >= 0 && entry.n > b->place.n + 1)
			tell_gap(b, entry.n);
		snprintf(b->place.id, sizeof b->place.id, "%s", entry.id);
		b->place.n = entry.n;
		if (strcmp(entry.origin, b->host) != 0 && add_record(b, &entry, &records))
			end[count++] = records.length;
	}
	for (size_t i = 0, begin = 0; i < count; begin = end[i++])
		record[i] = (struct span){records.text + begin, end[i] - begin};
	b->unsaved |= reply->elements > 0;
	return append(b, record, count, e);
}

int bridge_in(struct bridge *b, struct err *e)
{
	char behind[STREAM_ID_SIZE + 1];
	redisReply *reply;
	int r, more;

	snprintf(behind, sizeof behind, "(%s", b->place.id);
	r = stream_range(b, "XRANGE", behind, "+", MANY, &reply, e);
	if (r < 0)
		return r;
	more = reply->elements == MANY;
	r = take(b, reply, e);
	freeReplyObject(reply);
	if (r == 0 && b->unsaved && clock_now() - b->saved > SAVE_EVERY)
		r = bridge_save(b, e);
	return r < 0 ? r : more;
}
