#include "ws_handshake.h"

#include "base64.h"
#include "sha1.h"

enum { KEY_LENGTH = 24,
	KEY_BYTES = 16 };

static void accept_key(struct span key, struct buf *out)
{
	static const char suffix[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
	unsigned char digest[SHA1_SIZE];
	char text[KEY_LENGTH + sizeof suffix];

	snprintf(text, sizeof text, "%.*s%s", (int)key.n, key.p, suffix);
	sha1(text, strlen(text), digest);
	base64_add(out, digest, sizeof digest);
}

static bool key_valid(struct span key)
{
	AUTO_BUF struct buf bytes = {0};

	return key.n == KEY_LENGTH && base64_decode(key.p, key.n, &bytes) == 0 &&
		bytes.length == KEY_BYTES;
}

bool ws_asked(const struct request *r)
{
	const struct field *upgrade = request_field(r, "upgrade");

	return upgrade && list_has(upgrade->value, "websocket");
}

int ws_check(const struct request *r)
{
	const struct field *version = request_field(r, "sec-websocket-version");
	const struct field *key = request_field(r, "sec-websocket-key");

	if (!ws_asked(r))
		return 426;
	if (r->method != METHOD_GET || r->minor == 0 || !r->upgrade || request_has_body(r))
		return 400;
	if (!version || !span_is(version->value, "13") ||
		request_field_count(r, "sec-websocket-version") > 1)
		return 426;
	if (!key || !key_valid(key->value) || request_field_count(r, "sec-websocket-key") > 1)
		return 400;
	return 0;
}

void ws_head(const struct request *r, struct buf *head)
{
	buf_str(head, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
		      "Connection: Upgrade\r\nSec-WebSocket-Accept: ");
	accept_key(request_field(r, "sec-websocket-key")->value, head);
	buf_str(head, "\r\n");
}
