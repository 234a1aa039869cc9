#include "ws_ahead.h"

enum { CONTROL = 8,
	MASKED = 128 };

/* How many bytes the length has behind the second of the header. */
static size_t length_bytes(const struct ws_ahead *a)
{
	unsigned length = a->header[1] & 127;

	return length == 127 ? 8 : length == 126 ? 2
						 : 0;
}

static bool whole(const struct ws_ahead *a)
{
	return a->have >= 2 &&
		a->have == 2 + length_bytes(a) + (a->header[1] & MASKED ? 4 : 0);
}

static uint64_t announced(const struct ws_ahead *a)
{
	size_t bytes = length_bytes(a);
	uint64_t length = bytes ? 0 : a->header[1] & 127;

	for (size_t i = 0; i < bytes; i++)
		length = length << 8 | a->header[2 + i];
	return length;
}

/* Whether the message stays within max with the frame that begins. */
static bool begin(struct ws_ahead *a, uint64_t max)
{
	unsigned opcode = a->header[0] & 15;

	a->have = 0;
	a->left = announced(a);
	if (opcode >= CONTROL)
		return true;
	if (opcode)
		a->message = 0;
	if (a->left > max || a->message > max - a->left)
		return false;
	a->message += a->left;
	return true;
}

bool ws_ahead_over(struct ws_ahead *a, const char *bytes, size_t length, uint64_t max)
{
	for (size_t n; length; bytes += n, length -= n) {
		n = a->left ? (size_t)MIN(a->left, (uint64_t)length) : 1;
		if (a->left) {
			a->left -= n;
			continue;
		}
		a->header[a->have++] = (unsigned char)*bytes;
		if (whole(a) && !begin(a, max))
			return true;
	}
	return false;
}
