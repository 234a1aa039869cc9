/* resolve: from what an import says to a file of the tree, per language. */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "tree.h"

/* Each sets the reference's outcome, and its file or package. */
void resolve_python(struct tree *, struct reference *);
void resolve_script(struct tree *, struct reference *);

/* Collects what those need of the whole tree: roots of Python, names of packages. */
void resolve_python_start(struct tree *);
void resolve_script_start(struct tree *);

static inline void resolved(struct reference *r, uint32_t file)
{
	r->outcome = OUTCOME_FILE;
	r->to = file;
}

static inline void resolved_external(
	struct tree *t, struct reference *r, const char *name, size_t n)
{
	r->outcome = OUTCOME_EXTERNAL;
	r->package = arena_substring(&t->arena, name, n);
}

/* Looks at a folder above the paths, which the walk has not seen. */
void folder_probe(struct folder *);

#endif
