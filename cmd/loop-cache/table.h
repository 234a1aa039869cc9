/*
 * table: the entries and objects of a scope with what eviction needs to know of them, and
 * the scope's counts: cells of 32 bytes, then a hash table of lines of 128, all of it text.
 * It is looked at and changed in place, under the scope's lock. It is an index, no more: of
 * what it says, the entries' own files know everything but uses and counts, and it is made
 * anew from them when a change of it was cut short.
 */
#ifndef TABLE_H
#define TABLE_H

#include "digest.h"

enum cell {
	CELL_FORMAT,
	CELL_CHANGING, /* 1 while entries change: left so by who was killed */
	CELL_SLOTS,    /* lines of the hash table, a power of two */
	CELL_FILLED,   /* those that are not free: live or removed */
	CELL_ENTRIES,
	CELL_OBJECTS,
	CELL_BYTES, /* of the objects */
	CELL_HITS,
	CELL_MISSES,
	CELL_STORED,
	CELL_EVICTED,
	CELL_EXPIRED, /* found too old when asked for */
	CELL_DAMAGED,
	CELL_COUNTED, /* bytes of the noted hits that are in the table */
	CELL_COUNT,
};

enum row_kind { ROW_FREE = '-',
	ROW_REMOVED = 'x',
	ROW_ENTRY = 'e',
	ROW_OBJECT = 'o' };

/* One line, in numbers. */
struct row {
	enum row_kind kind;
	struct digest digest; /* of an entry's key, of an object's content */
	int64_t uses;	      /* of an object: the parts that refer to it */
	int64_t size;	      /* of an object */
	int64_t used;	      /* the rest of entries: microseconds since the epoch */
	int64_t expires;      /* 0: never */
};

struct table {
	int dir; /* lent: the scope's */
	char *map;
	size_t size;
};

/*
 * -EINVAL for one that is missing, damaged or, unless any will do, was left in the middle of
 * a change.
 */
int table_open(struct table *, int dir, bool any) MUST_CHECK;
/* A new one in its place, with room for so many rows and the old one's counts, if there is one. */
int table_make(struct table *, int dir, int64_t rows) MUST_CHECK;
void table_close(struct table *);

int64_t table_cell(const struct table *, enum cell);
void table_set(struct table *, enum cell, int64_t);
void table_count(struct table *, enum cell, int64_t more);
const char *cell_name(enum cell);

/* The line's number, or -1. */
int64_t table_find(const struct table *, enum row_kind, const struct digest *);
void table_read(const struct table *, int64_t line, struct row *);
void table_write(struct table *, int64_t line, const struct row *);
void table_remove(struct table *, int64_t line);

/* A row that is not there yet: its line, or -errno. May make the table anew, and larger. */
int64_t table_add(struct table *, const struct row *) MUST_CHECK;

/* All lines: for (int64_t i = 0; i < table_lines(t); i++), kinds by table_kind. */
int64_t table_lines(const struct table *);
enum row_kind table_kind(const struct table *, int64_t line);

#endif
