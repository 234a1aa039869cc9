#include "client.h"

#include "address.h"
#include "io.h"
#include "mem.h"

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

int client_status(const struct client *c, const char *line, struct err *e)
{
	int code = -EPROTO;

	if (strncmp(line, "HTTP/1.", 7) != 0 || strlen(line) < 12)
		return err_set(e, -EPROTO, "%s: an odd answer", c->url);
	if (line[9] == '2')
		return 0;
	if (strncmp(line + 9, "404", 3) == 0)
		code = -ENOENT;
	else if (strncmp(line + 9, "401", 3) == 0)
		code = -EACCES;
	return err_set(e, code, "%s: it answers %.*s", c->url, (int)strcspn(line + 9, "\r\n"),
		line + 9);
}

int client_ask(const struct client *c, const char *method, const char *path, struct buf *body,
	struct err *e)
{
	AUTO_BUF struct buf text = {0};
	AUTO_CLOSE int fd = client_send(c, method, path, e);
	const char *end;
	int r;

	if (fd < 0)
		return fd;
	r = io_read_all(fd, ANSWER_MAX, &text);
	if (r < 0)
		return err_sys(e, r == -EAGAIN ? -ETIMEDOUT : r, "%s", c->url);
	buf_add(&text, "", 0);
	r = client_status(c, text.text, e);
	if (r < 0)
		return r;
	end = strstr(text.text, "\r\n\r\n");
	if (!end)
		return err_set(e, -EPROTO, "%s: an odd answer", c->url);
	buf_add(body, end + 4, text.length - (size_t)(end + 4 - text.text));
	return 0;
}
