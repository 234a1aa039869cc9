/* link: a member of a ring of members, held by what it links; a head that is linked to itself is an
 * empty ring. */
#ifndef LINK_H
#define LINK_H

struct link {
	struct link *prev, *next;
};

static inline void link_init(struct link *head)
{
	head->prev = head->next = head;
}

/* Appends to the ring. */
static inline void link_add(struct link *head, struct link *member)
{
	member->prev = head->prev;
	member->next = head;
	head->prev->next = member;
	head->prev = member;
}

/* Out of the ring it is in; may be called again. */
static inline void link_drop(struct link *member)
{
	member->prev->next = member->next;
	member->next->prev = member->prev;
	link_init(member);
}

/* Walks all members; the one at hand may be dropped meanwhile, no other. */
#define link_each(head, at)                                                       \
	for (struct link *at = (head)->next, *at##_next = at->next; at != (head); \
		at = at##_next, at##_next = at->next)

#endif
