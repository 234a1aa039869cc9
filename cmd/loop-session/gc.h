/* gc: what both halves of the command gc share. Others use commands.h. */
#ifndef GC_H
#define GC_H

#include "buf.h"
#include "record.h"

struct gc {
	struct state state;
	struct records all; /* every session */
	bool dry, json, verbose;
	int64_t before; /* sessions that ended later stay; 0: all stay */
	int64_t removed, bytes, failed;
};

/* What is to become of one thing; why is said for both. */
struct verdict {
	bool remove;
	char why[400];
};

struct verdict gc_keep(const char *format, ...) PRINTF_LIKE(1, 2);
struct verdict gc_remove(const char *format, ...) PRINTF_LIKE(1, 2);

/* Says it and counts it; size is in bytes. */
void gc_say(struct gc *, const char *what, const char *name, const struct verdict *, int64_t size);

/* Whether anything of the session's run still lives; what cannot be read may. */
bool gc_run_alive(const struct gc *, const struct record *);

/* worktrees/: those that nobody owns and whose work is in the repository; then stale locks. */
void gc_worktrees(struct gc *);

#endif
