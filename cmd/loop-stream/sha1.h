/* sha1: the digest that WebSocket's handshake is made of (RFC 3174); for nothing else. */
#ifndef SHA1_H
#define SHA1_H

#include "base.h"

enum { SHA1_SIZE = 20 };

/* At most 119 bytes: two blocks. */
void sha1(const char *text, size_t length, unsigned char out[SHA1_SIZE]);

#endif
