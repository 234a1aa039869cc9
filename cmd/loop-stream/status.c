#include "status.h"

#include "clock.h"
#include "conn.h"
#include "parse.h"
#include "server.h"
#include "version.h"

/* The streams that the kernel had no room for, and how far the last of them is behind. */
static void add_streams(struct server *s, struct buf *b)
{
	int64_t lag = 0;
	size_t behind = 0;

	link_each(&s->streams, at)
	{
		struct conn *c = container_of(at, struct conn, link);

		behind += c->delivery.behind;
		lag = MAX(lag, s->feed.end - c->delivery.position);
	}
	buf_format(b, "\"streams\":%zu,\"sessions\":%zu,\"behind\":%zu,\"lag_bytes\":%lld",
		s->stream_count, s->session_count, behind, (long long)lag);
}

static void add_counts(const struct server *s, struct buf *b)
{
	const struct server_counts *n = &s->counts;

	buf_format(b,
		"\"accepted\":%llu,\"requests\":%llu,\"refused\":%llu,\"events_sent\":%llu,"
		"\"bytes_sent\":%llu",
		(unsigned long long)n->accepted, (unsigned long long)n->requests,
		(unsigned long long)n->refused, (unsigned long long)n->events,
		(unsigned long long)n->bytes);
}

void status_answer(struct conn *c)
{
	struct server *s = c->server;
	AUTO_BUF struct buf b = {0};
	char since[TIME_SIZE];

	buf_format(&b, "{\"version\":\"%s\",\"pid\":%d,\"started\":\"%s\",\"state\":", LOOP_VERSION,
		(int)getpid(), format_time(since, s->started));
	buf_json(&b, s->state->path, strlen(s->state->path));
	buf_format(&b, ",\"journal\":{\"end\":\"%lld\",\"kept_from\":\"%lld\",\"damaged\":%llu},",
		(long long)s->feed.end, (long long)s->feed.start,
		(unsigned long long)journal_damaged(s->feed.reader));
	buf_format(&b, "\"clients\":{\"open\":%zu,", s->client_count);
	add_streams(s, &b);
	buf_str(&b, "},\"totals\":{");
	add_counts(s, &b);
	buf_str(&b, "}}\n");
	conn_reply_json(c, &b);
}

static void add_metric(struct buf *b, const char *name, const char *type, const char *help,
	int64_t value)
{
	buf_format(b, "# HELP loop_stream_%s %s\n# TYPE loop_stream_%s %s\nloop_stream_%s %lld\n",
		name, help, name, type, name, (long long)value);
}

void metrics_answer(struct conn *c)
{
	const struct server *s = c->server;
	AUTO_BUF struct buf b = {0};

	add_metric(&b, "connections", "gauge", "Connections that are open.",
		(int64_t)s->client_count);
	add_metric(&b, "streams", "gauge", "Clients that are sent events.",
		(int64_t)s->stream_count);
	add_metric(&b, "sessions", "gauge", "Engine.IO sessions, by polling or WebSocket.",
		(int64_t)s->session_count);
	add_metric(&b, "accepted_total", "counter", "Connections that were accepted.",
		(int64_t)s->counts.accepted);
	add_metric(&b, "requests_total", "counter", "Requests that were answered.",
		(int64_t)s->counts.requests);
	add_metric(&b, "refused_total", "counter", "Requests that were refused.",
		(int64_t)s->counts.refused);
	add_metric(&b, "events_sent_total", "counter", "Events that were sent, over all clients.",
		(int64_t)s->counts.events);
	add_metric(&b, "sent_bytes_total", "counter", "Bytes that were sent.",
		(int64_t)s->counts.bytes);
	add_metric(&b, "journal_position", "gauge", "The place in the journal that was read up to.",
		s->feed.end);
	add_metric(&b, "journal_damaged_total", "counter", "Lines that were stepped over.",
		(int64_t)journal_damaged(s->feed.reader));
	conn_reply(c, &(struct reply){
			      .status = 200,
			      .type = "text/plain; version=0.0.4; charset=utf-8",
			      .body = {b.text, b.length},
		      });
}
