/*
 * ws_handshake: how an HTTP connection becomes a WebSocket (RFC 6455, section 4).
 */
#ifndef WS_HANDSHAKE_H
#define WS_HANDSHAKE_H

#include "buf.h"

struct conn;
struct request;

/* Whether the request asks for a WebSocket, well or badly. */
bool ws_asked(const struct request *);

/* The head that says yes; or false, and the request is answered with what was wrong. */
bool ws_handshake(struct conn *, struct buf *head);

#endif
