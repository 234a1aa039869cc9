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

		behind += c->sse.behind;
		lag = MAX(lag, s->feed.end - c->sse.position);
	}
	buf_format(b, "\"streams\":%zu,\"behind\":%zu,\"lag_bytes\":%lld", s->stream_count, behind,
		(long long)lag);
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
	conn_reply(c, &(struct reply){
			      .status = 200,
			      .type = "application/json",
			      .body = {b.text, b.length},
		      });
}
