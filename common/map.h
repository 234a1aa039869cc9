/*
 * map: names to pointers, by open addressing with linear probing. Keys are not
 * copied: they live as long as the map (in the arena or the value they name).
 * The hash is keyed by a random number a process, so that names from outside
 * cannot be chosen to collide.
 */
#ifndef MAP_H
#define MAP_H

#include "base.h"

struct map_slot {
	const char *key; /* NULL: free */
	size_t length;
	uint64_t hash;
	void *value;
};

struct map {
	struct map_slot *slot;
	size_t count, capacity; /* capacity is a power of two */
};

void *map_get(const struct map *, const char *key);
void *map_get_n(const struct map *, const char *key, size_t length);

/* Stores value under key unless the key is there already; returns what is stored now. */
void *map_add(struct map *, const char *key, size_t length, void *value);
void *map_remove(struct map *, const char *key); /* the value, or NULL */
void map_clear(struct map *);			 /* frees the map, not keys or values */

/* Walks all entries, in no particular order; nothing may be added or removed meanwhile. */
#define map_each(map, s)                                                               \
	for (struct map_slot *s = (map)->slot, *s##_end = s ? s + (map)->capacity : s; \
		s < s##_end; s++)                                                      \
		if (s->key)

#endif
