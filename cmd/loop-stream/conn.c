/*
 * Every byte that comes is either part of the request at hand, or kept until
 * the answer before it has gone: one request at a time, in order. Nothing is
 * read while an answer is on its way out, so a client that does not read its
 * answers is not listened to either.
 */
#include "conn.h"

#include "clock.h"
#include "crew.h"
#include "eio.h"
#include "mem.h"
#include "parse.h"
#include "route.h"
#include "server.h"
#include "ws.h"
#include "ws_handshake.h"

#include <errno.h>
#include <sys/socket.h>

enum { LINGER_BYTES = 1 << 20,
	REST_MAX = 1 << 17 /* of requests that were sent before the answer */ };
#define LINGER_TIME NS_PER_S
#define REPLY_TIME (30 * NS_PER_S)

static void on_poll(uv_poll_t *, int status, int events);

static void watch(struct conn *c, int events)
{
	if (c->state == CONN_CLOSED || c->watched == events)
		return;
	c->watched = events;
	if (uv_poll_start(&c->poll, events, on_poll) < 0)
		conn_close(c);
}

/* Who does not read what it is sent is not heard either, if it may ask for more. */
void conn_want_room(struct conn *c, bool on)
{
	bool deaf = c->ws && (c->out.length || c->delivery.offset || c->rest.length);

	watch(c, (deaf ? 0 : UV_READABLE) | (on ? UV_WRITABLE : 0));
}

static void on_closed(uv_handle_t *handle)
{
	struct conn *c = handle->data;

	buf_clear(&c->out);
	buf_clear(&c->rest);
	free(c);
}

void conn_close(struct conn *c)
{
	if (c->state == CONN_CLOSED)
		return;
	if (c->state == CONN_STREAMING)
		c->server->stream_count--;
	if (c->state == CONN_WAITING)
		c->waiter->gone(c);
	c->state = CONN_CLOSED;
	delivery_close(c);
	ws_free(c);
	link_drop(&c->link);
	intake_free(c->intake);
	c->intake = NULL;
	server_forget(c->server);
	uv_close((uv_handle_t *)&c->poll, on_closed);
	close(c->fd);
}

/* The next request: a new intake, and the time in which its first byte has to come. */
static void expect_request(struct conn *c, int64_t wait)
{
	intake_free(c->intake);
	c->intake = intake_new(
		MAX(c->server->limits.body_max, c->server->limits.payload_max));
	c->state = CONN_READING;
	c->deadline = clock_after(wait);
	watch(c, UV_READABLE);
}

void conn_open(struct server *server, int fd)
{
	struct conn *c = mem_zero(1, sizeof *c);

	c->server = server;
	c->fd = fd;
	c->poll.data = c;
	link_add(&server->clients, &c->link);
	server->client_count++;
	if (uv_poll_init_socket(&server->loop, &c->poll, fd) < 0) {
		link_drop(&c->link);
		server_forget(server);
		close(fd);
		free(c);
		return;
	}
	expect_request(c, server->limits.head);
}

/* Our side is closed; the other's is read to its end, so that no reset overtakes the answer. */
static void linger(struct conn *c)
{
	c->state = CONN_LINGERING;
	c->sent = 0;
	c->deadline = clock_after(LINGER_TIME);
	shutdown(c->fd, SHUT_WR);
	watch(c, UV_READABLE);
}

void conn_end_stream(struct conn *c)
{
	c->server->stream_count--;
	delivery_close(c);
	ws_free(c);
	link_drop(&c->link);
	link_add(&c->server->clients, &c->link);
	linger(c);
}

ssize_t conn_sent(struct conn *c, ssize_t n)
{
	if (n < 0) {
		conn_close(c);
		return -1;
	}
	if (n > 0)
		c->delivery.last = clock_now();
	c->server->counts.bytes += (uint64_t)n;
	return n;
}

ssize_t conn_send(struct conn *c, const struct iovec *v, size_t count)
{
	return conn_sent(c, crew_send_one(c->fd, v, count));
}

