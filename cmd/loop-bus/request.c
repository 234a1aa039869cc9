/*
 * The protocol: one JSON object a line, "op" says what is wanted. Answers come
 * in the order of the requests; events come between them, as they stand in the
 * journal.
 */
#include "server.h"

#include "parse.h"

#include <errno.h>

void answer_error(struct client *c, const char *text)
{
	buf_str(&c->out, "{\"ok\":false,\"error\":");
	buf_json(&c->out, text, strlen(text));
	buf_str(&c->out, "}\n");
}

static void answer_ok(struct client *c)
{
	buf_str(&c->out, "{\"ok\":true}\n");
}

/* A string or number as text; false if it is neither. */
static bool get_text(struct span request, const char *key, struct buf *text)
{
	struct span value;

	buf_add(text, "", 0);
	if (!jscan_get(request, key, &value) || jscan_kind(value) == 'n')
		return false;
	if (jscan_text(value, text) < 0)
		buf_add(text, value.p, value.n);
	return true;
}

/* Blanks a member, and the comma that parted it from the others. */
static void blank(char *line, struct span key, struct span value, size_t length)
{
	size_t from = (size_t)(key.p - line), to = (size_t)(value.p - line) + value.n;

	memset(line + from, ' ', to - from);
	while (to < length && strchr(" \t\r", line[to]))
		to++;
	if (to < length && line[to] == ',') {
		line[to] = ' ';
		return;
	}
	while (from > 0 && line[from] != ',' && line[from] != '{')
		from--;
	if (line[from] == ',')
		line[from] = ' ';
}

static int publish(struct client *c, char *line, size_t length, struct err *e)
{
	struct span key, value;
	struct jscan walk;

	if (jscan_open(&walk, (struct span){line, length}) < 0)
		return -EINVAL;
	while (jscan_next(&walk, &key, &value) > 0)
		if (jscan_is(key, "op")) {
			blank(line, key, value, length);
			break;
		}
	if (intake_event(c->server, line, length, e) < 0)
		return -EINVAL;
	c->unanswered++;
	return 0;
}

void request_end(struct client *c)
{
	struct intake *in = &c->server->intake;
	struct appended done;
	struct err e = {0};
	int r;

	if (!c->unanswered)
		return;
	r = intake_flush(c->server, &done, &e);
	for (size_t i = 0; i < c->unanswered; i++) {
		if (in->id[i] >= 0)
			buf_format(&c->out, "{\"ok\":true,\"id\":\"%lld\"}\n",
				(long long)in->id[i]);
		else if (r == 0)
			buf_str(&c->out, "{\"ok\":true,\"spooled\":true}\n");
		else
			answer_error(c, e.text);
	}
	c->unanswered = 0;
	server_wake(c->server);
}

/* A member that is one pattern or a list of them. */
static int add_patterns(struct filter *f, struct span request, const char *key,
	int (*add)(struct filter *, const char *, struct err *), struct err *e)
{
	struct span list, name, value;
	struct jscan walk;
	bool many;

	if (!jscan_get(request, key, &list) || jscan_kind(list) == 'n')
		return 0;
	many = jscan_kind(list) == '[';
	if (many && jscan_open(&walk, list) < 0)
		return -EINVAL;
	value = list;
	while (!many || jscan_next(&walk, &name, &value) > 0) {
		AUTO_BUF struct buf text = {0};

		if (jscan_text(value, &text) < 0)
			return err_set(e, -EINVAL, "%s: must be a pattern or a list of them", key);
		if (add(f, text.text, e) < 0)
			return -EINVAL;
		if (!many)
			break;
	}
	return 0;
}

static int add_where(struct filter *f, struct span request, struct err *e)
{
	struct span where, key, value;
	struct jscan walk;

	if (!jscan_get(request, "where", &where) || jscan_kind(where) == 'n')
		return 0;
	if (jscan_open(&walk, where) < 0 || !walk.object)
		return err_set(e, -EINVAL, "where: must be an object of paths and values");
	while (jscan_next(&walk, &key, &value) > 0) {
		AUTO_BUF struct buf path = {0};

		if (jscan_text(key, &path) < 0 || filter_add_equal(f, path.text, value, e) < 0)
			return -EINVAL;
	}
	return 0;
}

static int make_filter(struct filter *f, struct span request, struct err *e)
{
	AUTO_BUF struct buf least = {0};
	int r = add_patterns(f, request, "types", filter_add_type, e);

	if (r == 0)
		r = add_patterns(f, request, "subject", filter_add_subject, e);
	if (r == 0)
		r = add_where(f, request, e);
	if (r == 0 && get_text(request, "priority", &least) &&
		priority_parse(least.text, &f->least) < 0)
		r = err_set(e, -EINVAL, "priority: '%.100s' is none", least.text);
	return r;
}

