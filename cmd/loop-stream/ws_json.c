#include "ws_json.h"

#include "conn.h"
#include "lookup.h"
#include "mem.h"
#include "server.h"
#include "ws.h"

#include <errno.h>

static void say_text(struct conn *c, const struct buf *text)
{
	ws_say(c, WS_TEXT, (struct span){text->text, text->length});
}

static void say_error(struct conn *c, const char *why)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, "{\"op\":\"error\",\"message\":");
	buf_json(&b, why, strlen(why));
	buf_char(&b, '}');
	say_text(c, &b);
}

static void subscribe(struct conn *c, struct span message)
{
	struct delivery *d = &c->delivery;
	AUTO_BUF struct buf b = {0};
	struct filter *filter = NULL;
	struct resume place;
	struct err e = {0};

	if (filter_from_json(&filter, message, &e) < 0 ||
		search_place(&place, &c->server->feed, message, &e) < 0) {
		filter_free(filter);
		say_error(c, e.text);
		return;
	}
	filter_free(d->filter);
	d->filter = filter;
	d->position = place.position;
	buf_format(&b, "{\"op\":\"sub\",\"ok\":true,\"from\":\"%lld\"}", (long long)place.position);
	say_text(c, &b);
	if (place.gap)
		delivery_tell_gap(c, place.wanted, place.position);
}

static void unsubscribe(struct conn *c, struct span message UNUSED)
{
	AUTO_BUF struct buf b = {0};

	c->delivery.position = DELIVERY_NOTHING;
	buf_str(&b, "{\"op\":\"unsub\",\"ok\":true}");
	say_text(c, &b);
}

static void answer_ping(struct conn *c, struct span message UNUSED)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, "{\"op\":\"pong\"}");
	say_text(c, &b);
}

static void tell_found(struct lookups *l, const char *note UNUSED, const struct search *found,
	const struct err *e)
{
	struct conn *c = l->context;
	AUTO_BUF struct buf b = {0};

	if (found) {
		buf_str(&b, "{\"op\":\"history\",");
		search_found(found, found->next, &b);
		say_text(c, &b);
	} else {
		say_error(c, e->text);
	}
	ws_release(c);
}

static struct lookups *lookups_of(struct conn *c)
{
	if (!c->owner) {
		c->owner = mem_new(sizeof(struct lookups));
		lookups_init(c->owner, tell_found, c);
	}
	return c->owner;
}

/* Answers carry no mark of what they answer, so they come in the order of what was asked. */
static void look_up(struct conn *c, struct span message)
{
	struct server *s = c->server;
	struct err e = {0};
	struct search *search = search_of_json(&s->feed, message, &e);

	if (search &&
		lookups_add(lookups_of(c), &s->loop, s->state, search, (struct span){0}, &e) == 0)
		ws_hold(c);
	else
		say_error(c, e.text);
}

static const struct {
	const char *name;
	void (*run)(struct conn *, struct span message);
} operations[] = {
	{"sub", subscribe},
	{"unsub", unsubscribe},
	{"ping", answer_ping},
	{"history", look_up},
};

static void obey(struct conn *c, const char *text, size_t length)
{
	struct span message = {text, length}, name;
	const char *what;
	size_t at;

	if (jscan_check(text, length, &at, &what) < 0 || jscan_kind(message) != '{' ||
		!jscan_get(message, "op", &name)) {
		say_error(c, "a JSON object with \"op\" is expected");
		return;
	}
	for (size_t i = 0; i < countof(operations); i++) {
		if (jscan_is(name, operations[i].name)) {
			operations[i].run(c, message);
			return;
		}
	}
	say_error(c, "unknown op; known are sub, unsub, ping, history");
}

static void gone(struct conn *c)
{
	if (c->owner)
		lookups_clear(c->owner);
	free(c->owner);
	c->owner = NULL;
}

static void heard(struct conn *c, enum ws_kind kind, struct span message)
{
	if (kind == WS_TEXT)
		obey(c, message.p, message.n);
	else
		say_error(c, "text messages are expected");
}

void ws_tell_gap(struct conn *c, int64_t from, int64_t to)
{
	AUTO_BUF struct buf b = {0};

	buf_format(&b, "{\"op\":\"gap\",\"from\":\"%lld\",\"to\":\"%lld\"}", (long long)from,
		(long long)to);
	say_text(c, &b);
}

/* What the query asks for, as one asks for server-sent events; nothing where it has no place. */
static int place_of_query(
	struct conn *c, struct filter **filter, struct resume *place, struct err *e)
{
	const struct request *r = &c->intake->request;
	AUTO_BUF struct buf text = {0};

	*place = (struct resume){.position = DELIVERY_NOTHING};
	if (!query_get(r->query, "from", &text) && !query_get(r->query, "after", &text))
		return 0;
	if (filter_new(filter, r->query, e) < 0)
		return -EINVAL;
	return resume_find(place, &c->server->feed, r, e);
}

static void begin(struct conn *c, struct filter **filter, const struct resume *place)
{
	c->delivery.position = place->position;
	c->delivery.filter = *filter;
	*filter = NULL;
	if (place->position != DELIVERY_NOTHING && place->gap)
		delivery_tell_gap(c, place->wanted, place->position);
	delivery_flush(c);
}

void ws_open(struct conn *c)
{
	static const struct ws_protocol json = {.heard = heard, .gone = gone, .pinged = true};

	struct filter *filter = NULL;
	struct resume place;
	struct err e = {0};

	if (place_of_query(c, &filter, &place, &e) < 0)
		conn_reply_text(c, 400, e.text);
	else if (ws_accept(c, &json, c->server->limits.message_max))
		begin(c, &filter, &place);
	filter_free(filter);
}

void ws_echo_open(struct conn *c)
{
	static const struct ws_protocol echo = {.heard = ws_say, .pinged = true};

	if (ws_accept(c, &echo, c->server->limits.message_max))
		delivery_flush(c);
}
