#include "map.h"

#include "mem.h"

#include <stdatomic.h>
#include <sys/random.h>

/* A multiply-and-fold hash in the manner of wyhash: eight bytes a round. */
static uint64_t fold(uint64_t a, uint64_t b)
{
	__extension__ unsigned __int128 wide = (unsigned __int128)a * b;

	return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

/* One for the process, whichever thread was first: by another one a map finds nothing again. */
static uint64_t seed(void)
{
	static _Atomic uint64_t value;
	uint64_t known = atomic_load_explicit(&value, memory_order_relaxed), fresh = 0;

	if (known)
		return known;
	while (!fresh)
		if (getrandom(&fresh, sizeof fresh, GRND_NONBLOCK) < 0)
			fresh = (uint64_t)(uintptr_t)&value | 1;
	return atomic_compare_exchange_strong(&value, &known, fresh) ? fresh : known;
}

static uint64_t hash(const char *key, size_t n)
{
	uint64_t h = seed() ^ n, word;

	for (; n >= 8; key += 8, n -= 8) {
		memcpy(&word, key, 8);
		h = fold(h ^ word, UINT64_C(0xa0761d6478bd642f));
	}
	word = 0;
	if (n)
		memcpy(&word, key, n);
	return fold(h ^ word, UINT64_C(0xe7037ed1a0b428db));
}

/* The slot of the key, or the free one where it would go. The map is never full. */
static struct map_slot *find(const struct map *m, const char *key, size_t n, uint64_t h)
{
	for (size_t i = h & (m->capacity - 1);; i = (i + 1) & (m->capacity - 1)) {
		struct map_slot *s = &m->slot[i];

		if (!s->key || (s->hash == h && s->length == n && memcmp(s->key, key, n) == 0))
			return s;
	}
}

void *map_get_n(const struct map *m, const char *key, size_t n)
{
	return m->count ? find(m, key, n, hash(key, n))->value : NULL;
}

void *map_get(const struct map *m, const char *key)
{
	return map_get_n(m, key, strlen(key));
}

static void grow(struct map *m)
{
	struct map old = *m;

	m->capacity = old.capacity ? old.capacity * 2 : 16;
	m->slot = mem_zero(m->capacity, sizeof *m->slot);
	map_each (&old, s)
		*find(m, s->key, s->length, s->hash) = *s;
	free(old.slot);
}

void *map_add(struct map *m, const char *key, size_t n, void *value)
{
	uint64_t h = hash(key, n);
	struct map_slot *s;

	if (m->count * 2 >= m->capacity)
		grow(m);
	s = find(m, key, n, h);
	if (!s->key) {
		*s = (struct map_slot){.key = key, .length = n, .hash = h, .value = value};
		m->count++;
	}
	return s->value;
}

/*
 * Closes the gap at the slot: later entries of the probe sequence move up (Knuth, 6.4,
 * algorithm R).
 */
static void close_gap(struct map *m, size_t gap)
{
	size_t mask = m->capacity - 1;

	for (size_t i = (gap + 1) & mask; m->slot[i].key; i = (i + 1) & mask) {
		size_t home = m->slot[i].hash & mask;

		if (((i - home) & mask) < ((i - gap) & mask))
			continue;
		m->slot[gap] = m->slot[i];
		gap = i;
	}
	m->slot[gap] = (struct map_slot){0};
}

void *map_remove(struct map *m, const char *key)
{
	size_t n = strlen(key);
	struct map_slot *s;
	void *value;

	if (!m->count)
		return NULL;
	s = find(m, key, n, hash(key, n));
	if (!s->key)
		return NULL;
	value = s->value;
	m->count--;
	close_gap(m, (size_t)(s - m->slot));
	return value;
}

void map_clear(struct map *m)
{
	free(m->slot);
	*m = (struct map){0};
}
