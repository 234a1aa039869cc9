/*
 * member: what the two ways of making a record share: the attributes by name,
 * their checks, and the writing of each.
 */
#ifndef EVENT_MEMBER_H
#define EVENT_MEMBER_H

#include "event.h"

enum { EVENT_ATTRIBUTE_MAX = 4096 };

/* The attributes that the house knows, in the order in which they are written. */
enum member { SPECVERSION,
	ID,
	SOURCE,
	TYPE,
	SUBJECT,
	TIME,
	PRIORITY,
	RUNID,
	SESSIONID,
	DATA,
	KNOWN };

extern const struct span event_member_name[KNOWN];

/* What a key (with its quotes) is; KNOWN if it is none of them. */
enum member event_member(struct span key);

/* Checks a member's text, escapes resolved. */
int event_check_member(enum member, struct span text, struct err *) MUST_CHECK;

/* A member with JSON text as it is; nothing where it is empty. */
void event_add_value(struct buf *, enum member, struct span value);

/* A checked and quoted text; nothing for NULL. */
int event_add_text(struct buf *, enum member, const char *text, struct err *) MUST_CHECK;
void event_add_time(struct buf *, int64_t ns);
void event_add_priority(struct buf *, enum priority);

/* Closes the record that started at this length; one too long or too deep is taken back. */
int event_end_record(struct buf *, size_t start, struct err *) MUST_CHECK;

#endif
