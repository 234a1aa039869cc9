/*
 * What libwslay says is written to the connection's output at once, in whole
 * frames, so between two calls of it anybody may add frames there. Who asks
 * faster than it reads the answers is not heard: its bytes wait.
 */
#include "ws.h"

#include "clock.h"
#include "conn.h"
#include "mem.h"
#include "server.h"
#include "ws_handshake.h"

#include <wslay/wslay.h>

enum { QUEUE_MAX = 1 << 20 /* bytes of answers before one listens on */ };

struct ws {
	wslay_event_context_ptr context;
	struct conn *conn;
	const struct ws_protocol *protocol;
	const char *input; /* while it is heard */
	size_t input_left;
	uint64_t fragments; /* of the message at hand */
	struct buf kept;    /* messages that came while it was held, each behind its struct kept */
	bool hearing, held;
	bool broken; /* what came were no frames: the goodbye is our own */
};

/* A message that waits. */
struct kept {
	enum ws_kind kind;
	size_t length;
};

size_t ws_header(char out[WS_HEADER], enum ws_kind kind, size_t length)
{
	size_t n = 2, bytes = length < 126 ? 0 : length <= 0xffff ? 2
								  : 8;

	out[0] = (char)(0x80 | kind);
	out[1] = (char)(bytes == 0 ? length : bytes == 2 ? 126
							 : 127);
	for (size_t i = bytes; i > 0; i--)
		out[n++] = (char)((uint64_t)length >> (8 * (i - 1)));
	return n;
}

static ssize_t take_input(
	wslay_event_context_ptr context, uint8_t *out, size_t room, int flags UNUSED, void *user)
{
	struct ws *w = user;
	size_t n = MIN(room, w->input_left);

	if (!n || w->held || w->conn->out.length > QUEUE_MAX) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(out, w->input, n);
	w->input += n;
	w->input_left -= n;
	return (ssize_t)n;
}

static ssize_t give_output(wslay_event_context_ptr context UNUSED, const uint8_t *bytes,
	size_t length, int flags UNUSED, void *user)
{
	struct ws *w = user;

	buf_add(&w->conn->out, bytes, length);
	return (ssize_t)length;
}

void ws_close(struct conn *c, unsigned code)
{
	(void)wslay_event_queue_close(c->ws->context, (uint16_t)code, NULL, 0);
	wslay_event_shutdown_read(c->ws->context);
}

/* A message of a million fragments costs as many allocations. */
static void on_frame(wslay_event_context_ptr context UNUSED,
	const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
	struct ws *w = user;
	uint64_t max = (uint64_t)w->conn->server->limits.fragments_max;

	if (frame->opcode == WSLAY_CONTINUATION_FRAME)
		w->fragments++;
	else if (frame->opcode < WSLAY_CONNECTION_CLOSE)
		w->fragments = 1;
	if (max && w->fragments > max)
		ws_close(w->conn, WS_POLICY);
	/* Half a code is none. */
	if (frame->opcode == WSLAY_CONNECTION_CLOSE && frame->payload_length == 1)
		ws_close(w->conn, WS_PROTOCOL);
}

static void queue(struct ws *w, uint8_t opcode, struct span bytes)
{
	const struct wslay_event_msg m = {
		.opcode = opcode, .msg = (const uint8_t *)bytes.p, .msg_length = bytes.n};

	/* Refused once a close was queued: nobody hears it then. */
	(void)wslay_event_queue_msg(w->context, &m);
}

void ws_say(struct conn *c, enum ws_kind kind, struct span message)
{
	queue(c->ws, (uint8_t)kind, message);
}

void ws_frame(struct conn *c, enum ws_kind kind, struct span message)
{
	char header[WS_HEADER];

	buf_add(&c->out, header, ws_header(header, kind, message.n));
	buf_add(&c->out, message.p, message.n);
}

static void on_message(wslay_event_context_ptr context,
	const struct wslay_event_on_msg_recv_arg *m, void *user)
{
	struct ws *w = user;
	struct kept k = {(enum ws_kind)m->opcode, m->msg_length};

	if (w->held && !wslay_is_ctrl_frame(m->opcode)) {
		buf_add(&w->kept, &k, sizeof k);
		buf_add(&w->kept, m->msg, m->msg_length);
	} else if (!wslay_is_ctrl_frame(m->opcode)) {
		w->protocol->heard(
			w->conn, k.kind, (struct span){(const char *)m->msg, m->msg_length});
	} else if (m->opcode == WSLAY_PONG && w->protocol->ponged) {
		w->protocol->ponged(w->conn);
	}
	/* To the output at once: libwslay would let a goodbye overtake the answers before it. */
	(void)wslay_event_send(context);
}

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = take_input,
	.send_callback = give_output,
	.on_frame_recv_start_callback = on_frame,
	.on_msg_recv_callback = on_message,
};

static struct ws *ws_new(struct conn *c, const struct ws_protocol *protocol, int64_t message_max)
{
	struct ws *w = mem_zero(1, sizeof *w);

	w->conn = c;
	w->protocol = protocol;
	if (wslay_event_context_server_init(&w->context, &callbacks, w) != 0) {
		free(w);
		return NULL;
	}
	wslay_event_config_set_max_recv_msg_length(w->context, (uint64_t)message_max);
	return w;
}

