/*
 * scan: the raw head of a request, byte by byte, before any parser sees it.
 * Parsers forgive (a bare line feed, a folded line, a NUL in a value), and two
 * that forgive differently can be made to see two different requests. What
 * passes here has one reading only. RFC 9112, sections 2 to 5.
 */
#ifndef SCAN_H
#define SCAN_H

#include "base.h"

enum { SCAN_MORE = 0, /* the head goes on */
	SCAN_WHOLE = 1,
	HEAD_MAX = 16384,  /* bytes of a head, the empty line included */
	TARGET_MAX = 8192, /* of a request's target */
	FIELDS_MAX = 100 };

/* Zeroed is the start of a head. */
struct scan {
	uint8_t place;
	uint8_t blank; /* empty lines in front of it */
	uint16_t fields;
	uint32_t length, target;
};

/* The state that reads a trailer: fields only. */
struct scan scan_trailer(void);

/*
 * Goes on with these bytes, however the head is cut into reads. SCAN_MORE,
 * SCAN_WHOLE, or the status to refuse it with: 400, 414 or 431. *used is how
 * many bytes belong to the head.
 */
int scan_head(struct scan *, const char *bytes, size_t length, size_t *used);

#endif
