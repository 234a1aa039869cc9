#include "changes.h"

#include "conn.h"
#include "gate.h"
#include "io.h"
#include "route.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>

/* Types that a page may send to anywhere without asking: none of ours would. */
static bool is_form(const struct request *r)
{
	static const char *const forms[] = {
		"application/x-www-form-urlencoded", "multipart/form-data", "text/plain"};
	const struct field *f = request_field(r, "content-type");
	struct span value;

	if (!f)
		return false;
	value = f->value;
	value = span_trim(span_cut(&value, ';'));
	for (size_t i = 0; i < countof(forms); i++)
		if (span_is(value, forms[i]))
			return true;
	return false;
}

/* Whether the client may change anything; answered if not. */
static bool may_change(struct conn *c)
{
	const struct request *r = &c->intake->request;

	if (!guard_token(&c->server->guard, r))
		conn_reply_text(c, 401, "changes need the token: Authorization: Bearer TOKEN");
	else if (is_form(r))
		conn_reply_text(c, 415, "application/json is expected");
	else
		return true;
	return false;
}

/* Appends one record; 0 and its id, or -errno. */
static int append(struct server *s, const struct buf *record, int64_t *id, struct err *e)
{
	struct span one = {record->text, record->length};
	struct appended done;
	int r = journal_append(&s->writer, &one, 1, 0, &done, e);

	if (r == 0)
		*id = done.spooled ? -1 : done.first;
	return r;
}

static void reply_id(struct conn *c, int64_t id)
{
	AUTO_BUF struct buf body = {0};

	if (id < 0)
		buf_str(&body, "{\"ok\":true,\"id\":null}\n"); /* put aside: it gets its id later */
	else
		buf_format(&body, "{\"ok\":true,\"id\":\"%lld\"}\n", (long long)id);
	conn_reply_json(c, &body);
}

void events_post(struct conn *c)
{
	const struct event missing = {.source = "/loop-stream", .priority = NORMAL};
	const struct buf *body = &c->intake->body;
	AUTO_BUF struct buf record = {0};
	struct err e = {0};
	int64_t id = -1;

	if (!may_change(c))
		return;
	if (event_from_json(&record, body->text ? body->text : "", body->length, &missing, &e) < 0)
		conn_reply_text(c, 400, e.text);
	else if (append(c->server, &record, &id, &e) < 0)
		conn_reply_text(c, 503, e.text);
	else
		reply_id(c, id);
}

/* The body's "who" and "why", where it has them. */
static void add_reasons(struct buf *data, const struct buf *body)
{
	static const char *const keys[] = {"who", "why"};
	struct span object = {body->text, body->length}, value;
	const char *what;
	size_t at;

	if (!body->length || jscan_check(body->text, body->length, &at, &what) < 0)
		return;
	for (size_t i = 0; i < countof(keys); i++)
		if (jscan_get(object, keys[i], &value) && jscan_kind(value) == '"')
			buf_format(data, ",\"%s\":%.*s", keys[i], (int)value.n, value.p);
}

/* What is asked of a run is on record, with who and why, before it is. */
static int record_control(struct conn *c, const char *run, const char *word, struct err *e)
{
	AUTO_BUF struct buf data = {0}, record = {0};
	struct event event = {.type = "run.control", .source = "/loop-stream", .runid = run};
	int64_t id;
	int r;

	buf_format(&data, "{\"action\":\"%s\"", word);
	add_reasons(&data, &c->intake->body);
	buf_char(&data, '}');
	event.priority = HIGH;
	event.data = (struct span){data.text, data.length};
	r = event_record(&record, &event, e);
	return r < 0 ? r : append(c->server, &record, &id, e);
}

/* The run's control FIFO; -ENXIO where no scheduler reads it. */
static int open_control(const struct state *s, const char *run)
{
	AUTO_BUF struct buf path = {0};

	buf_format(&path, "runs/%s/control", run);
	return state_file(s, path.text, O_WRONLY | O_NONBLOCK, 0);
}

static void ask(struct conn *c, int fd, const char *run, const char *word)
{
	AUTO_BUF struct buf line = {0}, body = {0};
	struct err e = {0};

	buf_format(&line, "%s\n", word);
	if (record_control(c, run, word, &e) < 0)
		conn_reply_text(c, 503, e.text);
	else if (io_write(fd, line.text, line.length) < 0)
		conn_reply_text(c, 503, "the scheduler does not listen");
	else {
		buf_format(&body, "{\"ok\":true,\"run\":\"%s\",\"asked\":\"%s\"}\n", run, word);
		conn_reply_json(c, &body);
	}
}

void run_control(struct conn *c)
{
	const char *word = strrchr(c->route->path, '/') + 1;
	AUTO_CLOSE int fd = -1;
	char run[129];

	if (!may_change(c) || !conn_name(c, run))
		return;
	fd = open_control(c->server->state, run);
	if (fd == -ENOENT)
		conn_reply_text(c, 404, "no such run");
	else if (fd < 0)
		conn_reply_text(c, 409, "the run has no scheduler that listens");
	else
		ask(c, fd, run, word);
}

/* A member of the body as text; NULL where it has none, or an empty one. The caller frees. */
static char *body_text(const struct conn *c, const char *key)
{
	const struct buf *body = &c->intake->body;
	AUTO_BUF struct buf text = {0};
	struct span object = {body->text, body->length}, value;
	const char *what;
	size_t at;

	if (!body->length || jscan_check(body->text, body->length, &at, &what) < 0 ||
		!jscan_get(object, key, &value) || jscan_text(value, &text) < 0)
		return NULL;
	return text.length ? buf_take(&text) : NULL;
}

static enum gate_state answer_of(const char *word)
{
	return strcmp(word, "approve") == 0   ? GATE_APPROVED
		: strcmp(word, "reject") == 0 ? GATE_REJECTED
					      : GATE_ANSWERED;
}

/* 1: it holds; 0: another was sooner; both are answered with the gate. */
static void reply_gate(struct conn *c, int resolved, const struct gate *g)
{
	AUTO_BUF struct buf body = {0};

	gate_format(g, false, &body);
	buf_char(&body, '\n');
	conn_reply(c, &(struct reply){
			      .status = resolved ? 200 : 409,
			      .type = "application/json",
			      .body = {body.text, body.length},
		      });
}

void gate_control(struct conn *c)
{
	AUTO_FREE char *text = body_text(c, "text");
	AUTO_FREE char *by = body_text(c, "who");
	AUTO_FREE char *why = body_text(c, "why");
	AUTO_GATE struct gate gate = {0};
	struct gate_answer a = {answer_of(strrchr(c->route->path, '/') + 1), text,
		by ? by : "http", why};
	struct err e = {0};
	char id[129];
	int r;

	if (!may_change(c) || !conn_name(c, id))
		return;
	r = gate_resolve(c->server->state, id, &a, &gate, &e);
	if (r >= 0)
		reply_gate(c, r, &gate);
	else if (r == -ENOENT)
		conn_reply_text(c, 404, "no such gate");
	else
		conn_reply_text(c, r == -EINVAL ? 400 : 503, e.text);
}
