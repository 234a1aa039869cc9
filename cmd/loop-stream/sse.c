#include "sse.h"

#include "clock.h"
#include "conn.h"
#include "resume.h"
#include "server.h"

static const char stream_head[] =
	"HTTP/1.1 200 OK\r\n"
	"Content-Type: text/event-stream; charset=utf-8\r\n"
	"Cache-Control: no-store\r\n"
	"X-Accel-Buffering: no\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Connection: close\r\n";

void sse_tell_gap(struct conn *c, int64_t from, int64_t to)
{
	buf_format(&c->out, "event: stream.gap\ndata: {\"from\":\"%lld\",\"to\":\"%lld\"}\n\n",
		(long long)from, (long long)to);
}

void sse_open(struct conn *c)
{
	const struct request *r = &c->intake->request;
	AUTO_BUF struct buf head = {0};
	struct filter *filter = NULL;
	struct resume place;
	struct err e = {0};

	if (filter_new(&filter, r->query, &e) < 0 ||
		resume_find(&place, &c->server->feed, r, &e) < 0) {
		filter_free(filter);
		conn_reply_text(c, 400, e.text);
		return;
	}
	buf_str(&head, stream_head);
	reply_date(&head);
	if (r->method == METHOD_HEAD) {
		filter_free(filter);
		conn_reply_raw(c, &head);
		return;
	}
	buf_format(&head, "retry: %lld\n\n", (long long)(c->server->limits.retry / NS_PER_MS));
	c->delivery = (struct delivery){.position = place.position, .filter = filter};
	c->delivery.last = clock_now();
	conn_become_stream(c, &head);
	if (place.gap)
		delivery_tell_gap(c, place.wanted, place.position);
	delivery_flush(c);
}
