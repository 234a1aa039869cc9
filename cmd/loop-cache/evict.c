#include "evict.h"

#include "clock.h"
#include "heap.h"
#include "mem.h"
#include "store.h"

#include <errno.h>

/*
 * Finding victims means looking at all entries. Where they are many, so many bytes and
 * entries more than are needed are evicted at once: a hundredth.
 */
enum { MANY = 2000,
	SHARE_OF_MANY = 100 };

/* What is needed, in bytes and entries. */
struct need {
	int64_t bytes, entries;
};

static const struct part *same_before(const struct entry *e, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (part_has_content(&e->part[k]) &&
			digest_equal(&e->part[k].digest, &e->part[i].digest))
			return &e->part[k];
	return NULL;
}

/* Bytes of the contents that are not kept yet, equal ones once. */
static int64_t bytes_of(const struct entry *e)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < e->count; i++)
		if (part_has_content(&e->part[i]) && !e->part[i].kept && !same_before(e, i))
			bytes += e->part[i].size;
	return bytes;
}

bool entry_too_large(const struct scope *s, const struct entry *e)
{
	return s->limits.max_size && bytes_of(e) > s->limits.max_size;
}

static bool is_over(const struct scope *s, const struct need *need)
{
	const struct limits *l = &s->limits;

	return (l->max_size && table_cell(&s->table, CELL_BYTES) + need->bytes > l->max_size) ||
		(l->max_entries &&
			table_cell(&s->table, CELL_ENTRIES) + need->entries > l->max_entries);
}

static bool used_before(const struct row *a, const struct row *b)
{
	return a->used != b->used ? a->used < b->used
				  : memcmp(&a->digest, &b->digest, sizeof a->digest) < 0;
}

static bool used_less(const struct row *a, const struct row *b)
{
	return a->uses != b->uses ? a->uses < b->uses : used_before(a, b);
}

static bool expires_before(const struct row *a, const struct row *b)
{
	int64_t at = a->expires ? a->expires : INT64_MAX, bt = b->expires ? b->expires : INT64_MAX;

	return at != bt ? at < bt : used_before(a, b);
}

/* What has expired comes before everything, as if it had never been used. */
static void judge(struct row *r)
{
	if (r->expires && r->expires <= clock_real() / NS_PER_US)
		r->used = r->uses = INT64_MIN;
}

#define ORDER(name, before)                            \
	static bool name(const void *a, const void *b) \
	{                                              \
		return before(a, b);                   \
	}
ORDER(order_lru, used_before)
ORDER(order_lfu, used_less)
ORDER(order_ttl, expires_before)

static bool (*const orders[])(const void *, const void *) = {
	[POLICY_LRU] = order_lru,
	[POLICY_LFU] = order_lfu,
	[POLICY_TTL] = order_ttl,
};

/* All entries but one, in the order in which they go; rows stand in an array of their own. */
static struct row *candidates(const struct scope *s, const struct digest *but, struct heap *heap)
{
	struct row *row = mem_new((size_t)MAX(table_lines(&s->table), 1) * sizeof *row);
	size_t n = 0;

	*heap = (struct heap){.before = orders[s->limits.policy]};
	for (int64_t i = 0; i < table_lines(&s->table); i++) {
		if (table_kind(&s->table, i) != ROW_ENTRY)
			continue;
		table_read(&s->table, i, &row[n]);
		if (but && digest_equal(&row[n].digest, but))
			continue;
		judge(&row[n]);
		heap_push(heap, &row[n++]);
	}
	return row;
}

static struct need with_reserve(const struct scope *s, const struct need *need)
{
	struct need more = *need;

	if (table_cell(&s->table, CELL_ENTRIES) > MANY) {
		more.bytes += s->limits.max_size / SHARE_OF_MANY;
		more.entries += s->limits.max_entries / SHARE_OF_MANY;
	}
	return more;
}

/* -ESTALE: the table was made anew on the way. */
static int evict_once(
	struct scope *s, const struct need *need, const struct digest *but, struct err *e)
{
	const struct need wanted = with_reserve(s, need);
	struct heap heap;
	struct row *rows = candidates(s, but, &heap);
	const struct row *victim;
	int r = 0;

	while (r >= 0 && is_over(s, &wanted) && (victim = heap_pop(&heap))) {
		r = store_drop(s, &victim->digest, e);
		if (r > 0 || r == -ESTALE)
			table_count(&s->table, CELL_EVICTED, 1);
	}
	heap_clear(&heap);
	free(rows);
	if (r >= 0 && is_over(s, need) && but)
		r = store_drop(s, but, e); /* what is to be replaced goes last */
	return r;
}

/* What is over goes. -ESTALE: to be asked again. */
static int evict(struct scope *s, const struct need *need, const struct digest *but, struct err *e)
{
	int r = is_over(s, need) ? evict_once(s, need, but, e) : 0;

	if (r >= 0 && is_over(s, need))
		return err_set(e, -ENOSPC, "scope %s: no room can be made", s->name);
	return MIN(r, 0);
}

int evict_for(
	struct scope *s, const struct entry *entry, const struct digest *key, struct err *e)
{
	const struct need need = {
		.bytes = bytes_of(entry), .entries = table_find(&s->table, ROW_ENTRY, key) < 0};

	return evict(s, &need, key, e);
}

int evict_over(struct scope *s, struct err *e)
{
	const struct need nothing = {0};
	int r;

	do {
		scope_change(s);
		r = evict(s, &nothing, NULL, e);
	} while (r == -ESTALE);
	if (r == 0)
		scope_changed(s);
	return r;
}
