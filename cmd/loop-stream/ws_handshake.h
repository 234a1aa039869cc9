/*
 * ws_handshake: how an HTTP connection becomes a WebSocket (RFC 6455, section 4).
 */
#ifndef WS_HANDSHAKE_H
#define WS_HANDSHAKE_H

#include "request.h"

/* Whether the request asks for a WebSocket, well or badly. */
bool ws_asked(const struct request *);

/* 0, or the status that refuses the handshake. */
int ws_check(const struct request *);

/* The head that says yes, but for its date. */
void ws_head(const struct request *, struct buf *head);

#endif
