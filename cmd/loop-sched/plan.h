/*
 * plan: a plan as it was read. A task is one slice of the plan's text and the
 * few members that every task is asked for; the rest is looked up in the slice
 * when it is needed. Everything lives in the plan: text, arena, graph.
 */
#ifndef PLAN_H
#define PLAN_H

#include "backoff.h"
#include "dag.h"
#include "diag.h"
#include "err.h"
#include "jscan.h"
#include "map.h"
#include "mem.h"

enum { PLAN_MAX = 1 << 30,     /* bytes of a plan's text */
	PLAN_TASKS = 16777216, /* tasks of a plan */
	PRIORITY_NONE = INT32_MAX };

/* Under which ending of the needed task a need is met. */
enum when {
	WHEN_OK, /* succeeded or skipped: a need that names no condition */
	WHEN_SUCCEEDED,
	WHEN_FAILED,
	WHEN_DONE, /* succeeded or failed: it was run */
	WHEN_SKIPPED,
	WHEN_ANY, /* ended in whatever way */
};

struct retry {
	int64_t attempts; /* in all, the first included */
	struct backoff backoff;
	struct span on, never_on; /* JSON arrays; empty: any failure, none */
};

/* Members of a task that are looked up in its text when they are asked for. */
enum member {
	NO_MEMBER,
	M_RUN, /* those up to M_CACHE may be the plan's defaults */
	M_AGENT,
	M_PROMPT,
	M_VERIFY,
	M_UNDO,
	M_ENV,
	M_DIR,
	M_RESOURCES,
	M_BREAKER,
	M_CACHE,
	M_TITLE,
	M_FILES,
	M_PHASE,
	M_WHEN,
	M_AT,
	M_FOREACH,
	M_GATE,
	M_ITEMS,
	MEMBERS
};

/* How often and how long a task is tried: its own, or the plan's defaults. */
struct recipe {
	int64_t timeout, deadline; /* of an attempt, of all together; ns, 0: none */
	int64_t stall;
	struct retry retry;
	bool own_retry; /* named by the task itself, not by the defaults */
};

struct task {
	const char *id;
	struct span text; /* the whole object */
	struct span needs;
	const struct recipe *recipe;
	const struct group *group; /* the one it was made for, or makes (index 0); NULL: none */
	int64_t estimate;	   /* ns; 0: unknown */
	uint32_t has;		   /* a bit a member that it has itself */
	uint32_t index;		   /* in its group, from 1 */
	int32_t priority;	   /* smaller is sooner */
	bool done;
	bool final; /* run at the end, whatever came before */
	bool pivot; /* once it succeeded, nothing is undone */
	bool fans;  /* its foreach names a task, whose output says what tasks it makes */
};

/* What became of a task with foreach: its members, side by side. */
struct group {
	uint32_t first, count;
	struct span text;  /* the task's */
	struct span *item; /* the values, in the arena */
	bool fanned;	   /* its members joined while the plan ran; what made them is a task */
	uint32_t owner;	   /* that one */
	struct span values;
};

enum form { FORM_JSON,
	FORM_LINES,
	FORM_MARKDOWN };

struct plan {
	const char *file;  /* as the user named it, "-" for stdin */
	struct buf source; /* the user's own text */
	struct buf made;   /* what import made of it, where it had to */
	struct span text;  /* the one of the two that the tasks are slices of */
	enum form form;	   /* of the source */
	bool imported;
	bool whole; /* text is one document, not a task a line */
	const char *name;
	struct arena arena;
	struct task *task;
	uint32_t count;
	size_t capacity;
	struct map by_id;  /* id to task */
	struct map groups; /* id of a task with foreach to its struct group */
	struct recipe defaults;
	struct span defaults_text;
	uint32_t defaults_have; /* a bit a member */
	struct span breakers;	/* their settings */
	struct span resources;	/* how much there is of each */
	struct dag_edge *edge;
	uint8_t *edge_when; /* enum when, one an edge */
	uint32_t edges;
	size_t edge_capacity, when_capacity;
	struct dag dag;
	uint32_t *order; /* topological, once the plan is known to be sound */
	struct diags diags;
	size_t unsaid; /* errors beyond those that are kept */
};

/*
 * Reads a plan from a file ("-": stdin), importing it where it is in one of
 * the other shapes. What is wrong with it goes to diags; -errno only if it
 * cannot be read at all, or if jq, which imports, cannot be run.
 */
int plan_load(struct plan *, const char *file, struct err *) MUST_CHECK;

/* Reads the plan's own form from text that stays where it is. */
void plan_parse(struct plan *, struct span text, enum form);

/* A task with foreach becomes its members (expand.c). */
void plan_expand(struct plan *, struct task model);

/* The members of a task that fans, by an array that stays where it is. */
void plan_fan(struct plan *, uint32_t task, struct span values);

/* The same in a plan that is linked; false if an id is there already. */
bool plan_join(struct plan *, uint32_t task, struct span values);

/* The quoted name of the task whose output a task fans over; the path in that, or NULL. */
struct span plan_fans_from(struct plan *, const struct task *, const char **path);

/* Whether a task joined while the plan ran. */
bool task_joined(const struct task *);

/* Names become edges: fills edge, dag and order, and says all that is wrong with them. */
void plan_link(struct plan *);

/* Everything that plan_link does not ask: capacities, retries, contradictions. */
void plan_check(struct plan *);

/* again_on.c: says which endings of a list mean nothing, with the nearest word. */
void endings_check(struct plan *, const struct task *, struct span list);
void plan_clear(struct plan *);

/* How much of a resource the plan says there is; -1 if it does not say. */
int64_t plan_capacity(const struct plan *, struct span name);

struct task *plan_task(const struct plan *, const char *id); /* NULL if there is none */
/* What this name (with its quotes) names: a task, or all of a group; false if nothing. */
bool plan_named(const struct plan *, struct span name, struct group *);
uint32_t plan_index(const struct plan *, const struct task *);

/* The JSON value of a task's member, its own or the plan's; empty if there is none. */
struct span task_get(const struct plan *, const struct task *, enum member);
bool task_has(const struct plan *, const struct task *, enum member);

/* A JSON string's text in the plan's arena; NULL for an empty span. */
const char *plan_text(struct plan *, struct span string);

/* One need of an array: its name (with quotes) and its condition; -EINVAL if it is none. */
int need_read(struct span value, struct span *name, enum when *);

/* A number that changes when anything that is run does; the same for the same plan anywhere. */
uint64_t plan_hash(const struct plan *);
uint64_t task_hash(const struct task *);

/*
 * Errors: said at the place of a value of the plan's text, which for an
 * imported plan is looked up in the user's own file.
 */
void plan_error(struct plan *, const struct task *, struct span at, const char *format, ...)
	PRINTF_LIKE(4, 5);
void plan_warning(struct plan *, const struct task *, struct span at, const char *format, ...)
	PRINTF_LIKE(4, 5);
void plan_note(struct plan *, const struct task *, struct span at, const char *format, ...)
	PRINTF_LIKE(4, 5);

/* The bytes of the mark that some editors put before the first character; 0 if there is none. */
size_t source_mark(struct span source);

/* The item of a source text that an imported task was made of, by its "at"; false if it is gone. */
bool source_item(struct span source, enum form, const char *at, struct span *item);

/* Reads, links and checks; says what is wrong (warnings where they are wanted) and ends the program
 * if anything is. */
void plan_need(struct plan *, const char *file, bool warnings);

#endif
