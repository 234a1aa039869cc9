/*
 * fold: of many events of low priority about the same thing, the newest is
 * enough. Each event of the ring that was followed by such a one is marked; so
 * folding costs once an event, not once a client.
 */
#ifndef FOLD_H
#define FOLD_H

#include "feed.h"

/* An event came into the ring: those of its topic before it are marked. */
void fold_in(struct feed *, uint64_t number);

/* The oldest leaves the ring. */
void fold_out(struct feed *, uint64_t number);

void fold_clear(struct feed *);

#endif
