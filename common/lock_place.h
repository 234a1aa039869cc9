/*
 * lock_place: whether a file lies where locks hold: on a file system that all who
 * might want the lock see through one and the same kernel.
 */
#ifndef LOCK_PLACE_H
#define LOCK_PLACE_H

#include "base.h"

#include <sys/types.h>

enum { NETWORK_SIZE = 48 };

/* 1 and the kind of file system if it is one of a network, or of another machine's; 0; -errno. */
int lock_place_check(int fd, char network[NETWORK_SIZE]) MUST_CHECK;

/* The same of one in user space; only /proc/self/mountinfo (proc(5)) tells those apart. */
bool lock_place_remote(const char *mountinfo, dev_t, char network[NETWORK_SIZE]);

#endif
