#include "client.h"

#include "address.h"
#include "io.h"

#include <errno.h>

enum { ANSWER_MAX = 64 << 20 };

/* A proxy on the way tells by it whom we mean; a Unix socket has no name. */
static void add_host(struct buf *b, const char *url)
{
	const char *name = strstr(url, "://");

	name = name ? name + 3 : url;
	if (strncmp(url, "unix:", 5) != 0)
		buf_format(b, "Host: %.*s\r\n", (int)strcspn(name, "/"), name);
}

int client_send(const struct client *c, const char *method, const char *path, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	int fd = address_connect(c->url, c->timeout, e);
	int r;

	if (fd < 0)
		return fd;
	buf_format(&text, "%s %s HTTP/1.0\r\n", method, path);
	add_host(&text, c->url);
	if (c->token)
		buf_format(&text, "Authorization: Bearer %s\r\n", c->token);
	if (strcmp(method, "POST") == 0)
		buf_str(&text, "Content-Length: 0\r\n");
	buf_str(&text, "\r\n");
	r = io_write(fd, text.text, text.length);
	if (r == 0)
		return fd;
	close(fd);
	return err_sys(e, r, "%s", c->url);
}

static int on_head(llhttp_t *parser)
{
	struct answer *a = parser->data;

	a->headed = true;
	a->refused = parser->status_code / 100 != 2;
	return a->refused ? -1 : 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t length)
{
	buf_add(&((struct answer *)parser->data)->body, at, length);
	return 0;
}

static const llhttp_settings_t callbacks = {.on_headers_complete = on_head, .on_body = on_body};

void answer_begin(struct answer *a, const struct client *c)
{
	answer_clear(a);
	a->url = c->url;
	llhttp_init(&a->parser, HTTP_RESPONSE, &callbacks);
	a->parser.data = a;
}

void answer_clear(struct answer *a)
{
	buf_clear(&a->body);
	a->headed = a->refused = false;
}

int answer_take(struct answer *a, const char *bytes, size_t length, struct err *e)
{
	llhttp_errno_t r = length ? llhttp_execute(&a->parser, bytes, length)
				  : llhttp_finish(&a->parser);

	if (a->refused)
		return err_set(e, a->parser.status_code == 404 ? -ENOENT : -EPROTO,
			"%s: it answers %d", a->url, a->parser.status_code);
	if (r != HPE_OK)
		return err_set(e, -EPROTO, "%s: an odd answer: %s", a->url,
			llhttp_errno_name(r));
	if (!length && !a->headed)
		return err_set(e, -EPROTO, "%s: no answer", a->url);
	return 0;
}

int client_ask(const struct client *c, const char *method, const char *path, struct buf *body,
	struct err *e)
{
	AUTO(answer_clear)
	struct answer a = {0};
	AUTO_BUF struct buf text = {0};
	AUTO_CLOSE int fd = client_send(c, method, path, e);
	int r;

	if (fd < 0)
		return fd;
	r = io_read_all(fd, ANSWER_MAX, &text);
	if (r < 0)
		return err_sys(e, r == -EAGAIN ? -ETIMEDOUT : r, "%s", c->url);
	answer_begin(&a, c);
	r = text.length ? answer_take(&a, text.text, text.length, e) : 0;
	if (r == 0)
		r = answer_take(&a, NULL, 0, e);
	if (r == 0)
		buf_add(body, a.body.text, a.body.length);
	return r;
}
