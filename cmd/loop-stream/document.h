/* document: what others wrote as JSON, handed on as it stands. */
#ifndef DOCUMENT_H
#define DOCUMENT_H

#include "buf.h"

/* A file of a folder; null where there is none, or it is not JSON. */
void document_add(struct buf *, int dir, const char *path);

/* A member of an object that is open, with its comma behind it. */
void document_string(struct buf *, const char *key, const char *value);

#endif