/* Where "from" says to begin. */
static int find_start(const struct server *s, const char *from, int64_t *at, struct err *e)
{
	enum journal_from place = JOURNAL_FROM_ID;
	struct journal_reader *r;
	int64_t id = 0;
	int code;

	*at = feed_end(&s->feed);
	if (!*from || strcmp(from, "now") == 0)
		return 0;
	if (strcmp(from, "start") == 0)
		place = JOURNAL_FROM_START;
	else if (parse_int(from, 0, INT64_MAX, &id) < 0)
		return err_set(e, -EINVAL, "from: must be now, start or an id");
	code = journal_reader_new(&r, s->state, place, id, e);
	if (code < 0)
		return code;
	*at = journal_position(r);
	journal_reader_free(r);
	return 0;
}

/* A durable subscriber goes on where it was, whatever "from" says; a new one begins there. */
static int open_cursor(struct subscription *s, const struct server *server, const char *name,
	struct err *e)
{
	int r = cursor_open(&s->cursor, server->state, name, 0, e);

	if (r == 0 && s->cursor.fresh)
		return cursor_set(&s->cursor, id_before(server->state, s->at[0]));
	if (r == 0 && !s->by_priority)
		return cursor_next(&s->cursor, server->state, s->cursor.id, &s->at[0], e);
	for (int i = 0; i < LEVELS && r == 0; i++)
		r = cursor_next(&s->cursor, server->state, s->cursor.level[i], &s->at[i], e);
	return r;
}

static void forget(struct subscription *s)
{
	filter_clear(&s->filter);
	cursor_close(&s->cursor);
	s->on = s->by_priority = false;
}

/* The order asked for; -EINVAL. */
static int get_order(struct span request, bool *by_priority, struct err *e)
{
	AUTO_BUF struct buf order = {0};

	*by_priority = get_text(request, "order", &order) && strcmp(order.text, "priority") == 0;
	if (order.length && !*by_priority && strcmp(order.text, "journal") != 0)
		return err_set(e, -EINVAL, "order: must be journal or priority");
	return 0;
}

static int subscribe(struct client *c, struct span request, struct err *e)
{
	AUTO_BUF struct buf from = {0}, durable = {0};
	struct subscription *s = &c->sub;
	int r;

	forget(s);
	get_text(request, "from", &from);
	r = get_order(request, &s->by_priority, e);
	if (r == 0)
		r = make_filter(&s->filter, request, e);
	if (r == 0)
		r = find_start(c->server, from.text, &s->at[0], e);
	for (int i = 0; i < LEVELS; i++) {
		s->at[i] = s->at[0];
		s->last[i] = -1;
	}
	if (r == 0 && get_text(request, "durable", &durable))
		r = open_cursor(s, c->server, durable.text, e);
	if (r < 0)
		return forget(s), r;
	s->on = true;
	buf_format(&c->out, "{\"ok\":true,\"from\":\"%lld\"}\n", (long long)s->at[0]);
	return 0;
}

/*
 * In order of priority an event is acknowledged with those before it of its own level; and with
 * them what stands before it of a level of which nothing is out.
 */
static int acknowledge_level(struct client *c, int64_t id, int own)
{
	struct subscription *s = &c->sub;
	int64_t done[LEVELS];

	for (int level = 0; level < LEVELS; level++) {
		bool out = s->last[level] > s->cursor.level[level];

		done[level] = s->cursor.level[level];
		if (level == own || (!out && s->at[level] > id))
			done[level] = MAX(done[level], id);
	}
	return cursor_set_levels(&s->cursor, done);
}

/* The level of an event that was sent, -1 if there is no such event. */
static int level_sent(const struct client *c, int64_t id)
{
	const struct subscription *s = &c->sub;
	struct chunk *chunk;
	size_t i;
	int level = 0;

	if (id >= feed_end(&c->server->feed) || feed_get(&c->server->feed, id, &chunk) < 0)
		return -1;
	i = chunk_find(chunk, id);
	if (i == chunk->count || chunk->entry[i].id != id)
		return -1;
	if (s->by_priority)
		level = level_of(view_priority(chunk_view(chunk, i)));
	return id < s->at[level] ? level : -1;
}

