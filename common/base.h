/*
 * base: what every file leans on: array sizes, scope-bound cleanup, and the
 * functions that nobody may call.
 */
#ifndef BASE_H
#define BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define countof(array) (sizeof(array) / sizeof *(array))
#define container_of(pointer, type, member) \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#define PRINTF_LIKE(text, first) __attribute__((__format__(__printf__, text, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define MUST_CHECK __attribute__((warn_unused_result))

/* A local that is cleaned up when it goes out of scope: AUTO_BUF struct buf b = {0}; */
#define AUTO(clear) __attribute__((cleanup(clear)))
#define AUTO_FREE AUTO(auto_free)
#define AUTO_CLOSE AUTO(auto_close) /* an int descriptor, -1 when there is none */

static inline void auto_free(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

static inline void auto_close(const int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

/* Times and durations are int64_t nanoseconds everywhere; sizes are int64_t bytes. */
#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define NS_FOREVER INT64_MAX

/* Unbounded, locale-dependent or silently failing: see buf.h, parse.h, io.h instead. */
#undef sprintf /* where the C library's checks make them macros */
#undef vsprintf
#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets
#pragma GCC poison atoi atol atoll atof strtok tmpnam mktemp tempnam system popen

#endif
