#include "digest.h"

#include "io.h"

void hasher_begin(struct hasher *h)
{
	blake2b_init(&h->state, DIGEST_SIZE);
}

void hasher_add(struct hasher *h, const void *bytes, size_t length)
{
	blake2b_update(&h->state, bytes, length);
}

void hasher_text(struct hasher *h, const char *text)
{
	hasher_add(h, text, strlen(text) + 1);
}

struct digest hasher_end(struct hasher *h)
{
	struct digest d;

	blake2b_final(&h->state, d.byte, DIGEST_SIZE);
	return d;
}

struct digest digest_of(const void *bytes, size_t length)
{
	struct hasher h;

	hasher_begin(&h);
	hasher_add(&h, bytes, length);
	return hasher_end(&h);
}

int digest_fd(int fd, struct digest *d, int64_t *size)
{
	char chunk[65536];
	struct hasher h;
	ssize_t n;

	*size = 0;
	hasher_begin(&h);
	while ((n = io_read_some(fd, chunk, sizeof chunk)) > 0) {
		hasher_add(&h, chunk, (size_t)n);
		*size += n;
	}
	*d = hasher_end(&h);
	return (int)n;
}

bool digest_equal(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

char *digest_hex(const struct digest *d, char out[DIGEST_HEX + 1])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		out[2 * i] = digits[d->byte[i] >> 4];
		out[2 * i + 1] = digits[d->byte[i] & 15];
	}
	out[DIGEST_HEX] = '\0';
	return out;
}

static int nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10
								     : -1;
}

bool digest_parse(struct digest *d, const char *text, size_t length)
{
	if (length != DIGEST_HEX)
		return false;
	for (size_t i = 0; i < DIGEST_SIZE; i++) {
		int high = nibble(text[2 * i]), low = nibble(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		d->byte[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
