#include "changes.h"

#include "conn.h"
#include "gate.h"
#include "io.h"
#include "retry.h"
#include "route.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>

void change_clear(struct change *c)
{
	buf_clear(&c->body);
}

static void say(struct change *out, int status, const char *text)
{
	out->status = status;
	buf_str(&out->body, text);
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

static void say_id(struct change *out, int64_t id)
{
	out->status = 200;
	if (id < 0) /* put aside: it gets its id later */
		buf_str(&out->body, "{\"ok\":true,\"id\":null}");
	else
		buf_format(&out->body, "{\"ok\":true,\"id\":\"%lld\"}", (long long)id);
}

void change_publish(struct server *s, struct span event, struct change *out)
{
	const struct event missing = {.source = "/loop-stream", .priority = NORMAL};
	AUTO_BUF struct buf record = {0};
	struct err e = {0};
	int64_t id = -1;

	if (event_from_json(&record, event.p, event.n, &missing, &e) < 0)
		say(out, 400, e.text);
	else if (append(s, &record, &id, &e) < 0)
		say(out, 503, e.text);
	else
		say_id(out, id);
}

/* The "who" and "why" of what was asked, where it has them. */
static void add_reasons(struct buf *data, struct span object)
{
	static const char *const keys[] = {"who", "why"};
	struct span value;

	for (size_t i = 0; i < countof(keys); i++)
		if (jscan_get(object, keys[i], &value) && jscan_kind(value) == '"')
			buf_format(data, ",\"%s\":%.*s", keys[i], (int)value.n, value.p);
}

/* What is asked of a run is on record, with who and why, before it is. */
static int record_control(
	struct server *s, const char *run, const char *word, struct span why, struct err *e)
{
	AUTO_BUF struct buf data = {0}, record = {0};
	struct event event = {.type = "run.control", .source = "/loop-stream", .runid = run};
	int64_t id;
	int r;

	buf_format(&data, "{\"action\":\"%s\"", word);
	add_reasons(&data, why);
	buf_char(&data, '}');
	event.priority = HIGH;
	event.data = (struct span){data.text, data.length};
	r = event_record(&record, &event, e);
	return r < 0 ? r : append(s, &record, &id, e);
}

/* The run's control FIFO; -ENXIO where no scheduler reads it. */
static int open_control(const struct state *s, const char *run)
{
	AUTO_BUF struct buf path = {0};

	buf_format(&path, "runs/%s/control", run);
	return state_file(s, path.text, O_WRONLY | O_NONBLOCK, 0);
}

static void say_asked(struct change *out, int status, const char *run, const char *word)
{
	out->status = status;
	buf_format(&out->body, "{\"ok\":true,\"run\":\"%s\",\"asked\":\"%s\"}", run, word);
}

static void ask(struct server *s, int fd, const char *run, const char *word, struct span why,
	struct change *out)
{
	AUTO_BUF struct buf line = {0};
	struct err e = {0};

	buf_format(&line, "%s\n", word);
	if (record_control(s, run, word, why, &e) < 0)
		say(out, 503, e.text);
	else if (io_write(fd, line.text, line.length) < 0)
		say(out, 503, "the scheduler does not listen");
	else
		say_asked(out, 200, run, word);
}

/* What failed is run again by a scheduler of its own, which outlives us. */
static void retry(struct server *s, const char *run, struct span why, struct change *out)
{
	struct err e = {0};

	if (record_control(s, run, "retry", why, &e) < 0 || retry_start(s, run, &e) < 0)
		say(out, 503, e.text);
	else
		say_asked(out, 202, run, "retry");
}

void change_run(struct server *s, const char *run, const char *word, struct span why,
	struct change *out)
{
	AUTO_CLOSE int fd = open_control(s->state, run);
	bool again = strcmp(word, "retry") == 0;

	if (again && fd < 0 && retry_possible(s->state, run))
		retry(s, run, why, out);
	else if (fd == -ENOENT)
		say(out, 404, "no such run");
	else if (again)
		say(out, 409, "the run has a scheduler that lives");
	else if (fd < 0)
		say(out, 409, "the run has no scheduler that listens");
	else
		ask(s, fd, run, word, why, out);
}

/* A member as text; NULL where there is none, or an empty one. The caller frees. */
static char *member(struct span object, const char *key)
{
	AUTO_BUF struct buf text = {0};
	struct span value;

	if (!jscan_get(object, key, &value) || jscan_text(value, &text) < 0)
		return NULL;
	return text.length ? buf_take(&text) : NULL;
}

static const struct {
	const char *word;
	enum gate_state state;
} answers[] = {
	{"approve", GATE_APPROVED},
	{"reject", GATE_REJECTED},
	{"answer", GATE_ANSWERED},
};

static enum gate_state answer_of(const char *word)
{
	for (size_t i = 0; i < countof(answers); i++)
		if (strcmp(word, answers[i].word) == 0)
			return answers[i].state;
	return GATE_PENDING;
}

void change_gate(struct server *s, const char *id, const char *word, struct span object,
	struct change *out)
{
	AUTO_FREE char *text = member(object, "text");
	AUTO_FREE char *by = member(object, "who");
	AUTO_FREE char *why = member(object, "why");
	AUTO_GATE struct gate gate = {0};
	struct gate_answer a = {answer_of(word), text, by ? by : "http", why};
	struct err e = {0};
	int r = gate_resolve(s->state, id, &a, &gate, &e);

	if (r >= 0) { /* 0: another was sooner; the gate tells */
		out->status = r ? 200 : 409;
		gate_format(&gate, false, &out->body);
	} else if (r == -ENOENT) {
		say(out, 404, "no such gate");
	} else {
		say(out, r == -EINVAL ? 400 : 503, e.text);
	}
}

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

static void reply(struct conn *c, struct change *change)
{
	bool json = change->body.length && change->body.text[0] == '{';

	if (!json) {
		conn_reply_text(c, change->status, change->body.text);
		return;
	}
	buf_char(&change->body, '\n');
	conn_reply(c, &(struct reply){
			      .status = change->status,
			      .type = "application/json",
			      .body = {change->body.text, change->body.length},
		      });
}

/* The body, if it is JSON at all. */
static struct span body_of(const struct conn *c)
{
	const struct buf *body = &c->intake->body;
	const char *what;
	size_t at;

	if (!body->length || jscan_check(body->text, body->length, &at, &what) < 0)
		return (struct span){"", 0};
	return (struct span){body->text, body->length};
}

void events_post(struct conn *c)
{
	AUTO(change_clear)
	struct change change = {0};

	if (!may_change(c))
		return;
	change_publish(c->server, span_of(&c->intake->body), &change);
	reply(c, &change);
}

/* The word that the path ends with is asked of what is named in front of it. */
static void control(struct conn *c, change_by_word *run)
{
	AUTO(change_clear)
	struct change change = {0};
	char id[129];

	if (!may_change(c) || !conn_name(c, id))
		return;
	run(c->server, id, strrchr(c->route->path, '/') + 1, body_of(c), &change);
	reply(c, &change);
}

void run_control(struct conn *c)
{
	control(c, change_run);
}

void gate_control(struct conn *c)
{
	control(c, change_gate);
}
