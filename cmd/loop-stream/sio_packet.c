#include "sio_packet.h"

#include <ctype.h>
#include <errno.h>

bool sio_name_reserved(struct span name)
{
	static const char *const names[] = {"connect", "connect_error", "disconnect",
		"disconnecting", "newListener", "removeListener"};

	for (size_t i = 0; i < countof(names); i++)
		if (jscan_is(name, names[i]))
			return true;
	return false;
}

static size_t digits(struct span s)
{
	size_t n = 0;

	while (n < s.n && isdigit((unsigned char)s.p[n]))
		n++;
	return n;
}

static struct span cut(struct span *rest, size_t n)
{
	struct span part = {rest->p, n};

	*rest = (struct span){rest->p + n, rest->n - n};
	return part;
}

static bool has_attachments(enum sio_type type)
{
	return type == SIO_BINARY_EVENT || type == SIO_BINARY_ACK;
}

static int cut_attachments(struct sio_packet *p, struct span *rest)
{
	size_t n = digits(*rest);

	if (!has_attachments(p->type))
		return 0;
	if (!n || n > 2 || n == rest->n || rest->p[n] != '-')
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		p->attachments = p->attachments * 10 + (size_t)(rest->p[i] - '0');
	cut(rest, n + 1);
	return p->attachments <= SIO_ATTACHMENTS_MAX ? 0 : -EINVAL;
}

static int cut_namespace(struct sio_packet *p, struct span *rest)
{
	const char *comma;

	p->name_space = (struct span){"/", 1};
	if (!rest->n || *rest->p != '/')
		return 0;
	comma = memchr(rest->p, ',', rest->n);
	p->name_space = cut(rest, comma ? (size_t)(comma - rest->p) : rest->n);
	if (comma)
		cut(rest, 1);
	return p->name_space.n <= SIO_NAMESPACE_MAX ? 0 : -EINVAL;
}

struct sio_parts sio_event_parts(struct span payload)
{
	struct sio_parts p = {{"", 0}, {"", 0}, {"", 0}};
	const char *end = payload.p + payload.n;
	struct jscan walk;
	struct span key;

	if (jscan_open(&walk, payload) < 0 || jscan_next(&walk, &key, &p.name) <= 0 ||
		jscan_next(&walk, &key, &p.first) <= 0)
		return p;
	/* To the bracket that ends the array. */
	while (end[-1] != ']')
		end--;
	p.arguments = (struct span){p.first.p, (size_t)(end - 1 - p.first.p)};
	return p;
}

static bool starts_with_name(struct span array)
{
	struct span name = sio_event_parts(array).name;
	char kind = name.n ? jscan_kind(name) : 0;

	return kind == '0' || (kind == '"' && !sio_name_reserved(name));
}

static bool payload_fits(const struct sio_packet *p)
{
	char kind = p->payload.n ? jscan_kind(p->payload) : 0;

	switch (p->type) {
	case SIO_CONNECT: return !kind || kind == '{';
	case SIO_DISCONNECT: return !kind;
	case SIO_EVENT:
	case SIO_BINARY_EVENT: return kind == '[' && starts_with_name(p->payload);
	case SIO_ACK:
	case SIO_BINARY_ACK: return kind == '[' && p->id.n;
	case SIO_CONNECT_ERROR:
	case SIO_TYPES: break;
	}
	return false;
}

int sio_parse(struct sio_packet *p, struct span text)
{
	const char *what;
	size_t at;

	*p = (struct sio_packet){0};
	if (!text.n || *text.p < '0' || *text.p >= '0' + SIO_TYPES)
		return -EINVAL;
	p->type = (enum sio_type)(*text.p - '0');
	cut(&text, 1);
	if (cut_attachments(p, &text) < 0 || cut_namespace(p, &text) < 0)
		return -EINVAL;
	p->id = cut(&text, digits(text));
	p->payload = text;
	if (p->id.n > SIO_ID_MAX)
		return -EINVAL;
	if (text.n && jscan_check(text.p, text.n, &at, &what) < 0)
		return -EINVAL;
	return payload_fits(p) ? 0 : -EINVAL;
}

void sio_format(struct buf *out, const struct sio_packet *p)
{
	bool main = p->name_space.n == 1;

	buf_char(out, (char)('0' + p->type));
	if (has_attachments(p->type))
		buf_format(out, "%zu-", p->attachments);
	if (!main) {
		buf_add(out, p->name_space.p, p->name_space.n);
		buf_char(out, ',');
	}
	buf_add(out, p->id.p, p->id.n);
	buf_add(out, p->payload.p, p->payload.n);
}
