#include "ws.h"

#include "clock.h"
#include "conn.h"
#include "history.h"
#include "mem.h"
#include "server.h"
#include "sha1.h"

#include <errno.h>
#include <wslay/wslay.h>

enum { KEY_LENGTH = 24 };

struct ws {
	wslay_event_context_ptr context;
	struct conn *conn;
	const char *input; /* while it is heard */
	size_t input_left;
	uint64_t fragments; /* of the message at hand */
	bool echo;
};

size_t ws_header(char out[WS_HEADER], size_t length)
{
	size_t n = 2, bytes = length < 126 ? 0 : length <= 0xffff ? 2
								  : 8;

	out[0] = (char)0x81;
	out[1] = (char)(bytes == 0 ? length : bytes == 2 ? 126
							 : 127);
	for (size_t i = bytes; i > 0; i--)
		out[n++] = (char)((uint64_t)length >> (8 * (i - 1)));
	return n;
}

static ssize_t take_input(
	wslay_event_context_ptr context, uint8_t *out, size_t room, int flags, void *user)
{
	struct ws *w = user;
	size_t n = MIN(room, w->input_left);

	(void)flags;
	if (!n) {
		wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
		return -1;
	}
	memcpy(out, w->input, n);
	w->input += n;
	w->input_left -= n;
	return (ssize_t)n;
}

static ssize_t give_output(
	wslay_event_context_ptr context, const uint8_t *bytes, size_t length, int flags, void *user)
{
	struct ws *w = user;

	(void)context;
	(void)flags;
	buf_add(&w->conn->out, bytes, length);
	return (ssize_t)length;
}

/* A message of a million fragments costs as many allocations. */
static void on_frame(wslay_event_context_ptr context,
	const struct wslay_event_on_frame_recv_start_arg *frame, void *user)
{
	struct ws *w = user;
	uint64_t max = (uint64_t)w->conn->server->limits.fragments_max;

	if (frame->opcode == WSLAY_CONTINUATION_FRAME)
		w->fragments++;
	else if (frame->opcode < WSLAY_CONNECTION_CLOSE)
		w->fragments = 1;
	if (!max || w->fragments <= max)
		return;
	(void)wslay_event_queue_close(context, WSLAY_CODE_POLICY_VIOLATION, NULL, 0);
	wslay_event_shutdown_read(context);
}

static void say(struct ws *w, uint8_t opcode, const void *bytes, size_t length)
{
	const struct wslay_event_msg m = {
		.opcode = opcode, .msg = bytes, .msg_length = length};

	/* Refused once a close was queued: nobody hears it then. */
	(void)wslay_event_queue_msg(w->context, &m);
}

static void say_text(struct ws *w, const struct buf *text)
{
	say(w, WSLAY_TEXT_FRAME, text->text, text->length);
}

static void say_error(struct ws *w, const char *why)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, "{\"op\":\"error\",\"message\":");
	buf_json(&b, why, strlen(why));
	buf_char(&b, '}');
	say_text(w, &b);
}

static void subscribe(struct ws *w, struct span message)
{
	struct delivery *d = &w->conn->delivery;
	AUTO_BUF struct buf b = {0};
	struct filter *filter = NULL;
	struct resume place;
	struct err e = {0};

	if (filter_from_json(&filter, message, &e) < 0 ||
		history_place(&place, &w->conn->server->feed, message, &e) < 0) {
		filter_free(filter);
		say_error(w, e.text);
		return;
	}
	filter_free(d->filter);
	d->filter = filter;
	d->position = place.position;
	buf_format(&b, "{\"op\":\"sub\",\"ok\":true,\"from\":\"%lld\"}", (long long)place.position);
	say_text(w, &b);
	if (place.gap)
		delivery_tell_gap(w->conn, place.wanted, place.position);
}

static void unsubscribe(struct ws *w, struct span message)
{
	AUTO_BUF struct buf b = {0};

	(void)message;
	w->conn->delivery.position = DELIVERY_NOTHING;
	buf_str(&b, "{\"op\":\"unsub\",\"ok\":true}");
	say_text(w, &b);
}

static void answer_ping(struct ws *w, struct span message)
{
	AUTO_BUF struct buf b = {0};

	(void)message;
	buf_str(&b, "{\"op\":\"pong\"}");
	say_text(w, &b);
}

static void answer_history(struct ws *w, struct span message)
{
	AUTO_BUF struct buf b = {0};
	struct err e = {0};

	buf_str(&b, "{\"op\":\"history\",");
	if (history_json(&w->conn->server->feed, message, &b, &e) < 0)
		say_error(w, e.text);
	else
		say_text(w, &b);
}

static const struct {
	const char *name;
	void (*run)(struct ws *, struct span message);
} operations[] = {
	{"sub", subscribe},
	{"unsub", unsubscribe},
	{"ping", answer_ping},
	{"history", answer_history},
};

static void obey(struct ws *w, const char *text, size_t length)
{
	struct span message = {text, length}, name;
	const char *what;
	size_t at;

	if (jscan_check(text, length, &at, &what) < 0 || jscan_kind(message) != '{' ||
		!jscan_get(message, "op", &name)) {
		say_error(w, "a JSON object with \"op\" is expected");
		return;
	}
	for (size_t i = 0; i < countof(operations); i++) {
		if (jscan_is(name, operations[i].name)) {
			operations[i].run(w, message);
			return;
		}
	}
	say_error(w, "unknown op; known are sub, unsub, ping, history");
}

