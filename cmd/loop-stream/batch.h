/*
 * batch: what one write to a client is made of: pieces of the feed's texts, and
 * which bytes are which event.
 */
#ifndef BATCH_H
#define BATCH_H

#include "ws.h"

#include <sys/uio.h>

enum { BATCH = 256 /* events a write, at most */ };

struct piece {
	int64_t id;
	size_t length;
};

/* Its arrays are lent: two vectors for each event that there is room for. */
struct batch {
	struct iovec *vector;
	struct piece *piece;
	char (*header)[WS_HEADER];
	size_t room;
	size_t vectors, pieces;
	int64_t end; /* the position when all of it is sent */
};

#endif
