#include "sha1.h"

enum { BLOCK = 64 };

static uint32_t rotate(uint32_t x, int n)
{
	return x << n | x >> (32 - n);
}

static uint32_t word_at(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint32_t mix(int t, uint32_t b, uint32_t c, uint32_t d)
{
	if (t < 20)
		return ((b & c) | (~b & d)) + 0x5a827999;
	if (t < 40)
		return (b ^ c ^ d) + 0x6ed9eba1;
	if (t < 60)
		return ((b & c) | (b & d) | (c & d)) + 0x8f1bbcdc;
	return (b ^ c ^ d) + 0xca62c1d6;
}

static void take_block(uint32_t h[5], const unsigned char *block)
{
	uint32_t w[80], v[5];

	memcpy(v, h, sizeof v);
	for (int t = 0; t < 16; t++)
		w[t] = word_at(block + 4 * t);
	for (int t = 16; t < 80; t++)
		w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
	for (int t = 0; t < 80; t++) {
		uint32_t next = rotate(v[0], 5) + mix(t, v[1], v[2], v[3]) + v[4] + w[t];

		memmove(v + 1, v, 4 * sizeof *v);
		v[0] = next;
		v[2] = rotate(v[2], 30);
	}
	for (int i = 0; i < 5; i++)
		h[i] += v[i];
}

void sha1(const char *text, size_t length, unsigned char out[SHA1_SIZE])
{
	uint32_t h[] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
	unsigned char padded[2 * BLOCK] = {0};
	size_t blocks = length + 9 <= BLOCK ? 1 : 2;

	length = MIN(length, sizeof padded - 9);
	memcpy(padded, text, length);
	padded[length] = 0x80;
	padded[blocks * BLOCK - 2] = (unsigned char)(length * 8 >> 8);
	padded[blocks * BLOCK - 1] = (unsigned char)(length * 8);
	for (size_t i = 0; i < blocks; i++)
		take_block(h, padded + i * BLOCK);
	for (size_t i = 0; i < SHA1_SIZE; i++)
		out[i] = (unsigned char)(h[i / 4] >> (24 - 8 * (i % 4)));
}