static void on_message(wslay_event_context_ptr context,
	const struct wslay_event_on_msg_recv_arg *m, void *user)
{
	struct ws *w = user;

	(void)context;
	if (wslay_is_ctrl_frame(m->opcode))
		return;
	if (w->echo)
		say(w, m->opcode, m->msg, m->msg_length);
	else if (m->opcode == WSLAY_TEXT_FRAME)
		obey(w, (const char *)m->msg, m->msg_length);
	else
		say_error(w, "text messages are expected");
}

static const struct wslay_event_callbacks callbacks = {
	.recv_callback = take_input,
	.send_callback = give_output,
	.on_frame_recv_start_callback = on_frame,
	.on_msg_recv_callback = on_message,
};

static struct ws *ws_new(struct conn *c, bool echo)
{
	struct ws *w = mem_zero(1, sizeof *w);

	w->conn = c;
	w->echo = echo;
	if (wslay_event_context_server_init(&w->context, &callbacks, w) != 0) {
		free(w);
		return NULL;
	}
	wslay_event_config_set_max_recv_msg_length(
		w->context, (uint64_t)c->server->limits.message_max);
	return w;
}

void ws_free(struct ws *w)
{
	if (!w)
		return;
	wslay_event_context_free(w->context);
	free(w);
}

void ws_speak(struct conn *c)
{
	if (wslay_event_want_write(c->ws->context) && wslay_event_send(c->ws->context) != 0)
		conn_close(c);
}

void ws_ping(struct conn *c)
{
	say(c->ws, WSLAY_PING, NULL, 0);
}

void ws_tell_gap(struct conn *c, int64_t from, int64_t to)
{
	AUTO_BUF struct buf b = {0};

	buf_format(&b, "{\"op\":\"gap\",\"from\":\"%lld\",\"to\":\"%lld\"}", (long long)from,
		(long long)to);
	say_text(c->ws, &b);
}

void ws_hear(struct conn *c, const char *bytes, size_t length)
{
	struct ws *w = c->ws;

	w->input = bytes;
	w->input_left = length;
	/* What is no frame at all is said goodbye to as well, with what wslay has queued. */
	if (wslay_event_recv(w->context) != 0 && !wslay_event_want_write(w->context)) {
		conn_close(c);
		return;
	}
	/* Behind a close frame nothing is sent. */
	if (!wslay_event_want_read(w->context))
		c->delivery.position = DELIVERY_NOTHING;
	delivery_flush(c);
	ws_end_if_done(c);
}

void ws_end_if_done(struct conn *c)
{
	const struct ws *w = c->ws;

	if (c->state == CONN_STREAMING && !c->out.length && !c->delivery.offset &&
		!wslay_event_want_read(w->context) && !wslay_event_want_write(w->context))
		conn_end_stream(c);
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 6455, section 4.2.2. */
static void accept_key(struct span key, struct buf *out)
{
	static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char digest[SHA1_SIZE + 1] = {0};
	char text[KEY_LENGTH + sizeof suffix];

	snprintf(text, sizeof text, "%.*s%s", (int)key.n, key.p, suffix);
	sha1(text, strlen(text), digest);
	for (size_t i = 0; i < SHA1_SIZE; i += 3) {
		uint32_t v = (uint32_t)(digest[i] << 16 | digest[i + 1] << 8 | digest[i + 2]);

		for (int shift = 18; shift >= 0; shift -= 6)
			buf_char(out, base64[v >> shift & 63]);
	}
	out->text[out->length - 1] = '=';
}

/* Sixteen bytes as base64. */
static bool key_valid(struct span key)
{
	return key.n == KEY_LENGTH && strspn(key.p, base64) == KEY_LENGTH - 2 &&
		memcmp(key.p + KEY_LENGTH - 2, "==", 2) == 0;
}

/* 0, or the status that refuses the handshake. */
static int check_handshake(const struct request *r)
{
	const struct field *upgrade = request_field(r, "upgrade");
	const struct field *version = request_field(r, "sec-websocket-version");
	const struct field *key = request_field(r, "sec-websocket-key");

	if (!upgrade || !list_has(upgrade->value, "websocket"))
		return 426;
	if (r->minor == 0 || !r->upgrade || r->chunked || r->content_length > 0)
		return 400;
	if (!version || !span_is(version->value, "13") ||
		request_field_count(r, "sec-websocket-version") > 1)
		return 426;
	if (!key || !key_valid(key->value) || request_field_count(r, "sec-websocket-key") > 1)
		return 400;
	return 0;
}

static void refuse_handshake(struct conn *c, int status)
{
	static const char fields[] = "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n"
				     "Connection: Upgrade\r\n";
	const char *phrase = reply_phrase(status);

	conn_reply(c, &(struct reply){
			      .status = status,
			      .type = "text/plain; charset=utf-8",
			      .body = {phrase, strlen(phrase)},
			      .fields = status == 426 ? fields : NULL,
		      });
}

void ws_open(struct conn *c)
{
	const struct request *r = &c->intake->request;
	int status = check_handshake(r);
	AUTO_BUF struct buf head = {0};

	if (status) {
		refuse_handshake(c, status);
		return;
	}
	c->ws = ws_new(c, r->path.n > strlen("/ws"));
	if (!c->ws) {
		conn_reply_text(c, 503, reply_phrase(503));
		return;
	}
	buf_str(&head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		       "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	accept_key(request_field(r, "sec-websocket-key")->value, &head);
	buf_str(&head, "\r\n");
	reply_date(&head);
	c->delivery = (struct delivery){.position = DELIVERY_NOTHING, .last = clock_now()};
	conn_become_stream(c, &head);
	delivery_flush(c);
}
