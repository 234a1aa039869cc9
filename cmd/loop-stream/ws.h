/*
 * ws: WebSocket (RFC 6455). Frames are libwslay's; events go round it, as the
 * same bytes to every client, between its own whole frames. What is said in
 * the messages is a protocol's: its own JSON (ws_json.c), an echo, Engine.IO.
 */
#ifndef WS_H
#define WS_H

#include "jscan.h"

struct conn;
struct ws;

enum { WS_HEADER = 10 };
enum ws_kind { WS_TEXT = 1,
	WS_BINARY = 2,
	WS_PING = 9 };
enum { WS_NORMAL = 1000,
	WS_PROTOCOL = 1002,
	WS_POLICY = 1008 };

struct ws_protocol {
	/* A whole message. May answer and close by the functions below. */
	void (*heard)(struct conn *, enum ws_kind, struct span message);
	/* Nothing waits to be sent: adds what there is by ws_frame; whether there is more. NULL:
	   nothing but answers. */
	bool (*speak)(struct conn *);
	void (*ponged)(struct conn *); /* the answer to a WS_PING; NULL: nobody asks */
	void (*gone)(struct conn *);   /* the connection; NULL: nobody asks */
	bool pinged;		       /* keep-alive is by WebSocket's own pings */
};

/*
 * Answers the handshake and turns the connection into a WebSocket, or answers
 * what is wrong with it: false. The largest message is in bytes.
 */
bool ws_accept(struct conn *, const struct ws_protocol *, int64_t message_max);

/* A message in answer to what was heard. */
void ws_say(struct conn *, enum ws_kind, struct span);

/* A whole message, or a ping, straight to the output: only in speak. */
void ws_frame(struct conn *, enum ws_kind, struct span);

/*
 * Messages are kept, and heard only when it is let go: for who, from within
 * heard, has begun something that has to be answered first.
 */
void ws_hold(struct conn *);
void ws_release(struct conn *);

/* Says goodbye; nothing more is heard or said. */
void ws_close(struct conn *, unsigned code);

/* The header of a whole frame of so many bytes; its length. */
size_t ws_header(char out[WS_HEADER], enum ws_kind, size_t length);

/* Bytes came. */
void ws_hear(struct conn *, const char *bytes, size_t length);

/* Moves what is to be said besides events to the connection's output; whether there is more. */
bool ws_speak(struct conn *);

/* Whether ws_speak might move anything, or a message is being heard. */
bool ws_has_to_say(const struct conn *);

/* Whether a message is being heard: nothing is sent from within. */
bool ws_hearing(const struct conn *);

/* There is room again: goes on with what was not heard for the lack of it. */
void ws_go_on(struct conn *);

/* Closes the connection once both sides have said goodbye, or one has broken the protocol. */
void ws_end_if_done(struct conn *);

void ws_ping(struct conn *);
void ws_free(struct conn *);

#endif
