/*
 * crew: threads that send for the loop. Ten thousand clients are ten thousand
 * system calls an event, of which each is the kernel's work: they are made on
 * all processors, while the loop, which makes its share, waits for the last. The
 * threads look at nothing but the list of what is to be sent.
 */
#ifndef CREW_H
#define CREW_H

#include "base.h"

#include <sys/uio.h>

struct sending {
	int fd;
	const struct iovec *vector;
	size_t count;
	ssize_t result; /* bytes that the kernel took, or -errno; 0: none of them now */
};

/* At most three threads; with one processor, or no room for threads, none. */
struct crew *crew_new(void);
void crew_send(struct crew *, struct sending *, size_t count);
void crew_free(struct crew *); /* NULL: nothing */

/* One of them. */
ssize_t crew_send_one(int fd, const struct iovec *, size_t count);

#endif
