/*
 * tree: the source files under the paths that were asked for, what each
 * imports, and what that is. Everything lives in the tree's arena. Paths are
 * absolute and without links above the paths that were asked for.
 */
#ifndef TREE_H
#define TREE_H

#include "buf.h"
#include "map.h"
#include "scan.h"

#define NO_FILE UINT32_MAX

enum language { LANGUAGE_PYTHON,
	LANGUAGE_JAVASCRIPT,
	LANGUAGE_TYPESCRIPT,
	LANGUAGES };

struct file {
	const char *path;
	const char *shown; /* for people: from the working directory where it is below */
	struct folder *folder;
	uint32_t first, count; /* its references */
	uint64_t bytes;
	uint8_t language, dialect;
};

/* A folder on the way to a file. What it holds is known once it was looked at. */
struct folder {
	const char *path;
	struct folder *parent; /* NULL: this is "/" */
	bool walked;	       /* its names are known from the walk */
	bool probed;
	bool has_package, has_config, has_jsconfig, has_project, has_init;
	struct package *package; /* once read; NULL: none, or not to be read */
	struct config *config;
	bool package_read, config_read;
	struct ignore *ignore; /* its .gitignore, once read */
};

enum outcome {
	OUTCOME_FILE,	    /* a file of the tree */
	OUTCOME_OTHER,	    /* something else that is there: data, or source outside of the tree */
	OUTCOME_EXTERNAL,   /* a package */
	OUTCOME_UNRESOLVED, /* nothing */
	OUTCOME_COMPUTED,   /* known only when it runs */
};

/* One import of one file, resolved. */
struct reference {
	struct import import;
	const char *package; /* of OUTCOME_EXTERNAL */
	uint32_t from, to;   /* files; to is NO_FILE but for OUTCOME_FILE */
	uint8_t outcome;
};

struct tree {
	struct arena arena;
	struct file *file; /* sorted by path */
	uint32_t files;
	struct reference *reference; /* by file, then by place */
	uint32_t references;
	size_t file_capacity, reference_capacity;
	struct map by_path;  /* file numbers, plus one */
	struct map folders;  /* by path */
	struct map packages; /* package.json below the paths, by name */
	struct strs roots;   /* where absolute imports of Python start */
	struct strs paths;   /* that were asked for: folders */
	const char *working; /* the working directory */
	uint64_t bytes;
	uint32_t skipped; /* files and folders that were not read */
	bool failed;	  /* some of them for an error: there may be more than is known */
};

struct walk_options {
	const struct strs *include, *exclude; /* globs */
	int64_t max_size;		      /* of a file, in bytes */
	bool no_ignore;			      /* .gitignore says nothing */
};

/* Finds the files under a path (a file is taken as it is); says what cannot be read and goes on. */
void tree_walk(struct tree *, const char *path, const struct walk_options *);

/* Sorts and numbers the files, then reads and scans them: references without outcomes. */
void tree_read(struct tree *, const struct walk_options *);

/* Gives every reference its outcome. */
void tree_resolve(struct tree *);

uint32_t tree_file(const struct tree *, const char *path); /* NO_FILE if it is none of the tree's */
struct folder *tree_folder(struct tree *, const char *path);
const struct folder *tree_known_folder(const struct tree *, const char *path);

/* A path from outside, as the user or a file gives it, made absolute and plain; in the arena. */
const char *tree_path(struct tree *, const char *folder, const char *path);
const char *tree_shown(const struct tree *, const char *path);

/* Says that a file or folder of the tree could not be read, and why (errno). */
void tree_failed(struct tree *, const char *shown);

/* The language of a file's name; false if it is none of ours. */
bool language_of(const char *name, uint8_t *language, uint8_t *dialect);
extern const char *const language_names[];

#endif
