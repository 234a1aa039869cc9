/* Items as JSON: bodies are bytes, and not all bytes are text. */
#include "loop-queue.h"

#include "base64.h"
#include "parse.h"

static bool is_text(struct span s)
{
	for (size_t i = 0, n; i < s.n; i += n) {
		n = s.p[i] ? utf8_length(s.p + i, s.n - i) : 0;
		if (!n)
			return false;
	}
	return true;
}

/* "body":"…", or "body64":"…" where it is no text. */
static void body_json(struct buf *b, struct span body)
{
	if (is_text(body)) {
		buf_str(b, "\"body\":");
		buf_json(b, body.p, body.n);
		return;
	}
	buf_str(b, "\"body64\":\"");
	base64_add(b, body.p, body.n);
	buf_char(b, '"');
}

static void add_seconds(struct buf *b, const char *key, int64_t ns)
{
	int64_t ms = ns / NS_PER_MS;

	buf_format(b, ",\"%s\":%lld", key, (long long)(ms / 1000));
	if (ms % 1000)
		buf_format(b, ".%03d", (int)(ms % 1000));
}

static void add_time(struct buf *b, const char *key, int64_t ns)
{
	char text[TIME_SIZE];

	buf_format(b, ",\"%s\":\"%s\"", key, format_time(text, ns));
}

/* What only looking at it and working on it need. */
static void add_standing(struct buf *b, const struct queue *q, const struct item *i, unsigned what)
{
	buf_format(b, "\"id\":\"%s\",\"queue\":\"%s\"", i->id, q->name);
	if (what & SHOW_STATE)
		buf_format(b, ",\"state\":\"%s\"", item_state_name(i->state));
	else
		buf_format(b, ",\"token\":\"%s\"", i->token);
	buf_format(b, ",\"try\":%lld,", (long long)i->tries);
}

static void add_times(struct buf *b, const struct item *i)
{
	add_time(b, "created", i->created);
	if (i->state == ITEM_CLAIMED)
		add_time(b, "deadline", i->due);
	if (i->state == ITEM_DELAYED)
		add_time(b, "due", i->due);
}

static void add_portable(struct buf *b, const struct item *i)
{
	if (i->tries)
		buf_format(b, ",\"tried\":%lld", (long long)i->tries);
	if (i->state == ITEM_BURIED)
		buf_str(b, ",\"buried\":true");
	if (i->state == ITEM_DELAYED)
		add_time(b, "delay", i->due);
}

void item_json(struct buf *b, const struct queue *q, const struct item *i, unsigned what)
{
	buf_char(b, '{');
	if (!(what & SHOW_PORTABLE))
		add_standing(b, q, i, what);
	buf_format(b, "\"tries\":%lld,\"priority\":%lld", (long long)i->max_tries,
		(long long)i->priority);
	if (what & SHOW_PORTABLE)
		add_portable(b, i);
	else
		add_times(b, i);
	add_seconds(b, "lease", i->lease);
	if (i->key[0])
		buf_format(b, ",\"key\":\"%s\"", i->key);
	if (what & SHOW_STATE && i->why.n) {
		buf_str(b, ",\"why\":");
		buf_json(b, i->why.p, i->why.n);
	}
	if (i->damaged)
		buf_str(b, ",\"damaged\":true");
	if (what & SHOW_BODY) {
		buf_char(b, ',');
		body_json(b, i->body);
	}
	buf_char(b, '}');
}
