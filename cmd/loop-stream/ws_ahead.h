/*
 * ws_ahead: what the header of a WebSocket frame (RFC 6455, 5.2) announces.
 * libwslay tells of a frame when the first byte of its payload is there; one
 * that is too long is to be refused before anybody waits for that.
 */
#ifndef WS_AHEAD_H
#define WS_AHEAD_H

#include "base.h"

/* Zeroed at the beginning of a connection. */
struct ws_ahead {
	uint64_t left;	  /* bytes of the payload at hand that are still to come */
	uint64_t message; /* bytes that the frames of the message at hand announced */
	unsigned char header[14];
	unsigned char have; /* bytes of it */
};

/* Bytes go by: whether a header ends in them by which its message is longer than max. */
bool ws_ahead_over(struct ws_ahead *, const char *bytes, size_t length, uint64_t max);

#endif
