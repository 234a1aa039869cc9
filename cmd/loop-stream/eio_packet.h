/*
 * eio_packet: Engine.IO's packets, queued and as the payload of a request:
 * separated by the record separator, binary ones as "b" and base64.
 */
#ifndef EIO_PACKET_H
#define EIO_PACKET_H

#include "jscan.h"

enum { EIO_SEPARATOR = 0x1e };

struct packet {
	bool binary;
	struct span text; /* a text packet begins with its type; a binary one is a message */
};

/* Into a queue; out of its front: *at moves on, false at its end. */
void packet_queue(struct buf *queue, char type, bool binary, struct span);
bool packet_next(const struct buf *queue, size_t *at, struct packet *);

/*
 * Moves packets of a queue into a payload of at most max bytes, but at least
 * one.
 */
void packet_join(struct buf *queue, size_t max, struct buf *payload);

/*
 * The next packet of a payload, cut off *rest: 1 and it, 0 at the end, -EINVAL.
 * A binary packet's bytes are in room, which the packet lends.
 */
int packet_cut(struct span *rest, struct packet *, struct buf *room);

#endif
