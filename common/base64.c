#include "base64.h"

#include <errno.h>

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_add(struct buf *out, const void *bytes, size_t length)
{
	const unsigned char *p = bytes;

	buf_reserve(out, length / 3 * 4 + 5);
	for (size_t i = 0; i < length; i += 3) {
		size_t n = MIN(length - i, (size_t)3);
		uint32_t v = (uint32_t)p[i] << 16;

		if (n > 1)
			v |= (uint32_t)p[i + 1] << 8;
		if (n > 2)
			v |= p[i + 2];
		for (size_t k = 0; k < 4; k++)
			buf_char(out, k <= n ? letters[v >> (18 - 6 * k) & 63] : '=');
	}
}

static int value_of(char c)
{
	const char *at = c ? strchr(letters, c) : NULL;

	return at ? (int)(at - letters) : -1;
}

int base64_decode(const char *text, size_t length, struct buf *out)
{
	size_t padding = 0;

	if (length % 4)
		return -EINVAL;
	while (padding < 2 && padding < length && text[length - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < length; i += 4) {
		size_t letters_here = i + 4 < length ? 4 : 4 - padding;
		char bytes[3];
		uint32_t v = 0;

		for (size_t k = 0; k < 4; k++) {
			int value = k < letters_here ? value_of(text[i + k]) : 0;

			if (value < 0)
				return -EINVAL;
			v = v << 6 | (uint32_t)value;
		}
		for (size_t k = 0; k < 3; k++)
			bytes[k] = (char)(v >> (16 - 8 * k));
		buf_add(out, bytes, letters_here - 1);
	}
	return 0;
}
