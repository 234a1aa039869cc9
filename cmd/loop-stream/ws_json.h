/*
 * ws_json: the protocol of GET /ws. A client sends JSON objects, a message
 * each, and gets events as they stand in the journal, and an answer to each of
 * its messages, in their order:
 *
 *	{"op":"sub","types":["story.*"],"subject":"P/US-1","run":"…","from":"start"}
 *	{"op":"unsub"}  {"op":"ping"}  {"op":"history","limit":100,"types":[…]}
 */
#ifndef WS_JSON_H
#define WS_JSON_H

#include "base.h"

struct conn;

/* The handler of GET /ws. */
void ws_open(struct conn *);

/* That of GET /ws/echo, which sends back what it gets. */
void ws_echo_open(struct conn *);

/* The events between two places are not to be had. */
void ws_tell_gap(struct conn *, int64_t from, int64_t to);

#endif
