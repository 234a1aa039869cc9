/*
 * Lines that come in pieces are the lines that come at once: the first byte says
 * how large the pieces are, the second how long a line may be.
 */
#include "lines.h"

#include "base.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool so)
{
	if (!so)
		abort();
}

/* The next line of the whole text that is not too long. */
static bool next_expected(const char **p, const char *end, size_t max, const char **line, size_t *n)
{
	while (*p < end) {
		const char *newline = memchr(*p, '\n', (size_t)(end - *p));

		if (!newline)
			return false;
		*line = *p;
		*n = (size_t)(newline - *p);
		*p = newline + 1;
		if (*n <= max)
			return true;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data + 2, *end = (const char *)data + size, *line = NULL;
	const char *fed = p;
	struct lines l = {0};
	size_t piece, n = 0, length;
	char *got;

	if (size < 2)
		return 0;
	piece = (size_t)data[0] + 1;
	l.max = data[1];
	while (fed < end) {
		size_t m = MIN(piece, (size_t)(end - fed));

		memcpy(lines_room(&l, m), fed, m);
		lines_fed(&l, m);
		fed += m;
		while (lines_next(&l, &got, &length)) {
			must(next_expected(&p, end, l.max, &line, &n));
			must(n == length && memcmp(got, line, n) == 0);
		}
		must(l.rest.length - l.taken <= l.max + piece);
	}
	must(!next_expected(&p, end, l.max, &line, &n));
	lines_clear(&l);
	return 0;
}
