/*
 * Our events over Socket.IO. One that is appended is emitted under its type,
 * with the event as the journal has it; what a client emits are requests, each
 * answered by its acknowledgement. A socket that is in no room gets every
 * event, one that is in some gets theirs.
 */
#include "changes.h"
#include "err.h"
#include "feed_walk.h"
#include "mem.h"
#include "parse.h"
#include "server.h"
#include "sessions.h"
#include "sio.h"

#include <errno.h>

enum { ROUND_BYTES = 65536 };

/* An answer in the making: an object that is open, or what was wrong. */
struct outcome {
	struct span id; /* of the event that it answers */
	struct buf text;
	struct err err;
	struct buf attached;
	bool later; /* it is given when more is known */
};

static bool knows(const struct server *s, struct span name_space)
{
	if (span_is(name_space, "/"))
		return true;
	for (size_t i = 0; i < s->namespaces.count; i++)
		if (span_is(name_space, s->namespaces.item[i]))
			return true;
	return false;
}

static void take_token(struct sio_socket *k, struct span auth)
{
	AUTO_BUF struct buf token = {0};
	struct span value;

	if (jscan_get(auth, "token", &value) && jscan_text(value, &token) == 0)
		k->trusted = guard_token_is(&sio_server(k)->guard, token.text, token.length);
}

static void tell_gap(struct sio_socket *k, const struct resume *place)
{
	AUTO_BUF struct buf text = {0};

	buf_format(&text, "{\"from\":\"%lld\",\"to\":\"%lld\"}", (long long)place->wanted,
		(long long)place->position);
	sio_emit(k, &(struct sio_event){
			    .parts.name = {"\"stream.gap\"", 12},
			    .parts.arguments = {text.text, text.length},
		    });
}

/* What it wants to get, and from where on; nothing changes where that is not well said. */
static int subscribe(
	struct sio_socket *k, struct span wish, struct resume *place, struct err *e)
{
	struct filter *filter = NULL;

	if (filter_from_json(&filter, wish, e) < 0 ||
		search_place(place, &sio_server(k)->feed, wish, e) < 0) {
		filter_free(filter);
		return -EINVAL;
	}
	filter_free(k->filter);
	k->filter = filter;
	k->position = place->position;
	return 0;
}

static void tell_found(struct lookups *, const char *id, const struct search *,
	const struct err *);

static bool admit(struct sio_socket *k, struct span auth, struct err *e)
{
	struct span wish = auth.n ? auth : (struct span){"{}", 2};
	struct resume place;

	lookups_init(&k->lookups, tell_found, k);
	take_token(k, wish);
	return subscribe(k, wish, &place, e) == 0;
}

/* The place was found good when it was admitted, and is still. */
static void connected(struct sio_socket *k, struct span auth)
{
	struct span wish = auth.n ? auth : (struct span){"{}", 2};
	struct resume place;
	struct err e = {0};

	if (subscribe(k, wish, &place, &e) == 0 && place.gap)
		tell_gap(k, &place);
}

static bool emit(void *context, const struct topic *topic, struct span line)
{
	struct sio_socket *k = context;
	struct sio_event event = {.parts = {.name = topic->type, .arguments = line}};

	if (sio_name_reserved(topic->type))
		event.parts.name = (struct span){"\"event\"", 7};
	sio_emit(k, &event);
	return sio_queued(k) < ROUND_BYTES;
}

static bool more(struct sio_socket *k)
{
	const struct feed *feed = &sio_server(k)->feed;
	struct resume place = {.wanted = k->position, .position = feed->start};

	if (k->position >= feed->end) /* or wants nothing */
		return false;
	if (feed_walk(feed, k->filter, &k->position, emit, k) < 0) {
		k->position = feed->start;
		tell_gap(k, &place);
	}
	return k->position < feed->end;
}

static void op_subscribe(struct sio_socket *k, struct span wish, struct outcome *out)
{
	struct resume place;

	if (subscribe(k, wish, &place, &out->err) < 0)
		return;
	buf_format(&out->text, ",\"from\":\"%lld\"", (long long)place.position);
	if (place.gap)
		tell_gap(k, &place);
}

static void op_unsubscribe(
	struct sio_socket *k, struct span wish UNUSED, struct outcome *out UNUSED)
{
	k->position = DELIVERY_NOTHING;
}

static void op_ping(
	struct sio_socket *k UNUSED, struct span wish UNUSED, struct outcome *out UNUSED)
{
}

/* A room's name, or an array of them. */
static void change_rooms(struct sio_socket *k, struct span wish, bool in, struct outcome *out)
{
	AUTO_BUF struct buf room = {0};
	struct span key, one;
	struct jscan walk;

	if (jscan_kind(wish) != '[') {
		if (jscan_text(wish, &room) < 0)
			err_set(&out->err, -EINVAL, "the name of a room is expected");
		else
			filter_room(&k->filter, room.text, in, &out->err);
		return;
	}
	for (int r = jscan_open(&walk, wish); r >= 0 && jscan_next(&walk, &key, &one) > 0;)
		if (jscan_kind(one) != '[')
			change_rooms(k, one, in, out);
}

static void op_join(struct sio_socket *k, struct span wish, struct outcome *out)
{
	change_rooms(k, wish, true, out);
}

static void op_leave(struct sio_socket *k, struct span wish, struct outcome *out)
{
	change_rooms(k, wish, false, out);
}

static void op_history(struct sio_socket *k, struct span wish, struct outcome *out)
{
	struct server *s = sio_server(k);
	struct search *search = search_of_json(&s->feed, wish, &out->err);

	out->later = search &&
		lookups_add(&k->lookups, &s->loop, s->state, search, out->id, &out->err) == 0;
}

