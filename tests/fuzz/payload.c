/*
 * Any bytes as an Engine.IO payload: what its packets are does not change when
 * they are queued, joined and cut again, however small the payloads are. Each
 * text packet is then read as Socket.IO, and what is one is written as it came.
 */
#include "loop-stream/eio_packet.h"
#include "loop-stream/sio_packet.h"

static void read_socket_io(struct span text)
{
	AUTO_BUF struct buf again = {0};
	struct sio_packet p, q;

	if (sio_parse(&p, text) < 0)
		return;
	sio_format(&again, &p);
	if (sio_parse(&q, (struct span){again.text, again.length}) < 0 || q.type != p.type ||
		q.attachments != p.attachments || q.id.n != p.id.n ||
		q.payload.n != p.payload.n || q.name_space.n != p.name_space.n)
		abort();
	if (p.type == SIO_EVENT) {
		struct sio_parts parts = sio_event_parts(p.payload);

		if (!parts.name.n || parts.name.n + parts.arguments.n + 2 > p.payload.n)
			abort();
	}
}

/* All packets of a payload into a queue; how many there are, and whether it was sound. */
static size_t cut_all(struct span payload, struct buf *queue, bool *sound)
{
	AUTO_BUF struct buf room = {0};
	struct packet p;
	size_t count = 0;
	int r;

	for (; (r = packet_cut(&payload, &p, &room)) > 0; count++) {
		if (!p.binary)
			read_socket_io((struct span){p.text.p + 1, p.text.n - 1});
		packet_queue(queue, p.binary ? '4' : *p.text.p, p.binary,
			p.binary ? p.text : (struct span){p.text.p + 1, p.text.n - 1});
	}
	*sound = r == 0;
	return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_BUF struct buf queue = {0}, twin = {0};
	bool sound;
	size_t count, again = 0, max;

	if (size < 1)
		return 0;
	max = data[0];
	count = cut_all((struct span){(const char *)data + 1, size - 1}, &queue, &sound);
	while (queue.length) {
		AUTO_BUF struct buf payload = {0};

		packet_join(&queue, max, &payload);
		again += cut_all((struct span){payload.text, payload.length}, &twin, &sound);
		if (!sound)
			abort();
	}
	if (again != count)
		abort();
	return 0;
}
