#include "mem.h"

#include "die.h"

#include <stdarg.h>

static void *must(void *p)
{
	if (!p)
		die(EX_OSERR, "out of memory");
	return p;
}

void *mem_new(size_t size)
{
	return must(malloc(size ? size : 1));
}

void *mem_zero(size_t count, size_t size)
{
	return must(calloc(count ? count : 1, size ? size : 1));
}

void *mem_resize(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		die(EX_OSERR, "out of memory");
	return must(realloc(old, bytes ? bytes : 1));
}

char *mem_substring(const char *text, size_t length)
{
	char *copy = mem_new(length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

char *mem_string(const char *text)
{
	return mem_substring(text, strlen(text));
}

char *mem_format(const char *format, ...)
{
	char *text;
	va_list args;
	int n;

	va_start(args, format);
	n = vasprintf(&text, format, args);
	va_end(args);
	return must(n < 0 ? NULL : text);
}

void *mem_grow(void *array, size_t used, size_t *capacity, size_t size)
{
	if (used < *capacity)
		return array;
	*capacity = *capacity ? *capacity * 2 : 8;
	return mem_resize(array, *capacity, size);
}

enum { ARENA_BLOCK = 64 * 1024 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	max_align_t data[];
};

void *arena_new(struct arena *a, size_t size)
{
	struct arena_block *block = a->blocks;
	void *p;

	size = (size + sizeof(max_align_t) - 1) & ~(sizeof(max_align_t) - 1);
	if (!block || size > block->size - block->used) {
		size_t room = MAX(size, (size_t)ARENA_BLOCK);

		block = mem_new(sizeof *block + room);
		*block = (struct arena_block){.next = a->blocks, .size = room};
		a->blocks = block;
	}
	p = (char *)block->data + block->used;
	block->used += size;
	return p;
}

char *arena_substring(struct arena *a, const char *text, size_t length)
{
	char *copy = arena_new(a, length + 1);

	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

void arena_clear(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
}
