/*
 * entry: what is kept under a key, as its file entries/XX/HASH holds it: one line of
 * JSON that begins with a check of the rest. The contents of its parts are objects,
 * named by their digests.
 */
#ifndef ENTRY_H
#define ENTRY_H

#include "buf.h"
#include "digest.h"
#include "mem.h"

#include <sys/types.h>

enum part_kind {
	PART_VALUE,
	PART_STDOUT,
	PART_STDERR,
	PART_FILE, /* the others belong to a run's outputs */
	PART_LINK,
	PART_FOLDER,
};
enum { PART_KINDS = PART_FOLDER + 1 };
extern const char *const part_kinds[PART_KINDS]; /* their names */

/* How its file begins; 64 hex digits and a quote follow, and then a comma and what is checked. */
#define ENTRY_OPENING "{\"check\":\""

enum {
	KEY_MAX = 4096, /* bytes */
	ENTRY_FILE_MAX = 64 << 20,
	ENTRY_USUAL = 512, /* bytes of its file, and the parts, of almost all of them */
	PARTS_USUAL = 2,
};

struct part {
	enum part_kind kind;
	const char *output; /* which output of the run it belongs to, as its option names it */
	const char *path;   /* below that output; "" is the output itself */
	const char *target; /* of a link */
	mode_t mode;	    /* permissions, of files and folders */
	int64_t size;	    /* of the content, where there is one */
	struct digest digest;
	int fd;	   /* the content on its way in or out, or -1 */
	bool kept; /* the scope refers to its content already, while it is put in */
};

/*
 * Strings are lent: by who makes it, by the arena that it may keep them in, or by the text that
 * it was read from. It points into itself, so it is never copied.
 */
struct entry {
	const char *key;
	int64_t created, expires; /* clock_real; expires 0: never */
	int status;		  /* of a run, and how long that took */
	int64_t ms;
	struct part *part;
	size_t count, capacity;
	struct arena made;
	struct buf text; /* of a long file */
	char usual[ENTRY_USUAL + 1];
	struct part few[PARTS_USUAL];
};

#define AUTO_ENTRY AUTO(entry_clear)
void entry_clear(struct entry *); /* closes what descriptors its parts have */

/* A zeroed part with fd -1. */
struct part *entry_add(struct entry *, enum part_kind);
bool part_has_content(const struct part *);

/* 1 to KEY_MAX bytes of UTF-8. */
bool key_valid(const char *);
struct digest key_digest(const char *);

/* The line with its newline. */
void entry_format(const struct entry *, struct buf *);

/* -EINVAL for a damaged one. The text is changed, and lends its strings. */
int entry_parse(struct entry *, char *text, size_t length) MUST_CHECK;

#endif
