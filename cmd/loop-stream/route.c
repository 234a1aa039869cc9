#include "route.h"

#include "server.h"
#include "status.h"

static void healthz(struct conn *c)
{
	conn_reply(c, &(struct reply){
			      .status = 200,
			      .type = "text/plain; charset=utf-8",
			      .body = {"ok\n", 3},
		      });
}

enum { READ = METHOD_GET | METHOD_HEAD };

static const struct route routes[] = {
	{"/healthz", READ, healthz},
	{"/status", READ, status_answer},
	{"/events", READ, sse_open},
	{"/stream/progress", READ, sse_open},
};

const struct route *route_find(const struct request *r)
{
	for (size_t i = 0; i < countof(routes); i++)
		if (r->path.n == strlen(routes[i].path) &&
			memcmp(r->path.p, routes[i].path, r->path.n) == 0)
			return &routes[i];
	return NULL;
}

const char *route_allow(unsigned methods)
{
	if (methods == READ)
		return "Allow: GET, HEAD, OPTIONS\r\n";
	if (methods == METHOD_POST)
		return "Allow: POST, OPTIONS\r\n";
	return "Allow: GET, HEAD, POST, OPTIONS\r\n";
}
