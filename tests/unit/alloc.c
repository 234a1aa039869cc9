#include "unit.h"

#include "alloc.h"

#include <errno.h>

enum { PIECES = 400,
	ROUNDS = 20000 };

struct piece {
	unsigned char *bytes;
	size_t size;
	unsigned char mark;
};

static bool is_whole(const struct piece *p)
{
	for (size_t i = 0; i < p->size; i++)
		if (p->bytes[i] != p->mark)
			return false;
	return true;
}

static unsigned next(unsigned *random)
{
	*random = *random * 1103515245 + 12345;
	return *random >> 8;
}

/* Mostly small, some beyond the largest piece. */
static size_t some_size(unsigned *random)
{
	return next(random) % (next(random) % 50 ? 600 : 200000);
}

TEST(alloc_pieces_do_not_overlap_and_keep_what_is_in_them)
{
	static struct piece piece[PIECES];
	unsigned random = 1;

	for (int i = 0; i < ROUNDS; i++) {
		struct piece *p = &piece[next(&random) % PIECES];
		size_t size = some_size(&random), kept = MIN(size, p->size);

		CHECK(is_whole(p));
		if (next(&random) % 3) {
			p->bytes = alloc_resize(p->bytes, size);
			p->size = kept;
			CHECK(is_whole(p));
		} else {
			alloc_put_back(p->bytes);
			p->bytes = alloc_get(size);
		}
		CHECK(p->bytes && (uintptr_t)p->bytes % _Alignof(max_align_t) == 0);
		CHECK(alloc_room(p->bytes) >= size);
		p->size = size;
		p->mark = (unsigned char)i;
		memset(p->bytes, p->mark, size);
	}
	for (size_t i = 0; i < PIECES; i++) {
		CHECK(is_whole(&piece[i]));
		alloc_put_back(piece[i].bytes);
	}
}

TEST(alloc_of_a_piece_that_was_freed_and_of_zeros)
{
	unsigned char *p = alloc_get(100), *q;

	memset(p, 255, 100);
	alloc_put_back(p);
	q = alloc_zero(10, 10);
	CHECK(q == p);
	for (int i = 0; i < 100; i++)
		CHECK(q[i] == 0);
	alloc_put_back(q);
	q = alloc_zero(1000, 1000);
	CHECK(q && q[0] == 0 && q[999999] == 0);
	alloc_put_back(q);
	alloc_put_back(NULL);
}

TEST(alloc_of_more_than_there_is)
{
	void *p = alloc_get(10);

	errno = 0;
	CHECK(!alloc_get(PTRDIFF_MAX) && errno == ENOMEM);
	CHECK(!alloc_get(SIZE_MAX));
	CHECK(!alloc_zero(SIZE_MAX, 2));
	CHECK(!alloc_resize(p, SIZE_MAX - 100));
	CHECK(alloc_room(p) >= 10);
	alloc_put_back(p);
}
