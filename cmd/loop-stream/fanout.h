/*
 * fanout: what is new goes to all clients that keep up. Those that are to be
 * sent the same share one batch, and many are sent theirs at once.
 */
#ifndef FANOUT_H
#define FANOUT_H

struct server;
struct fanout;

/* Made at the first event, for most servers never have many clients; *f is NULL before. */
void fanout_all(struct fanout **f, struct server *);
void fanout_free(struct fanout *);

#endif
