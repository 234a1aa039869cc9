/*
 * base64: bytes as text (RFC 4648, section 4), with its padding.
 */
#ifndef BASE64_H
#define BASE64_H

#include "buf.h"

void base64_add(struct buf *, const void *bytes, size_t length);

/* The bytes of a text, added to the buffer; -EINVAL for what is none: a wrong length or letter. */
int base64_decode(const char *text, size_t length, struct buf *) MUST_CHECK;

#endif
