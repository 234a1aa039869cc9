#include "page.h"

#include "conn.h"
#include "io.h"
#include "route.h"
#include "server.h"
#include "share.h"

#include <fcntl.h>

enum { FILE_MAX = 1 << 20 };

/* The page runs its own scripts and asks us, and nobody shows it in a frame. */
static const char page_fields[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
	"frame-ancestors 'none'\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n";

static const struct {
	const char *path, *file, *type;
} files[] = {
	{"/", "dashboard/index.html", "text/html; charset=utf-8"},
	{"/style.css", "dashboard/style.css", "text/css; charset=utf-8"},
	{"/app.js", "dashboard/app.js", "text/javascript; charset=utf-8"},
	{"/fold.js", "dashboard/fold.js", "text/javascript; charset=utf-8"},
	{"/draw.js", "dashboard/draw.js", "text/javascript; charset=utf-8"},
	{"/feed.js", "dashboard/feed.js", "text/javascript; charset=utf-8"},
};

/* A page without scripts, whose only style is its own. */
const char page_report_fields[] =
	"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; "
	"form-action 'none'; frame-ancestors 'none'\r\n"
	"X-Frame-Options: DENY\r\n"
	"Referrer-Policy: no-referrer\r\n";

/* A page that was asked for with the token goes on with it: its files have no other way. */
static void add_cookie(const struct conn *c, struct buf *fields)
{
	const struct guard *g = &c->server->guard;

	if (g->open && guard_token(g, &c->intake->request))
		buf_format(fields, "Set-Cookie: loop_token=%s; %s\r\n", g->token,
			"HttpOnly; SameSite=Strict; Path=/");
}

static void answer_file(struct conn *c, const char *file, const char *type)
{
	AUTO_FREE char *path = share_path(file);
	AUTO_BUF struct buf body = {0}, fields = {0};

	if (!path || io_read_file(AT_FDCWD, path, FILE_MAX, &body) < 0) {
		conn_reply_text(c, 404, "the dashboard is not installed");
		return;
	}
	buf_str(&fields, page_fields);
	add_cookie(c, &fields);
	conn_reply(c, &(struct reply){
			      .status = 200,
			      .type = type,
			      .body = {body.text, body.length},
			      .fields = fields.text,
		      });
}

void page_answer(struct conn *c)
{
	for (size_t i = 0; i < countof(files); i++) {
		if (strcmp(files[i].path, c->route->path) == 0) {
			answer_file(c, files[i].file, files[i].type);
			return;
		}
	}
}
