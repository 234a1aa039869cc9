/*
 * mem: memory that is there. The programs run unattended and their own needs
 * are bounded, so a failed allocation of a small piece ends the program with
 * EX_OSERR rather than being handled in a thousand places. What comes from
 * outside is bounded before it is allocated.
 */
#ifndef MEM_H
#define MEM_H

#include "base.h"

/* Never NULL; the caller frees. mem_zero's memory is zeroed; sizes are checked for overflow. */
void *mem_new(size_t size) __attribute__((malloc, returns_nonnull));
void *mem_zero(size_t count, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_resize(void *old, size_t count, size_t size) __attribute__((returns_nonnull));
char *mem_string(const char *text) __attribute__((malloc, returns_nonnull));
char *mem_substring(const char *text, size_t length) __attribute__((malloc, returns_nonnull));
char *mem_format(const char *format, ...) PRINTF_LIKE(1, 2)
	__attribute__((malloc, returns_nonnull));

/* Makes room for one more element of an array that doubles; returns the array, perhaps moved. */
void *mem_grow(void *array, size_t used, size_t *capacity, size_t size)
	__attribute__((returns_nonnull));

/*
 * An arena: many small pieces that live and die together (a plan and its
 * graph). Pieces are aligned for any type and never move.
 */
struct arena {
	struct arena_block *blocks;
};

void *arena_new(struct arena *, size_t size) __attribute__((returns_nonnull));
char *arena_substring(struct arena *, const char *text, size_t length)
	__attribute__((returns_nonnull));
void arena_clear(struct arena *);

#endif