bool conn_flush(struct conn *c)
{
	while (c->sent < c->out.length) {
		struct iovec v = {c->out.text + c->sent, c->out.length - c->sent};
		ssize_t n = conn_send(c, &v, 1);

		if (n < 0)
			return false;
		if (n == 0) {
			if (c->state == CONN_STREAMING)
				conn_want_room(c, true);
			else
				watch(c, UV_WRITABLE);
			return false;
		}
		c->sent += (size_t)n;
	}
	c->sent = 0;
	buf_clear(&c->out);
	return true;
}

static void reply_started(struct conn *c)
{
	if (c->state == CONN_WAITING) {
		link_drop(&c->link);
		link_add(&c->server->clients, &c->link);
	}
	c->state = CONN_REPLYING;
	c->deadline = clock_after(REPLY_TIME);
}

void conn_reply(struct conn *c, const struct reply *r)
{
	const struct request *request = &c->intake->request;

	c->last |= request->close || c->server->stopping;
	c->server->counts.requests++;
	reply_format(&c->out, r, c->last, request->method == METHOD_HEAD);
	reply_started(c);
}

void conn_reply_raw(struct conn *c, const struct buf *head)
{
	c->last = true;
	c->server->counts.requests++;
	buf_add(&c->out, head->text, head->length);
	reply_started(c);
}

static const char ask_token[] = "WWW-Authenticate: Bearer\r\n";

static void reply_line(struct conn *c, int status, const char *text, const char *fields)
{
	AUTO_BUF struct buf body = {0};

	buf_escape(&body, text, strlen(text));
	buf_char(&body, '\n');
	conn_reply(c, &(struct reply){
			      .status = status,
			      .type = "text/plain; charset=utf-8",
			      .body = {body.text, body.length},
			      .fields = fields,
		      });
}

void conn_reply_text(struct conn *c, int status, const char *text)
{
	reply_line(c, status, text, status == 401 ? ask_token : NULL);
}

void conn_reply_json(struct conn *c, const struct buf *body)
{
	conn_reply(c, &(struct reply){
			      .status = 200,
			      .type = "application/json",
			      .body = {body->text, body->length},
		      });
}

bool conn_name(struct conn *c, char out[129])
{
	snprintf(out, 129, "%.*s", (int)c->part.n, c->part.p);
	if (c->part.n <= 128 && name_valid(out))
		return true;
	conn_reply_text(c, 404, reply_phrase(404));
	return false;
}

void conn_wait(struct conn *c, const struct waiter *waiter, int64_t timeout)
{
	c->state = CONN_WAITING;
	c->waiter = waiter;
	c->deadline = clock_after(timeout);
	link_drop(&c->link);
	link_add(&c->server->waiting, &c->link);
}

void conn_become_stream(struct conn *c, const struct buf *head)
{
	buf_add(&c->out, head->text, head->length);
	buf_clear(&c->rest);
	intake_free(c->intake);
	c->intake = NULL;
	c->server->counts.requests++;
	c->server->stream_count++;
	c->state = CONN_STREAMING;
	c->deadline = NS_FOREVER;
	link_drop(&c->link);
	link_add(&c->server->streams, &c->link);
}

/* What a refused request may be followed by cannot be known: the connection ends with it. */
static void refuse(struct conn *c, int status)
{
	c->last = true;
	c->server->counts.refused++;
	if (status == 405)
		reply_line(c, status, reply_phrase(status), route_allow(METHOD_GET | METHOD_POST));
	else
		conn_reply_text(c, status, reply_phrase(status));
}

static void reply_options(struct conn *c, unsigned methods)
{
	conn_reply(c, &(struct reply){.status = 204, .fields = route_allow(methods)});
}

/* Answers for a path, or says that it has none. OPTIONS is answered here for all. */
static void dispatch(struct conn *c)
{
	const struct request *r = &c->intake->request;
	unsigned any = METHOD_GET | METHOD_HEAD | METHOD_POST;

	if (r->method == METHOD_OPTIONS && (c->route || span_is(r->path, "*")))
		reply_options(c, c->route ? c->route->methods : any);
	else if (!c->route)
		conn_reply_text(c, 404, reply_phrase(404));
	else if (!(c->route->methods & r->method))
		reply_line(c, 405, reply_phrase(405), route_allow(c->route->methods));
	else
		c->route->answer(c);
}

/* Only now is it known what the body is for. */
static int64_t body_max(const struct conn *c)
{
	const struct server_limits *l = &c->server->limits;

	return c->route && c->route->answer == eio_answer ? l->payload_max : l->body_max;
}

