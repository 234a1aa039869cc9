/*
 * Debian's libb2.a was compiled for glibc, whose checked variants of two functions it
 * calls. Linked statically with musl, these are they: the same checks.
 */
#include "base.h"

#ifndef __GLIBC__

void *__memcpy_chk(void *, const void *, size_t, size_t);
void __explicit_bzero_chk(void *, size_t, size_t);

void *__memcpy_chk(void *to, const void *from, size_t length, size_t room)
{
	if (length > room)
		abort();
	return memcpy(to, from, length);
}

void __explicit_bzero_chk(void *bytes, size_t length, size_t room)
{
	if (length > room)
		abort();
	explicit_bzero(bytes, length);
}

#endif
