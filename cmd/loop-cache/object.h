/*
 * object: contents, named by their digests. On its way in a content is a file without a name,
 * which goes when its writer does.
 */
#ifndef OBJECT_H
#define OBJECT_H

#include "entry.h"
#include "scope.h"

/* One that is being written. */
struct content {
	int fd;
	struct hasher hasher;
	int64_t size;
};

int content_begin(struct content *, const struct scope *) MUST_CHECK;
int content_add(struct content *, const void *bytes, size_t length) MUST_CHECK;
/* All that is left to be read of a descriptor; of at most max bytes, -EFBIG. 0: no bound */
int content_copy(struct content *, int from, int64_t max) MUST_CHECK;
void content_end(struct content *, struct part *); /* the part owns the descriptor now */
void content_drop(struct content *);

/* Checks it and opens it at its beginning: -ENOENT, or -EINVAL if it is damaged. */
int object_open(const struct scope *, const struct part *) MUST_CHECK;

/* The same of one that is read at once: there is room for one byte more than it has. */
int object_read(const struct scope *, const struct part *, char *bytes) MUST_CHECK;

/* Puts a part's content, which its fd has, in its place. The scope is locked. */
int object_place(struct scope *, struct part *) MUST_CHECK;

/* From where it stands to its end. */
int copy_fd(int from, int to) MUST_CHECK;

#endif