/* The head is whole. Whom we do not answer is not asked for a body either. */
static void check(struct conn *c)
{
	static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const struct request *r = &c->intake->request;
	int status = guard_check(&c->server->guard, r);

	/* It begins with a GET, always, and what would come next are frames. */
	if (!status && ws_asked(r) && (r->method != METHOD_GET || request_has_body(r)))
		status = 400;
	if (status) {
		refuse(c, status);
		return;
	}
	c->route = route_find(r, &c->part);
	c->intake->body_max = body_max(c);
	if (r->content_length > c->intake->body_max) {
		refuse(c, 413);
		return;
	}
	c->deadline = clock_after(c->server->limits.body);
	if (request_has_body(r) && (!c->route || !(c->route->methods & r->method))) {
		c->last = true;
		dispatch(c);
	} else if (r->expects) {
		buf_str(&c->out, go_on);
		if (!conn_flush(c)) /* it then goes with the answer */
			watch(c, UV_READABLE);
	}
}

/* Takes what the request at hand can use; the number of bytes. */
static size_t take(struct conn *c, const char *bytes, size_t length)
{
	struct intake *in = c->intake;
	size_t used;
	int status;

	if (intake_idle(in))
		c->deadline = clock_after(c->server->limits.head);
	status = intake_take(in, bytes, length, &used);
	if (status)
		refuse(c, status);
	else if (in->phase == INTAKE_CHECK)
		check(c);
	if (c->state == CONN_READING && in->phase == INTAKE_WHOLE)
		dispatch(c);
	return used;
}

/* Sends the answer; when it has gone, waits for the next request or for the end. */
static void go_on(struct conn *c)
{
	if (c->state != CONN_REPLYING || !conn_flush(c))
		return;
	if (c->last)
		linger(c);
	else
		expect_request(c, c->server->limits.idle);
}

/* Requests may stand one behind the other; the number of bytes that were used. */
static size_t consume(struct conn *c, const char *bytes, size_t length)
{
	size_t used = 0;

	while (c->state == CONN_READING &&
		(used < length || c->intake->phase == INTAKE_CHECK)) {
		used += take(c, bytes + used, length - used);
		go_on(c);
	}
	return used;
}

static void received(struct conn *c, const char *bytes, size_t length)
{
	size_t used;

	if (c->state == CONN_LINGERING) {
		c->sent += length;
		if (c->sent > LINGER_BYTES)
			conn_close(c);
		return;
	}
	used = consume(c, bytes, length);
	if (c->ws)
		ws_hear(c, bytes + used, length - used);
	if (c->state == CONN_WAITING && c->rest.length + length > REST_MAX)
		conn_close(c);
	else if (c->state == CONN_REPLYING || c->state == CONN_WAITING)
		buf_add(&c->rest, bytes + used, length - used);
}

void conn_go_on(struct conn *c)
{
	go_on(c);
	if (c->state == CONN_READING && c->rest.length) {
		AUTO_BUF struct buf rest = c->rest;

		c->rest = (struct buf){0};
		received(c, rest.text, rest.length);
	}
}

static void readable(struct conn *c)
{
	ssize_t n;

	do
		n = recv(c->fd, c->server->scratch, sizeof c->server->scratch, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n > 0)
		received(c, c->server->scratch, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		conn_close(c);
}

static void writable(struct conn *c)
{
	if (c->state == CONN_STREAMING) {
		delivery_flush(c);
		if (c->ws && !c->out.length && !c->delivery.offset)
			ws_go_on(c);
		if (c->ws)
			ws_end_if_done(c);
		return;
	}
	conn_go_on(c);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct conn *c = poll->data;

	if (status < 0) {
		conn_close(c);
		return;
	}
	if (events & UV_WRITABLE)
		writable(c);
	if (events & c->watched & UV_READABLE && c->state != CONN_CLOSED)
		readable(c);
}

void conn_expire(struct conn *c)
{
	if (c->state == CONN_READING && !intake_idle(c->intake)) {
		refuse(c, 408);
		conn_go_on(c);
	} else if (c->state == CONN_WAITING) {
		c->waiter->expire(c);
		conn_go_on(c);
	} else {
		conn_close(c);
	}
}
