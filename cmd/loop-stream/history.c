#include "history.h"

#include "conn.h"
#include "feed_walk.h"
#include "job.h"
#include "search.h"
#include "server.h"

#include <errno.h>

enum { POLL_EVENTS = 500 };

#define POLL_TIME (25 * NS_PER_S)

static void format(struct buf *out, const struct search *s, int64_t next)
{
	buf_char(out, '{');
	search_found(s, next, out);
	buf_char(out, '\n');
}

static void history_work(struct job *j)
{
	struct search *s = j->wish;
	struct err e = {0};

	if (search_run(s, j->state, &e) < 0)
		job_refuse(j, 400, e.text);
	else
		format(&j->body, s, s->next);
}

static void wish_free(void *search)
{
	search_free(search);
}

void history_answer(struct conn *c)
{
	struct err e = {0};
	struct search *s = search_of_query(&c->server->feed, c->intake->request.query, &e);

	if (s)
		job_start(c, history_work, s, wish_free);
	else
		conn_reply_text(c, 400, e.text);
}

static void poll_answer(struct conn *c, const struct search *s)
{
	AUTO_BUF struct buf body = {0};

	format(&body, s, c->delivery.position);
	conn_reply_json(c, &body);
	delivery_close(c);
}

static bool poll_take(void *context, const struct topic *topic UNUSED, struct span line)
{
	struct search *s = context;

	return search_take(s, line);
}

/* There are new events. */
static void poll_look(struct conn *c)
{
	struct search s = {.max = POLL_EVENTS};

	struct delivery *d = &c->delivery;

	if (feed_walk(&c->server->feed, d->filter, &d->position, poll_take, &s) < 0)
		d->position = c->server->feed.start; /* the journal began anew */
	if (s.found || c->delivery.position < c->server->feed.end)
		poll_answer(c, &s);
	buf_clear(&s.text);
}

/* None came in time. */
static void poll_expire(struct conn *c)
{
	poll_answer(c, &(struct search){0});
}

void poll_open(struct conn *c)
{
	static const struct waiter waiter = {poll_look, poll_expire, delivery_close};
	const struct request *r = &c->intake->request;
	struct resume place;
	struct err e = {0};

	if (filter_new(&c->delivery.filter, r->query, &e) < 0 ||
		resume_find(&place, &c->server->feed, r, &e) < 0) {
		conn_reply_text(c, 400, e.text);
		delivery_close(c);
		return;
	}
	c->delivery.position = place.position;
	conn_wait(c, &waiter, POLL_TIME);
	poll_look(c);
}
