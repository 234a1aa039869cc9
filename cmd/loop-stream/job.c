#include "job.h"

#include "conn.h"
#include "mem.h"
#include "parse.h"
#include "server.h"

static void job_free(struct job *j)
{
	if (j->wish_free)
		j->wish_free(j->wish);
	buf_clear(&j->body);
	free(j->fields);
	free(j->query);
	free(j);
}

static void work(uv_work_t *w)
{
	struct job *j = w->data;

	j->run(j);
}

static void on_done(uv_work_t *w, int status UNUSED)
{
	struct job *j = w->data;
	struct conn *c = j->conn;

	if (c) {
		conn_reply(c, &(struct reply){
				      .status = j->status,
				      .type = j->type,
				      .body = {j->body.text, j->body.length},
				      .fields = j->fields,
			      });
		conn_go_on(c);
	}
	job_free(j);
}

static void gone(struct conn *c)
{
	struct job *j = c->owner;

	j->conn = NULL;
	j->left = true;
}

/* The server ends. */
static void expire(struct conn *c)
{
	gone(c);
	conn_reply_text(c, 503, reply_phrase(503));
}

void job_start(struct conn *c, void (*run)(struct job *), void *wish, void (*wish_free)(void *))
{
	static const struct waiter waiter = {.expire = expire, .gone = gone};
	const struct request *r = &c->intake->request;
	struct job *j = mem_zero(1, sizeof *j);

	*j = (struct job){.conn = c, .run = run, .state = c->server->state, .status = 200};
	j->type = "application/json";
	j->wish = wish;
	j->wish_free = wish_free;
	j->query = mem_substring(r->query.p ? r->query.p : "", r->query.n);
	j->work.data = j;
	if (c->part.p && !conn_name(c, j->name)) {
		job_free(j);
		return;
	}
	c->owner = j;
	conn_wait(c, &waiter, NS_FOREVER);
	uv_queue_work(&c->server->loop, &j->work, work, on_done);
}

int64_t job_number(const struct job *j, const char *name, int64_t otherwise, int64_t max)
{
	AUTO_BUF struct buf text = {0};
	int64_t value;

	if (query_get((struct span){j->query, strlen(j->query)}, name, &text) <= 0 ||
		parse_int(text.text, 0, max, &value) < 0)
		return otherwise;
	return value;
}

void job_refuse(struct job *j, int status, const char *text)
{
	j->status = status;
	j->type = "text/plain; charset=utf-8";
	buf_clear(&j->body);
	buf_format(&j->body, "%s\n", text);
}
