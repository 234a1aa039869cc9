/*
 * Any bytes as the head of a request that may ask for a WebSocket: whom we say
 * yes to has asked by the book, and the answer is one.
 */
#include "loop-stream/ws_handshake.h"

enum { ACCEPT = 28 /* base64 of a SHA-1 */ };

static void check_yes(const struct request *r)
{
	static const char line[] = "Sec-WebSocket-Accept: ";
	AUTO_BUF struct buf head = {0};
	const char *accept;

	if (r->method != METHOD_GET || r->minor != 1 || !r->upgrade || r->content_length > 0)
		abort();
	ws_head(r, &head);
	accept = strstr(head.text, line);
	if (!accept || strcspn(accept + strlen(line), "\r") != ACCEPT)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct intake *in = intake_new(64);
	size_t used;

	if (intake_take(in, (const char *)data, size, &used) == 0 && in->phase == INTAKE_CHECK &&
		ws_asked(&in->request) && ws_check(&in->request) == 0)
		check_yes(&in->request);
	intake_free(in);
	return 0;
}
