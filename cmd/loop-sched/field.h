/*
 * field: the members that a plan's objects may have, each a line of a table:
 * its name, its type, and where it goes. share/plan's schema says the same for
 * people, and a test compares the two.
 */
#ifndef FIELD_H
#define FIELD_H

#include "plan.h"

enum kind {
	KIND_TEXT,     /* a span: a string */
	KIND_COMMAND,  /* a span: a string for sh -c, or an argv */
	KIND_NAMES,    /* a span: an array of strings */
	KIND_NEEDS,    /* a span: an array of names or {"task","when"} */
	KIND_OBJECT,   /* a span */
	KIND_ARRAY,    /* a span */
	KIND_FOREACH,  /* a span: an array, or what names a task */
	KIND_ID,       /* const char * */
	KIND_DURATION, /* int64_t ns */
	KIND_COUNT,    /* int64_t, at least 1 */
	KIND_FACTOR,   /* double, at least 1 */
	KIND_RATE,     /* double, above 0 and at most 1 */
	KIND_JITTER,   /* enum jitter */
	KIND_PRIORITY, /* int32_t */
	KIND_BOOL,     /* bool */
	KIND_RETRY,    /* struct retry */
	KIND_CACHE,    /* a span: an object of its own fields */
	KIND_GATE,     /* a span: a string, or an object of its own fields */
	KIND_IGNORED,  /* a text for people or for the task itself */
};

#define FIELD_NOT_KEPT SIZE_MAX /* checked, and looked up in the text by who needs it */

struct field {
	const char *name;
	enum kind kind;
	size_t offset;
	enum member member; /* that is looked up later; NO_MEMBER: it is not */
};

const char *member_name(enum member);

extern const struct field task_fields[], recipe_fields[], retry_fields[], plan_fields[],
	breaker_fields[], cache_fields[], gate_fields[];

/* The field of this key (with its quotes); NULL if it is none. */
const struct field *field_find(const struct field *table, struct span key);

/*
 * Reads a value into base, or says what is wrong with it. The task may be NULL. Whether
 * there was a value, and a right one.
 */
bool field_read(struct plan *, const struct task *, const struct field *, struct span value,
	void *base);

/* Reads an object by a table, or says what is wrong with it and its members. A bit a member
 * that it has. */
uint32_t object_read(struct plan *, const struct task *, const char *whose,
	const struct field *table, struct span value, void *base);

/* Says that a key is unknown, with the nearest one or all there are. */
void field_unknown(struct plan *, const struct task *, const char *whose, struct span key,
	const struct field *const tables[]);

#endif
