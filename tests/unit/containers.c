#include "unit.h"

#include "heap.h"
#include "map.h"
#include "mem.h"

static bool smaller(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b;
}

TEST(heap_sorts)
{
	struct heap h = {.before = smaller};
	int value[500], last = -1;
	unsigned random = 1;

	for (size_t i = 0; i < countof(value); i++) {
		random = random * 1103515245 + 12345;
		value[i] = (int)(random >> 16 & 255);
		heap_push(&h, &value[i]);
	}
	CHECK_INT(h.count, countof(value));
	while (h.count) {
		const int *next = heap_pop(&h);

		CHECK(*next >= last);
		last = *next;
	}
	CHECK(!heap_pop(&h));
	CHECK(!heap_top(&h));
	heap_clear(&h);
}

TEST(map_keeps_what_is_added_and_not_what_is_removed)
{
	enum { COUNT = 5000 };
	struct map m = {0};
	char *key[COUNT];
	size_t seen = 0;

	CHECK(!map_get(&m, "nothing"));
	CHECK(!map_remove(&m, "nothing"));
	for (size_t i = 0; i < COUNT; i++) {
		key[i] = mem_format("key-%zu", i);
		CHECK(map_add(&m, key[i], strlen(key[i]), key[i]) == key[i]);
	}
	CHECK(map_add(&m, "key-7", 5, &m) == key[7]);
	for (size_t i = 0; i < COUNT; i += 2)
		CHECK(map_remove(&m, key[i]) == key[i]);
	for (size_t i = 0; i < COUNT; i++)
		CHECK(map_get(&m, key[i]) == (i % 2 ? key[i] : NULL));
	map_each (&m, s)
		seen++;
	CHECK_INT(seen, COUNT / 2);
	CHECK_INT(m.count, COUNT / 2);
	map_clear(&m);
	for (size_t i = 0; i < COUNT; i++)
		free(key[i]);
}

TEST(map_keys_may_hold_anything)
{
	struct map m = {0};
	int a, b;

	map_add(&m, "x\0y", 3, &a);
	map_add(&m, "x\0z", 3, &b);
	CHECK(map_get_n(&m, "x\0y", 3) == &a);
	CHECK(map_get_n(&m, "x\0z", 3) == &b);
	CHECK(!map_get(&m, "x"));
	map_clear(&m);
}

TEST(mem_arena_pieces_are_aligned_and_stay)
{
	struct arena a = {0};
	char *first = arena_substring(&a, "first", 5);

	for (size_t i = 1; i < 3000; i++) {
		char *p = arena_new(&a, i);

		CHECK_INT((uintptr_t)p % _Alignof(max_align_t), 0);
		memset(p, 0xaa, i);
	}
	memset(arena_new(&a, 1 << 20), 0, 1 << 20);
	CHECK_STR(first, "first");
	arena_clear(&a);
}
