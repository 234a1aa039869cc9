/*
 * sio_packet: the text of Socket.IO's packets:
 *
 *	TYPE [ATTACHMENTS "-"] ["/NAMESPACE,"] [ID] [JSON]
 *
 * Source: the Socket.IO protocol, revision 5.
 */
#ifndef SIO_PACKET_H
#define SIO_PACKET_H

#include "jscan.h"

enum sio_type { SIO_CONNECT,
	SIO_DISCONNECT,
	SIO_EVENT,
	SIO_ACK,
	SIO_CONNECT_ERROR,
	SIO_BINARY_EVENT,
	SIO_BINARY_ACK,
	SIO_TYPES };

enum { SIO_ATTACHMENTS_MAX = 64,
	SIO_NAMESPACE_MAX = 128,
	SIO_ID_MAX = 15 };

struct sio_packet {
	enum sio_type type;
	size_t attachments;	/* binary messages that follow */
	struct span name_space; /* "/" where it names none */
	struct span id;		/* digits, of an event that wants an answer, and of the answer */
	struct span payload;	/* valid JSON of the kind that the type wants; may be empty */
};

/* -EINVAL for what no client may send. */
int sio_parse(struct sio_packet *, struct span text) MUST_CHECK;

/* What an event consists of: JSON texts, empty where there is none. */
struct sio_parts {
	struct span name;      /* a string or a number */
	struct span first;     /* its first argument */
	struct span arguments; /* all of them, with commas between them */
};
struct sio_parts sio_event_parts(struct span payload);

void sio_format(struct buf *, const struct sio_packet *);

/* Names that mean something else to clients: they take an event of one for a broken packet. */
bool sio_name_reserved(struct span name);

#endif
