#include "lock_deadlock.h"

#include "lock_graph.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

enum { HOLDERS_MAX = 16, /* asked what they do; else, and if they do much, the graph is made */
	BELOW_MAX = 256 };

static bool waits_anywhere(const struct lock_views *all, pid_t pid)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct lock_view *v = &all->item[i];

		for (size_t k = v->holders; k < v->holders + v->waiters; k++)
			if (v->row[k].pid == pid)
				return true;
	}
	return false;
}

/* Whether one who belongs to this hold may wait. */
static bool may_stay(const struct lock_views *all, const struct lock_row *holder)
{
	pid_t below[BELOW_MAX];
	size_t n = proc_descendants((pid_t)holder->pid, below, countof(below));

	for (size_t i = 0; i < n; i++)
		if (waits_anywhere(all, below[i]))
			return true;
	return n == countof(below);
}

/*
 * Most holders wait for nothing: so their lock comes free, and all who queue for it get
 * it in their turn. That is seen at once, where the graph costs the more the more wait.
 */
static bool may_be_stuck(const struct lock_views *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct lock_view *v = &all->item[i];

		if (strcmp(v->name, name) != 0)
			continue;
		if (v->holders > HOLDERS_MAX)
			return true;
		for (size_t k = 0; k < v->holders; k++)
			if (may_stay(all, &v->row[k]))
				return true;
	}
	return false;
}

/* Of what stands in an earlier reading and in one that is made now, which takes its place. */
static int compare(
	struct lock_views *views, enum lock_view_what what, const struct lock_inquiry *q)
{
	struct lock_views now;
	int r = lock_views_all(&now, q->state, what, NULL);

	if (r < 0)
		return r;
	r = lock_graph_judge(&now, views, q);
	lock_views_clear(views);
	*views = now;
	return r;
}

/* One at a time; whoever it is may be stopped, so nobody sleeps for it. */
static int open_court(const struct state *s)
{
	int fd = state_file(s, "locks", O_RDONLY | O_DIRECTORY, 0), r;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

int lock_deadlock_look(const struct state *s, const char *name, int64_t ticket,
	struct lock_victim *victim, struct err *cycle, int *court)
{
	const struct lock_inquiry q = {s, name, ticket, victim, cycle};
	AUTO(lock_views_clear)
	struct lock_views views;
	int r = lock_views_all(&views, s, LOCK_VIEW_SEEMING, NULL);

	if (r < 0 || !may_be_stuck(&views, name))
		return r;
	r = compare(&views, LOCK_VIEW_SEEMING, &q);
	if (r <= 0)
		return r;
	*court = open_court(s);
	return *court < 0 ? *court : compare(&views, LOCK_VIEW_USED, &q);
}

enum lock_above lock_deadlock_above(const struct state *s)
{
	AUTO(lock_views_clear)
	struct lock_views all;
	struct lock_line line;
	enum lock_above above = LOCK_ABOVE_NONE;

	if (lock_views_all(&all, s, LOCK_VIEW_HOLDERS, NULL) < 0)
		return above;
	lock_line_find(&line, getpid(), NULL);
	for (size_t i = 0; i < all.count; i++) {
		const struct lock_view *v = &all.item[i];
		enum lock_above its = v->waiters ? LOCK_ABOVE_WANTED : LOCK_ABOVE_UNWANTED;

		for (size_t k = 0; k < v->holders; k++)
			if (lock_line_has(&line, v->row[k].pid))
				above = MAX(above, its);
	}
	return above;
}
