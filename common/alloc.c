/*
 * Pieces of powers of two, each with a head in front of it that tells its room. Those of one
 * size that are free are a list.
 */
#include "alloc.h"

#include <errno.h>
#include <sys/mman.h>

enum {
	PIECE_MIN = 32, /* with its head */
	SIZES = 12,
	PIECE_MAX = PIECE_MIN << (SIZES - 1), /* what is larger is a mapping of its own */
	FIRST_CHUNK = 8 * 1024,
	CHUNK = 1024 * 1024,
	PAGE = 4096,
};

struct head {
	_Alignas(max_align_t) size_t room; /* behind it */
	struct head *next;		   /* while it is free */
};

static struct head *free_list[SIZES];
static _Alignas(max_align_t) char first_chunk[FIRST_CHUNK];
static char *chunk = first_chunk, *chunk_end = first_chunk + FIRST_CHUNK;

static struct head *head_of(const void *p)
{
	return (struct head *)(uintptr_t)p - 1;
}

size_t alloc_room(const void *p)
{
	return head_of(p)->room;
}

static bool is_large(const struct head *h)
{
	return h->room > PIECE_MAX;
}

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* What a mapping has to be for so many bytes; 0 if there is no such number. */
static size_t mapping_for(size_t bytes)
{
	if (bytes > PTRDIFF_MAX - PAGE)
		return 0;
	return (bytes + sizeof(struct head) + PAGE - 1) & -(size_t)PAGE;
}

static void *get_large(size_t bytes)
{
	size_t whole = mapping_for(bytes);
	struct head *h = whole ? map(whole) : NULL;

	if (!h) {
		errno = ENOMEM;
		return NULL;
	}
	h->room = whole - sizeof *h;
	return h + 1;
}

/* What is left of the old chunk is lost: it is less than a piece. */
static struct head *cut(size_t piece)
{
	struct head *h;

	if ((size_t)(chunk_end - chunk) < piece) {
		char *more = map(CHUNK);

		if (!more)
			return NULL;
		chunk = more;
		chunk_end = more + CHUNK;
	}
	h = (struct head *)(void *)chunk;
	chunk += piece;
	h->room = piece - sizeof *h;
	return h;
}

static size_t size_for(size_t bytes)
{
	size_t size = 0;

	while (((size_t)PIECE_MIN << size) - sizeof(struct head) < bytes)
		size++;
	return size;
}

void *alloc_get(size_t bytes)
{
	struct head *h;
	size_t size;

	if (bytes > PIECE_MAX - sizeof *h)
		return get_large(bytes);
	size = size_for(bytes);
	h = free_list[size];
	if (h)
		free_list[size] = h->next;
	else
		h = cut((size_t)PIECE_MIN << size);
	return h ? h + 1 : NULL;
}

void *alloc_zero(size_t count, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	p = alloc_get(bytes);
	if (p && !is_large(head_of(p)))
		memset(p, 0, bytes);
	return p;
}

void alloc_put_back(void *p)
{
	struct head *h = p ? head_of(p) : NULL;
	size_t size;

	if (!h)
		return;
	if (is_large(h)) {
		int errnum = errno;

		munmap(h, h->room + sizeof *h);
		errno = errnum;
		return;
	}
	size = size_for(h->room);
	h->next = free_list[size];
	free_list[size] = h;
}

static void *resize_large(struct head *h, size_t bytes)
{
	size_t whole = mapping_for(bytes);
	void *moved = whole ? mremap(h, h->room + sizeof *h, whole, MREMAP_MAYMOVE) : MAP_FAILED;

	if (moved == MAP_FAILED) {
		errno = ENOMEM;
		return NULL;
	}
	h = moved;
	h->room = whole - sizeof *h;
	return h + 1;
}

void *alloc_resize(void *old, size_t bytes)
{
	void *p;

	if (old && is_large(head_of(old)) && bytes > PIECE_MAX)
		return resize_large(head_of(old), bytes);
	if (old && bytes <= alloc_room(old) && !is_large(head_of(old)))
		return old;
	p = alloc_get(bytes);
	if (!p || !old)
		return p;
	memcpy(p, old, MIN(bytes, alloc_room(old)));
	alloc_put_back(old);
	return p;
}

#ifndef __GLIBC__

void *malloc(size_t bytes)
{
	return alloc_get(bytes);
}

void *calloc(size_t count, size_t size)
{
	return alloc_zero(count, size);
}

void *realloc(void *p, size_t bytes)
{
	return alloc_resize(p, bytes);
}

void free(void *p)
{
	alloc_put_back(p);
}

#endif
