/*
 * room: whether there is enough of what all work on a machine shares: space and
 * names on the disk, memory. Work that has no room waits; it has not failed.
 */
#ifndef ROOM_H
#define ROOM_H

#include "base.h"

struct err;

/* The least that is to be free before new work begins, in bytes; 0: whatever there is. */
struct room {
	int64_t disk, memory;
};

/* What any program needs of the disk that writes down what happens. */
enum { ROOM_DISK_LEAST = 1 << 20 };

/*
 * Whether there is less than that where one of the folders lies (NULL behind the last; one
 * that is not there is passed over), or less memory; then why says so in words.
 */
bool room_short(const struct room *, const char *const folder[], struct err *why);

/* Whether a function that returned this has met a full disk, or the end of a quota. */
bool room_refused(int code) __attribute__((const));

#endif
