/*
 * scope: keys, contents, limits and counts of one name, in the folder cache/NAME. Who changes
 * it holds its lock, a flock(2), for the moment of the change; who reads an entry holds
 * nothing.
 */
#ifndef SCOPE_H
#define SCOPE_H

#include "digest.h"
#include "err.h"
#include "state.h"
#include "table.h"

enum { SCOPE_NAME_SIZE = 129,
	SCOPE_DEPTH_MAX = 16 /* of inheritance */ };

enum policy { POLICY_LRU,
	POLICY_LFU,
	POLICY_TTL };

/* What scope.json holds. */
struct limits {
	char parent[SCOPE_NAME_SIZE];  /* or empty */
	int64_t max_size, max_entries; /* 0: no bound */
	int policy;
};

/* What a command line says of them: NULL and -1 are left as they are. */
struct changes {
	const char *parent; /* "-": none */
	int64_t max_size, max_entries;
	int policy;
};

struct scope {
	const struct state *state; /* lent */
	char name[SCOPE_NAME_SIZE];
	int dir, lock; /* the lock's descriptor, open while it is held; else -1 */
	struct limits limits;
	bool known;	    /* limits have been read */
	struct table table; /* open while the lock is held */
};

#define AUTO_SCOPE AUTO(scope_close)
#define SCOPE_NONE                                     \
	{                                              \
		.dir = -1, .lock = -1, .table.dir = -1 \
	}

/* -ENOENT if there is none (scope_find); -EINVAL for what is no name. */
int scope_find(struct scope *, const struct state *, const char *name, struct err *) MUST_CHECK;
int scope_open(struct scope *, const struct state *, const char *name, struct err *) MUST_CHECK;
void scope_close(struct scope *);

/*
 * Takes the lock and opens the table, which is made anew where it has to be. -ETIMEDOUT if
 * the lock is not had in two seconds.
 */
int scope_lock(struct scope *, struct err *) MUST_CHECK;
void scope_unlock(struct scope *);

/* Around every change of the entries: who is killed in between leaves a mark. */
void scope_change(struct scope *);
void scope_changed(struct scope *);

/* Reads limits where they are not known yet. */
int scope_limits(struct scope *, struct err *) MUST_CHECK;

/* Takes over into scope.json what a command line says; -ELOOP: the parent inherits from it. */
int scope_configure(struct scope *, const struct changes *, struct err *) MUST_CHECK;

/* The next scope that it inherits from: 1, 0 if there is none. */
int scope_parent(struct scope *, struct scope *parent, struct err *) MUST_CHECK;

/* "entries/3f/3fa9…": where the entry of a key, or an object, lies below the scope's folder. */
enum { SCOPE_PATH_SIZE = 96 };
char *scope_path(char out[SCOPE_PATH_SIZE], const char *folder, const struct digest *);

/* Opens a folder below the scope's, making it. */
int scope_folder(const struct scope *, const char *path) MUST_CHECK;

#endif
