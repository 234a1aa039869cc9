/*
 * heap: a binary min-heap of pointers (timers, ready tasks). The order is the
 * caller's; equal elements leave in no particular order, so an order that must
 * be stable compares a sequence number last.
 */
#ifndef HEAP_H
#define HEAP_H

#include "base.h"

struct heap {
	bool (*before)(const void *a, const void *b); /* whether a leaves first */
	void **item;
	size_t count, capacity;
};

void heap_push(struct heap *, void *);
void *heap_top(const struct heap *); /* NULL when empty */
void *heap_pop(struct heap *);	     /* NULL when empty */
void heap_clear(struct heap *);	     /* frees the heap, not the items */

#endif
