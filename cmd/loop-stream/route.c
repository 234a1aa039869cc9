#include "route.h"

#include "changes.h"
#include "eio.h"
#include "history.h"
#include "page.h"
#include "program.h"
#include "resources.h"
#include "sse.h"
#include "status.h"
#include "ws_json.h"

static void healthz(struct conn *c)
{
	conn_reply(c, &(struct reply){
			      .status = 200,
			      .type = "text/plain; charset=utf-8",
			      .body = {"ok\n", 3},
		      });
}

static void events_answer(struct conn *c)
{
	if (c->intake->request.method == METHOD_POST)
		events_post(c);
	else
		sse_open(c);
}

enum { READ = METHOD_GET | METHOD_HEAD,
	ANY = READ | METHOD_POST | METHOD_OTHER };

static const struct route routes[] = {
	{"/", READ, page_answer},
	{"/style.css", READ, page_answer},
	{"/app.js", READ, page_answer},
	{"/fold.js", READ, page_answer},
	{"/draw.js", READ, page_answer},
	{"/feed.js", READ, page_answer},
	{"/healthz", READ, healthz},
	{"/status", READ, status_answer},
	{"/metrics", READ, metrics_answer},
	{"/stat", READ, stat_answer},
	{"/events", READ | METHOD_POST, events_answer},
	{"/stream/progress", READ, sse_open},
	{"/ws", METHOD_GET, ws_open},
	{"/ws/echo", METHOD_GET, ws_echo_open},
	{"/socket.io/", ANY, eio_answer},
	{"/engine.io/", ANY, eio_answer},
	{"/history", READ, history_answer},
	{"/poll", METHOD_GET, poll_open},
	{"/runs", READ, runs_answer},
	{"/runs/*", READ, run_answer},
	{"/runs/*/report", READ, report_answer},
	{"/runs/*/log", READ, run_log},
	{"/runs/*/pause", METHOD_POST, run_control},
	{"/runs/*/continue", METHOD_POST, run_control},
	{"/runs/*/cancel", METHOD_POST, run_control},
	{"/runs/*/retry", METHOD_POST, run_control},
	{"/sessions", READ, sessions_answer},
	{"/sessions/*", READ, session_answer},
	{"/sessions/*/log", READ, session_log},
	{"/gates", READ, gates_answer},
	{"/gates/*/approve", METHOD_POST, gate_control},
	{"/gates/*/reject", METHOD_POST, gate_control},
	{"/gates/*/answer", METHOD_POST, gate_control},
};

static bool matches(const char *pattern, struct span path, struct span *part)
{
	const char *p = path.p, *end = path.p + path.n;

	for (; *pattern; pattern++) {
		if (*pattern != '*') {
			if (p == end || *p++ != *pattern)
				return false;
			continue;
		}
		part->p = p;
		while (p < end && *p != '/')
			p++;
		part->n = (size_t)(p - part->p);
	}
	return p == end;
}

const struct route *route_find(const struct request *r, struct span *part)
{
	for (size_t i = 0; i < countof(routes); i++) {
		*part = (struct span){0};
		if (matches(routes[i].path, r->path, part))
			return &routes[i];
	}
	return NULL;
}

const char *route_allow(unsigned methods)
{
	if (methods == READ)
		return "Allow: GET, HEAD, OPTIONS\r\n";
	if (methods == METHOD_GET)
		return "Allow: GET, OPTIONS\r\n";
	if (methods == METHOD_POST)
		return "Allow: POST, OPTIONS\r\n";
	return "Allow: GET, HEAD, POST, OPTIONS\r\n";
}