static int acknowledge(struct client *c, struct span request, struct err *e)
{
	AUTO_BUF struct buf id = {0};
	struct cursor *cursor = &c->sub.cursor;
	int64_t number;
	int level, r = 0;

	if (cursor->fd < 0)
		return err_set(e, -EINVAL, "ack: the subscription is not durable");
	if (!get_text(request, "id", &id) || parse_int(id.text, 0, INT64_MAX, &number) < 0 ||
		(level = level_sent(c, number)) < 0)
		return err_set(e, -EINVAL, "ack: id is not one of an event that was sent");
	if (c->sub.by_priority)
		r = acknowledge_level(c, number, level);
	else if (number > cursor->id) /* an older one says nothing new */
		r = cursor_set(cursor, number);
	if (r < 0)
		return err_sys(e, r, "cursors/%s", cursor->name);
	answer_ok(c);
	return 0;
}

static int unsubscribe(struct client *c, struct span request UNUSED, struct err *e UNUSED)
{
	forget(&c->sub);
	answer_ok(c);
	return 0;
}

static int ping(struct client *c, struct span request UNUSED, struct err *e UNUSED)
{
	buf_str(&c->out, "{\"ok\":true,\"pong\":true}\n");
	return 0;
}

static int64_t lag(const struct server *s, const struct subscription *sub)
{
	int64_t first = sub->at[0];

	for (int i = 1; sub->by_priority && i < LEVELS; i++)
		first = MIN(first, sub->at[i]);
	return feed_end(&s->feed) - first;
}

static void add_subscriber(struct buf *b, const struct server *s, const struct client *c)
{
	const struct subscription *sub = &c->sub;

	buf_format(b, "{\"pid\":%d,\"lag\":%lld,\"delivered\":%llu,\"blocked\":%s,\"order\":\"%s\"",
		(int)c->pid, (long long)lag(s, sub), (unsigned long long)sub->delivered,
		c->blocked ? "true" : "false", sub->by_priority ? "priority" : "journal");
	if (sub->cursor.name) {
		buf_str(b, ",\"durable\":");
		buf_json(b, sub->cursor.name, strlen(sub->cursor.name));
	}
	buf_str(b, ",\"types\":[");
	for (size_t i = 0; i < sub->filter.types.count; i++) {
		buf_str(b, i ? "," : "");
		buf_json(b, sub->filter.types.item[i], strlen(sub->filter.types.item[i]));
	}
	buf_str(b, "]}");
}

static int stats(struct client *c, struct span request UNUSED, struct err *e UNUSED)
{
	const struct server *s = c->server;
	const char *comma = "";

	buf_format(&c->out,
		"{\"ok\":true,\"pid\":%d,\"position\":\"%lld\",\"damaged\":%llu,\"clients\":%zu,"
		"\"accepted\":%llu,\"published\":%llu,\"refused\":%llu,\"subscribers\":[",
		(int)getpid(), (long long)feed_end(&s->feed),
		(unsigned long long)journal_damaged(s->feed.tail), s->count,
		(unsigned long long)s->accepted, (unsigned long long)s->published,
		(unsigned long long)s->refused);
	for (const struct client *other = s->clients; other; other = other->next) {
		if (!other->sub.on)
			continue;
		buf_str(&c->out, comma);
		add_subscriber(&c->out, s, other);
		comma = ",";
	}
	buf_str(&c->out, "]}\n");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct client *, struct span request, struct err *);
} operations[] = {
	{"sub", subscribe},
	{"ack", acknowledge},
	{"unsub", unsubscribe},
	{"ping", ping},
	{"stats", stats},
};

static int run(struct client *c, struct span op, char *line, size_t length, struct err *e)
{
	if (jscan_is(op, "pub"))
		return publish(c, line, length, e);
	/* Answers keep the order of the requests. */
	request_end(c);
	for (size_t i = 0; i < countof(operations); i++)
		if (jscan_is(op, operations[i].name))
			return operations[i].run(c, (struct span){line, length}, e);
	return err_set(e, -EINVAL, "op: must be pub, sub, ack, unsub, ping or stats");
}

void request(struct client *c, char *line, size_t length)
{
	struct err e = {0};
	const char *what;
	struct span op = {0};
	size_t at;
	int r;

	if (jscan_check(line, length, &at, &what) < 0)
		r = err_set(&e, -EINVAL, "byte %zu: %s", at + 1, what);
	else if (!jscan_get((struct span){line, length}, "op", &op))
		r = err_set(&e, -EINVAL, "op: missing");
	else
		r = run(c, op, line, length, &e);
	if (r == 0)
		return;
	c->server->refused++;
	request_end(c);
	answer_error(c, e.text[0] ? e.text : strerror(-r));
}
