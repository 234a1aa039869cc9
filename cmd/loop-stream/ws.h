/*
 * ws: WebSocket (RFC 6455). Frames are libwslay's; events go round it, as the
 * same bytes to every client, between its own whole frames.
 *
 * A client sends JSON objects, a message each, and gets events as they stand in
 * the journal, and an answer to each of its messages:
 *
 *	{"op":"sub","types":["story.*"],"subject":"P/US-1","run":"…","from":"start"}
 *	{"op":"unsub"}  {"op":"ping"}  {"op":"history","limit":100,"types":[…]}
 */
#ifndef WS_H
#define WS_H

#include "base.h"

struct conn;
struct ws;

enum { WS_HEADER = 10 };

/* The handler of GET /ws, and of /ws/echo, which sends back what it gets. */
void ws_open(struct conn *);

/* The header of a whole text frame of so many bytes; its length. */
size_t ws_header(char out[WS_HEADER], size_t length);

/* Bytes came. */
void ws_hear(struct conn *, const char *bytes, size_t length);

/* Moves what is to be said besides events to the connection's output. */
void ws_speak(struct conn *);

/* Closes the connection once both sides have said goodbye, or one has broken the protocol. */
void ws_end_if_done(struct conn *);

void ws_ping(struct conn *);
void ws_tell_gap(struct conn *, int64_t from, int64_t to);
void ws_free(struct ws *);

#endif