static char *text_of(struct span object, const char *key)
{
	AUTO_BUF struct buf text = {0};
	struct span value;

	if (!jscan_get(object, key, &value) || jscan_text(value, &text) < 0)
		return NULL;
	return buf_take(&text);
}

/* A piece of a session's log, as it is: attached, for it need not be text. */
static void op_log(struct sio_socket *k, struct span wish, struct outcome *out)
{
	AUTO_FREE char *id = text_of(wish, "session");
	AUTO_FREE char *stream = text_of(wish, "stream");
	struct log_piece piece = {.from = -1, .limit = -1};
	struct span value;

	if (jscan_get(wish, "from", &value) && jscan_int(value, &piece.from) < 0)
		piece.from = -1;
	if (jscan_get(wish, "limit", &value) && jscan_int(value, &piece.limit) < 0)
		piece.limit = -1;
	if (!id || session_log_read(sio_server(k)->state, id, stream, &piece, &out->attached) < 0)
		err_set(&out->err, -ENOENT, "no such log");
	else
		buf_format(&out->text,
			",\"next\":%lld,\"bytes\":{\"_placeholder\":true,\"num\":0}",
			(long long)piece.next);
}

static void take_change(const struct change *change, struct outcome *out)
{
	if (change->status >= 400 && change->body.text[0] != '{')
		err_set(&out->err, -EINVAL, "%s", change->body.text);
	else
		buf_format(&out->text, ",\"result\":%s", change->body.text);
}

static void op_publish(struct sio_socket *k, struct span wish, struct outcome *out)
{
	AUTO(change_clear)
	struct change change = {0};

	change_publish(sio_server(k), wish, &change);
	take_change(&change, out);
}

/* {"id":…,"action":…}: the words that are known, and who takes them. */
static void control(struct sio_socket *k, struct span wish, const char *const *words,
	change_by_word *run, struct outcome *out)
{
	AUTO(change_clear)
	struct change change = {0};
	AUTO_FREE char *id = text_of(wish, "id");
	AUTO_FREE char *action = text_of(wish, "action");

	while (*words && (!action || strcmp(*words, action) != 0))
		words++;
	if (!id || !name_valid(id) || !*words) {
		err_set(&out->err, -EINVAL, "an \"id\" and an \"action\" are expected");
		return;
	}
	run(sio_server(k), id, *words, wish, &change);
	take_change(&change, out);
}

static void op_run(struct sio_socket *k, struct span wish, struct outcome *out)
{
	static const char *const words[] = {"pause", "continue", "cancel", "retry", NULL};

	control(k, wish, words, change_run, out);
}

static void op_gate(struct sio_socket *k, struct span wish, struct outcome *out)
{
	static const char *const words[] = {"approve", "reject", "answer", NULL};

	control(k, wish, words, change_gate, out);
}

static const struct operation {
	const char *name;
	void (*run)(struct sio_socket *, struct span wish, struct outcome *);
	bool changes; /* so the token is asked for */
} operations[] = {
	{"subscribe", op_subscribe, false},
	{"unsubscribe", op_unsubscribe, false},
	{"join", op_join, false},
	{"leave", op_leave, false},
	{"ping", op_ping, false},
	{"history", op_history, false},
	{"log", op_log, false},
	{"publish", op_publish, true},
	{"run", op_run, true},
	{"gate", op_gate, true},
};

static void perform(struct sio_socket *k, const struct sio_event *e, struct outcome *out)
{
	struct span none = {"{}", 2}, wish = e->parts.first.n ? e->parts.first : none;

	for (size_t i = 0; i < countof(operations); i++) {
		const struct operation *o = &operations[i];

		if (!jscan_is(e->parts.name, o->name))
			continue;
		if (o->changes && !k->trusted)
			err_set(&out->err, -EACCES, "changes need the token, in auth");
		else
			o->run(k, wish, out);
		return;
	}
	err_set(&out->err, -EINVAL, "unknown request");
}

/* The answer itself; what it was made of is freed. */
static void answer(struct sio_socket *k, struct outcome *out)
{
	const struct sio_event asked = {.id = out->id};
	struct sio_event back = {0};
	AUTO_BUF struct buf text = {0};

	if (out->err.text[0]) {
		buf_str(&text, "{\"ok\":false,\"error\":");
		buf_json(&text, out->err.text, strlen(out->err.text));
	} else {
		buf_str(&text, "{\"ok\":true");
		buf_add(&text, out->text.text, out->text.length);
		back.attachment = &out->attached;
		back.attachments = out->attached.text != NULL;
	}
	buf_char(&text, '}');
	back.parts.arguments = (struct span){text.text, text.length};
	sio_answer(k, &asked, &back);
	buf_clear(&out->text);
	buf_clear(&out->attached);
}

static void event(struct sio_socket *k, const struct sio_event *e)
{
	struct outcome out = {.id = e->id};

	perform(k, e, &out);
	if (!out.later)
		answer(k, &out);
}

static void tell_found(struct lookups *l, const char *id, const struct search *found,
	const struct err *e)
{
	struct sio_socket *k = l->context;
	struct outcome out = {.id = {id, strlen(id)}, .err = *e};

	if (found) {
		buf_char(&out.text, ',');
		search_found(found, found->next, &out.text);
		out.text.length--; /* the object's end is the answer's */
	}
	answer(k, &out);
	sio_flush(k);
}

static void gone(struct sio_socket *k)
{
	lookups_clear(&k->lookups);
}

const struct sio_profile sio_serve = {
	.admit = admit,
	.connected = connected,
	.event = event,
	.gone = gone,
	.more = more,
	.knows = knows,
};
