/*
 * route: a file of routes, read whole or refused whole:
 *
 *	{"routes": [
 *	  {"name": "page", "types": ["story.completed"], "where": {"data.success": false},
 *	   "after_failures": 3, "command": ["notify", "stories fail"]},
 *	  {"name": "raise", "types": "error.*", "where": "data.program!=\"test\"", "emit": "alert"}
 *	]}
 *
 * A target is one of "command" (a list, or a text for sh -c), "queue" (put into it by
 * loop-queue), "emit" (another type) and "dead" (a dead-letter file).
 */
#ifndef ROUTE_H
#define ROUTE_H

#include "diag.h"
#include "handler.h"

struct routes {
	struct handler *first; /* in the order of the file, linked by next */
	size_t count;
};

/* Every error is in the diags; nothing is kept if there is one. */
void routes_parse(struct routes *, const char *text, size_t length, struct diags *);
void routes_free(struct routes *);

#endif