static void refuse(struct conn *c, int status)
{
	static const char fields[] = "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n"
				     "Connection: Upgrade\r\n";
	const char *phrase = reply_phrase(status);

	c->last = true; /* what it meant to send next are frames */
	conn_reply(c, &(struct reply){
			      .status = status,
			      .type = "text/plain; charset=utf-8",
			      .body = {phrase, strlen(phrase)},
			      .fields = status == 426 ? fields : NULL,
		      });
}

bool ws_accept(struct conn *c, const struct ws_protocol *protocol, int64_t message_max)
{
	const struct request *r = &c->intake->request;
	AUTO_BUF struct buf head = {0};
	int status = ws_check(r);

	if (status) {
		refuse(c, status);
		return false;
	}
	ws_head(r, &head);
	reply_date(&head);
	c->owner = NULL; /* whose it was when it still asked by requests */
	c->ws = ws_new(c, protocol, message_max);
	if (!c->ws) {
		conn_reply_text(c, 503, reply_phrase(503));
		return false;
	}
	c->delivery = (struct delivery){.position = DELIVERY_NOTHING, .last = clock_now()};
	conn_become_stream(c, &head);
	return true;
}

void ws_free(struct conn *c)
{
	struct ws *w = c->ws;

	if (!w)
		return;
	c->ws = NULL;
	if (w->protocol->gone)
		w->protocol->gone(c);
	wslay_event_context_free(w->context);
	buf_clear(&w->kept);
	free(w);
}

/* Whether it may still be told anything. */
static bool listens(const struct ws *w)
{
	return wslay_event_get_write_enabled(w->context) &&
		!wslay_event_get_close_sent(w->context) &&
		wslay_event_get_read_enabled(w->context);
}

bool ws_speak(struct conn *c)
{
	struct ws *w = c->ws;

	if (w->broken)
		return false;
	if (wslay_event_want_write(w->context) && wslay_event_send(w->context) != 0) {
		conn_close(c);
		return false;
	}
	if (!w->protocol->speak || c->out.length || !listens(w))
		return false;
	return w->protocol->speak(c);
}

bool ws_has_to_say(const struct conn *c)
{
	const struct ws *w = c->ws;

	return w->hearing || w->protocol->speak || wslay_event_want_write(w->context);
}

void ws_ping(struct conn *c)
{
	if (c->ws->protocol->pinged)
		queue(c->ws, WSLAY_PING, (struct span){NULL, 0});
}

bool ws_hearing(const struct conn *c)
{
	return c->ws->hearing;
}

/* For what is no frame at all libwslay has a goodbye without a reason; ours tells one. */
static void break_off(struct ws *w)
{
	static const char goodbye[] = {(char)0x88, 2, (char)(WS_PROTOCOL >> 8),
		(char)(WS_PROTOCOL & 0xff)};

	w->broken = true;
	if (!wslay_event_get_close_sent(w->context))
		buf_add(&w->conn->out, goodbye, sizeof goodbye);
}

/* Takes in bytes. What was not heard stays in input. */
static void hear(struct ws *w, const char *bytes, size_t length)
{
	struct conn *c = w->conn;
	int r;

	w->input = bytes;
	w->input_left = length;
	w->hearing = true;
	r = wslay_event_recv(w->context);
	w->hearing = false;
	if (r != 0)
		break_off(w);
	/* Behind a close frame nothing is sent. */
	if (r != 0 || !wslay_event_want_read(w->context)) {
		c->delivery.position = DELIVERY_NOTHING;
		w->input_left = 0;
	}
}

void ws_hear(struct conn *c, const char *bytes, size_t length)
{
	struct ws *w = c->ws;

	if (c->rest.length) {
		buf_add(&c->rest, bytes, length);
		return;
	}
	hear(w, bytes, length);
	if (w->input_left)
		buf_add(&c->rest, w->input, w->input_left);
	delivery_flush(c);
	if (c->rest.length && c->state == CONN_STREAMING)
		conn_want_room(c, !w->held);
	ws_end_if_done(c);
}

void ws_hold(struct conn *c)
{
	c->ws->held = true;
}

/* What libwslay had taken in already when it was held. */
static void hear_kept(struct ws *w)
{
	AUTO_BUF struct buf kept = w->kept;
	size_t at = 0;
	struct kept k;

	w->kept = (struct buf){0};
	for (; at < kept.length && !w->held; at += sizeof k + k.length) {
		memcpy(&k, kept.text + at, sizeof k);
		w->protocol->heard(w->conn, k.kind,
			(struct span){kept.text + at + sizeof k, k.length});
	}
	buf_add(&w->kept, kept.text + at, kept.length - at);
}

void ws_release(struct conn *c)
{
	struct ws *w = c->ws;

	w->held = false;
	if (w->kept.length)
		hear_kept(w);
	delivery_flush(c);
	if (c->state == CONN_STREAMING)
		ws_go_on(c);
	if (c->state == CONN_STREAMING)
		ws_end_if_done(c);
}

void ws_go_on(struct conn *c)
{
	AUTO_BUF struct buf rest = {0};

	if (c->ws->held)
		return;
	rest = c->rest;
	c->rest = (struct buf){0};
	if (rest.length)
		ws_hear(c, rest.text, rest.length);
}

static bool over(const struct ws *w)
{
	return w->broken ||
		!(wslay_event_want_read(w->context) || wslay_event_want_write(w->context));
}

void ws_end_if_done(struct conn *c)
{
	const struct ws *w = c->ws;

	if (c->state == CONN_STREAMING && w && !c->out.length && !c->delivery.offset && over(w))
		conn_end_stream(c);
}
