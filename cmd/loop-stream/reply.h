/*
 * reply: the text of answers.
 */
#ifndef REPLY_H
#define REPLY_H

#include "jscan.h"

/* A whole answer. */
struct reply {
	int status;
	const char *type; /* of the body; NULL: there is none */
	struct span body;
	const char *fields; /* further header lines, each with its CRLF; NULL: none */
};

const char *reply_phrase(int status);

/* The Date line and the empty line that ends a head. */
void reply_date(struct buf *);

/* The head of an answer, its body besides unless it is for HEAD. */
void reply_format(struct buf *, const struct reply *, bool last, bool head_only);

#endif
