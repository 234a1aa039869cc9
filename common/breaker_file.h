/*
 * breaker_file: a breaker as its file holds it. Only the breaker's own parts
 * use this.
 */
#ifndef BREAKER_FILE_H
#define BREAKER_FILE_H

#include "breaker.h"
#include "buf.h"

/* One outcome in the window. */
struct call {
	int64_t time;
	bool failed;
};

struct probe {
	char lease[9]; /* empty: none is out */
	struct owner owner;
	int64_t since, expires;
};

/* Since the file was made; nothing is decided by them. */
struct totals {
	int64_t ok, failed, ignored, late, lost, opened;
};

struct breaker_file {
	enum breaker_state state;
	int64_t generation, since, until, hint, reopened, passed;
	char why[160];
	struct breaker_settings settings;
	struct probe probe;
	bool told; /* the event of its state is in the journal */
	struct totals totals;
	struct call call[BREAKER_WINDOW_MAX]; /* the oldest first */
	size_t count;
};

/* A breaker that nobody has used: closed, with these settings and the defaults. */
void breaker_file_new(struct breaker_file *, const struct breaker_settings *);

/* Refuses what is out of bounds; 0 is not. */
int breaker_settings_check(const struct breaker_settings *, struct err *) MUST_CHECK;

/* Takes over the members that are not 0. */
void breaker_settings_merge(struct breaker_settings *, const struct breaker_settings *);

/* -EINVAL with what is wrong. */
int breaker_file_parse(struct breaker_file *, const char *text, size_t length, struct err *)
	MUST_CHECK;
void breaker_file_format(const struct breaker_file *, const char *name, struct buf *out);

/* What the outcomes in the window amount to. */
struct window {
	int64_t calls, failures, in_a_row;
};
struct window breaker_window(const struct breaker_file *);

/* Reads the file without a lock; none is a breaker that nobody has used. */
int breaker_load(const struct breaker *, struct breaker_file *, struct err *) MUST_CHECK;

/*
 * The file as it is under its lock, repaired where it was damaged; and the lock's descriptor,
 * -1 where there is none to close.
 */
int breaker_open_locked(struct breaker *, struct breaker_file *, int *lock, struct err *)
	MUST_CHECK;

/*
 * Another place than a file. It has no lock: what is put is refused with -ESTALE where
 * somebody else has put something since it was got.
 */
struct breaker_place {
	int (*get)(const struct breaker *, struct buf *, struct err *); /* -ENOENT */
	int (*put)(const struct breaker *, const struct buf *, struct err *);
	/* Of what was got: times become this host's, and of what is put, the place's. */
	void (*arrive)(const struct breaker *, struct breaker_file *);
	void (*leave)(const struct breaker *, struct breaker_file *);
};

/*
 * Writes what was changed under the lock; -ESTALE: it is to be changed again.
 * Where the generation is another than before, the journal is told of the new state
 * before others see the lock free.
 */
int breaker_commit(const struct breaker *, struct breaker_file *, int64_t before, struct err *)
	MUST_CHECK;

#endif
