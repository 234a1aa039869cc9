/*
 * route: which handler answers which path and method.
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "conn.h"

struct route {
	const char *path; /* "*" stands for one segment */
	unsigned methods;
	void (*answer)(struct conn *);
};

/*
 * The route of a request's path, whatever its method; NULL if there is none.
 * *part is the segment that a star stands for.
 */
const struct route *route_find(const struct request *, struct span *part);

/* The Allow line for these methods. */
const char *route_allow(unsigned methods);

#endif
