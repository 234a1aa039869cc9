/*
 * config: the part of a tsconfig.json or jsconfig.json that says where modules
 * are: baseUrl, paths and conditions, with what they extend. Comments and trailing commas
 * are allowed, as the compiler does.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include "tree.h"

struct config_path {
	const char *head, *tail; /* around the star; tail is NULL without one */
	struct strs targets;	 /* absolute, with their star */
};

struct config {
	const char *base;	/* of what is not relative; NULL without baseUrl */
	struct strs conditions; /* of exports and imports that hold besides */
	bool node;		/* modules are looked for as node does */
	struct config_path *path;
	size_t paths, capacity;
};

/* The configuration that holds for the files of a folder; NULL if there is none. */
const struct config *config_of(struct tree *, struct folder *);

#endif
