/*
 * digest: BLAKE2b of 256 bits (RFC 7693), by libb2. It names contents and keys,
 * and is believed in place of what it was made of.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "base.h"

#include <blake2.h>

enum { DIGEST_SIZE = 32,
	DIGEST_HEX = 2 * DIGEST_SIZE };

struct digest {
	uint8_t byte[DIGEST_SIZE];
};

struct hasher {
	blake2b_state state;
};

void hasher_begin(struct hasher *);
void hasher_add(struct hasher *, const void *, size_t);
void hasher_text(struct hasher *, const char *); /* with its NUL: no two lists of texts are alike */
struct digest hasher_end(struct hasher *);

struct digest digest_of(const void *, size_t);

/* What is left to be read of a file, and how much that was. */
int digest_fd(int fd, struct digest *, int64_t *size) MUST_CHECK;

bool digest_equal(const struct digest *, const struct digest *);
char *digest_hex(const struct digest *, char out[DIGEST_HEX + 1]);   /* returns out */
bool digest_parse(struct digest *, const char *text, size_t length); /* whether it is one */

#endif
