#include "eio_packet.h"

#include "base64.h"

#include <errno.h>

/* In the queue each packet follows its length. */
struct mark {
	uint32_t length;
	bool binary;
};

void packet_queue(struct buf *queue, char type, bool binary, struct span bytes)
{
	const struct mark mark = {(uint32_t)bytes.n + !binary, binary};

	buf_add(queue, &mark, sizeof mark);
	if (!binary)
		buf_char(queue, type);
	buf_add(queue, bytes.p, bytes.n);
}

bool packet_next(const struct buf *queue, size_t *at, struct packet *p)
{
	struct mark mark;

	if (*at == queue->length)
		return false;
	memcpy(&mark, queue->text + *at, sizeof mark);
	*p = (struct packet){mark.binary, {queue->text + *at + sizeof mark, mark.length}};
	*at += sizeof mark + mark.length;
	return true;
}

static size_t length_in_payload(const struct packet *p)
{
	return p->binary ? 1 + (p->text.n + 2) / 3 * 4 : p->text.n;
}

void packet_join(struct buf *queue, size_t max, struct buf *payload)
{
	struct packet p;
	size_t at = 0, done = 0;

	while (packet_next(queue, &at, &p)) {
		if (payload->length && payload->length + 1 + length_in_payload(&p) > max)
			break;
		if (payload->length)
			buf_char(payload, EIO_SEPARATOR);
		if (p.binary) {
			buf_char(payload, 'b');
			base64_add(payload, p.text.p, p.text.n);
		} else {
			buf_add(payload, p.text.p, p.text.n);
		}
		done = at;
	}
	if (done == queue->length)
		buf_clear(queue);
	else
		buf_drop(queue, done);
}

static bool utf8_valid(struct span s)
{
	while (s.n) {
		size_t length = utf8_length(s.p, s.n);

		if (!length)
			return false;
		s = (struct span){s.p + length, s.n - length};
	}
	return true;
}

int packet_cut(struct span *rest, struct packet *p, struct buf *room)
{
	const char *end;

	if (!rest->p)
		return 0;
	end = memchr(rest->p, EIO_SEPARATOR, rest->n);
	p->text = (struct span){rest->p, end ? (size_t)(end - rest->p) : rest->n};
	*rest = end ? (struct span){end + 1, rest->n - p->text.n - 1} : (struct span){NULL, 0};
	p->binary = p->text.n && *p->text.p == 'b';
	if (!p->binary)
		return p->text.n && utf8_valid(p->text) ? 1 : -EINVAL;
	room->length = 0;
	if (base64_decode(p->text.p + 1, p->text.n - 1, room) < 0)
		return -EINVAL;
	p->text = (struct span){room->text, room->length};
	return 1;
}
