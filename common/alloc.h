/*
 * alloc: the memory of programs that live for a moment. musl's malloc asks the kernel for
 * five mappings before its first byte, and gives the first back as soon as it is free; to a
 * program that ends then that is a sixth of its life. Here the first pieces lie in the program's
 * own image, a piece that was freed waits for the next one of its size, and only large ones go
 * back. With musl these are malloc, calloc, realloc and free. Not for threads.
 */
#ifndef ALLOC_H
#define ALLOC_H

#include "base.h"

/* Of at least so many bytes, aligned for any type; NULL with ENOMEM. */
void *alloc_get(size_t);
void *alloc_zero(size_t count, size_t size);
/* NULL is none yet; where there is no room the old one stays. */
void *alloc_resize(void *, size_t);
void alloc_put_back(void *);

/* How many bytes there is room for. */
size_t alloc_room(const void *) __attribute__((pure));

#endif
