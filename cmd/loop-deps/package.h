/*
 * package: what a package.json says about where its modules are: exports and
 * imports with their conditions and patterns, main, module and types.
 *
 * Source: the Node.js documentation, "Modules: Packages" and "ECMAScript
 * modules", Resolution Algorithm Specification.
 */
#ifndef PACKAGE_H
#define PACKAGE_H

#include "json.h"
#include "tree.h"

struct config;

struct package {
	const char *name; /* NULL if it has none */
	const struct folder *folder;
	json_t *json;
};

/* How a file asks: what conditions hold for it. */
struct asking {
	bool types;		     /* a file of TypeScript */
	bool require;		     /* by require, not by import */
	bool any;		     /* whatever condition there is holds */
	const struct config *config; /* of that file; NULL if it has none */
};

/* The package.json of a folder, read once; NULL if there is none or it is none. */
struct package *package_read(struct tree *, struct folder *);

/* The package that a folder belongs to. */
struct package *package_of(struct tree *, struct folder *);

/* Whether others name it by its name: it lies in no other, or is a workspace of that. */
bool package_is_shared(struct tree *, const struct package *);

/* The file that stands for its folder: main, or an index. */
uint32_t package_main(struct tree *, const struct package *, struct asking);

/* A file of the package by its subpath: "." or "./x". NO_FILE if it is none of the tree's. */
uint32_t package_file(struct tree *, const struct package *, const char *subpath, struct asking);

/*
 * A "#name" of the package's imports: a file, or NO_FILE and in *other the name of
 * another package, NULL if it is nothing at all.
 */
uint32_t package_import(struct tree *, const struct package *, const char *name, struct asking,
	const char **other);

/* Whether it is a module that node itself provides: "fs", "fs/promises". */
bool node_provides(const char *name);

/* resolve_script.c: the file that a path stands for, extensions and index files tried. */
uint32_t script_path(struct tree *, const char *path, struct asking);
uint32_t script_index(struct tree *, const char *folder, struct asking);
uint32_t script_file(struct tree *, const char *path, struct asking);

#endif
