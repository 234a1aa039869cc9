/*
 * One connection. What it may cost is bounded: a line by EVENT_MAX, silence by the
 * server's clock; and who does not take its answers is not listened to until it does.
 */
#include "server.h"

#include "clock.h"
#include "io.h"
#include "mem.h"

#include <errno.h>
#include <sys/socket.h>

enum { READ_SIZE = 64 * 1024,
	ANSWERS_MAX = 256 * 1024 }; /* with more to send, no further request is taken */

static void on_event(uv_poll_t *, int status, int events);

/* Asks for what the client's state needs. */
static void listen_for(struct client *c)
{
	int events = (c->held ? 0 : UV_READABLE) | (c->blocked ? UV_WRITABLE : 0);

	if (events != c->events)
		uv_poll_start(&c->poll, events, on_event);
	c->events = events;
}

void client_new(struct server *s, int fd, pid_t pid)
{
	struct client *c = mem_zero(1, sizeof *c);

	*c = (struct client){.server = s, .fd = fd, .pid = pid, .since = clock_now()};
	c->in.max = EVENT_MAX;
	c->sub.partial = -1;
	c->sub.cursor.fd = -1;
	c->next = s->clients;
	if (c->next)
		c->next->link = &c->next;
	c->link = &s->clients;
	s->clients = c;
	s->count++;
	s->accepted++;
	uv_poll_init(&s->loop, &c->poll, fd);
	c->poll.data = c;
	listen_for(c);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

/* The last answer tells why, if the socket has room for it. */
static void say_last(const struct client *c)
{
	const int flags = MSG_DONTWAIT | MSG_NOSIGNAL;

	if (c->out.length && c->sub.partial < 0 &&
		send(c->fd, c->out.text, c->out.length, flags) < 0)
		return;
}

void client_close(struct client *c)
{
	say_last(c);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->server->count--;
	filter_clear(&c->sub.filter);
	cursor_close(&c->sub.cursor);
	lines_clear(&c->in);
	buf_clear(&c->out);
	uv_close((uv_handle_t *)&c->poll, on_closed); /* it lets go of the descriptor at once */
	close(c->fd);
}

/* Takes the lines that have come; false if the client must go. */
static bool take_lines(struct client *c)
{
	uint64_t oversize = c->in.oversize;
	size_t length;
	char *line;

	while (c->out.length <= ANSWERS_MAX && lines_next(&c->in, &line, &length)) {
		c->spoken = true;
		request(c, line, length);
	}
	request_end(c);
	c->held = c->out.length > ANSWERS_MAX;
	if (c->in.oversize > oversize || c->in.skipping) {
		answer_error(c, "a line that is too long");
		return false;
	}
	if (c->in.taken == c->in.rest.length)
		lines_clear(&c->in);
	return true;
}

void client_turn(struct client *c)
{
	int more;

	c->blocked = false;
	more = outlet_turn(c);
	if (more == -ERANGE)
		answer_error(c, "the journal does not go back that far");
	if (more >= 0 && c->held && !c->out.length && !take_lines(c))
		more = -EPROTO;
	if (more < 0) {
		client_close(c);
		return;
	}
	c->ready = more || (c->out.length && !c->blocked);
	listen_for(c);
	if (c->ready)
		server_wake(c->server);
}

static bool take_bytes(struct client *c)
{
	ssize_t n = recv(c->fd, lines_room(&c->in, READ_SIZE), READ_SIZE, MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	lines_fed(&c->in, (size_t)n);
	return take_lines(c);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct client *c = poll->data;
	bool stays = status == 0;

	if (stays && (events & UV_READABLE))
		stays = take_bytes(c);
	if (!stays)
		client_close(c);
	else if ((events & UV_WRITABLE) || c->out.length || c->sub.on)
		client_turn(c);
}
