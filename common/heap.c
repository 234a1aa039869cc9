#include "heap.h"

#include "mem.h"

static void swap(void **a, void **b)
{
	void *old = *a;

	*a = *b;
	*b = old;
}

static void sift_up(struct heap *h, size_t i)
{
	for (; i && h->before(h->item[i], h->item[(i - 1) / 2]); i = (i - 1) / 2)
		swap(&h->item[i], &h->item[(i - 1) / 2]);
}

static void sift_down(struct heap *h, size_t i)
{
	for (;;) {
		size_t first = i, child = 2 * i + 1;

		for (size_t c = child; c < child + 2 && c < h->count; c++)
			if (h->before(h->item[c], h->item[first]))
				first = c;
		if (first == i)
			return;
		swap(&h->item[i], &h->item[first]);
		i = first;
	}
}

void heap_push(struct heap *h, void *item)
{
	h->item = mem_grow(h->item, h->count, &h->capacity, sizeof *h->item);
	h->item[h->count] = item;
	sift_up(h, h->count++);
}

void *heap_top(const struct heap *h)
{
	return h->count ? h->item[0] : NULL;
}

void *heap_pop(struct heap *h)
{
	void *top = heap_top(h);

	if (!top)
		return NULL;
	h->item[0] = h->item[--h->count];
	sift_down(h, 0);
	return top;
}

void heap_clear(struct heap *h)
{
	free(h->item);
	h->item = NULL;
	h->count = h->capacity = 0;
}
