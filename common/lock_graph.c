/*
 * A cycle alone says little: with counted resources a cycle need not be stuck, and what
 * is stuck need not be one simple cycle. So whatever can go on is taken out first.
 */
#include "lock_graph.h"

#include "id.h"
#include "mem.h"
#include "proc.h"

struct wait {
	const struct lock_view *lock;
	const struct lock_row *row;
	struct lock_line line;
	bool reduced;

	/* Of the search for a cycle: who of it this one keeps from going on, and by which hold. */
	struct wait *from;
	const struct hold *through;
};

struct hold {
	const struct lock_view *lock;
	const struct lock_row *row;
};

struct graph {
	struct wait *wait;
	size_t waits;
	struct hold *hold;
	size_t holds;
};

static void graph_clear(struct graph *g)
{
	free(g->wait);
	free(g->hold);
}

/* Where a process stands in that line; its length if it does not. */
static size_t place_in(const struct lock_line *line, int64_t pid)
{
	size_t i = 0;

	while (i < line->length && line->pid[i] != pid)
		i++;
	return i;
}

bool lock_line_has(const struct lock_line *line, int64_t pid)
{
	return place_in(line, pid) < line->length;
}

void lock_line_find(struct lock_line *line, pid_t pid, const struct lock_line *known)
{
	line->length = 0;
	while (pid > 1 && line->length < countof(line->pid)) {
		size_t at = known ? place_in(known, pid) + 1 : 0;

		line->pid[line->length++] = pid;
		pid = known && at < known->length ? known->pid[at] : proc_parent(pid);
	}
}

static bool belongs(const struct wait *w, const struct hold *h)
{
	return lock_line_has(&w->line, h->row->pid);
}

/* A row that was read while it was written is not. */
static bool is_same(const struct lock_row *a, const struct lock_row *b)
{
	return a->ticket == b->ticket && a->pid == b->pid && a->start == b->start &&
		a->key == b->key && a->units == b->units &&
		lock_row_waits(a) == lock_row_waits(b);
}

/* The same row in the other reading. */
static bool stands_in(const struct lock_views *other, const char *name, const struct lock_row *row)
{
	for (size_t i = 0; i < other->count; i++) {
		const struct lock_view *v = &other->item[i];

		if (strcmp(v->name, name) != 0)
			continue;
		for (size_t k = 0; k < v->holders + v->waiters; k++)
			if (is_same(&v->row[k], row))
				return true;
	}
	return false;
}

/* A holder whose pid is another process's by now cannot be told to be anybody's ancestor. */
static bool is_itself(const struct lock_row *row)
{
	struct owner now;

	return row->start && owner_of((pid_t)row->pid, &now) == 0 &&
		(int64_t)now.start == row->start;
}

static void add_rows(struct graph *g, const struct lock_view *v, const struct lock_views *second)
{
	for (size_t i = 0; i < v->holders + v->waiters; i++) {
		const struct lock_row *row = &v->row[i];

		if (!stands_in(second, v->name, row))
			continue;
		if (lock_row_waits(row))
			g->wait[g->waits++] = (struct wait){.lock = v, .row = row};
		else if (is_itself(row))
			g->hold[g->holds++] = (struct hold){.lock = v, .row = row};
	}
}

static void graph_make(struct graph *g, const struct lock_views *first,
	const struct lock_views *second)
{
	size_t rows = 0;

	for (size_t i = 0; i < first->count; i++)
		rows += first->item[i].holders + first->item[i].waiters;
	*g = (struct graph){.wait = mem_zero(rows, sizeof *g->wait),
		.hold = mem_zero(rows, sizeof *g->hold)};
	for (size_t i = 0; i < first->count; i++)
		add_rows(g, &first->item[i], second);
}

/* Whether somebody who belongs to the hold is not known to get what it waits for. */
static bool is_stuck(const struct graph *g, const struct hold *h)
{
	for (size_t i = 0; i < g->waits; i++)
		if (!g->wait[i].reduced && belongs(&g->wait[i], h))
			return true;
	return false;
}

/* The units of a lock that are free once all holds that can end have ended. */
static int64_t units_in_the_end(const struct graph *g, const struct lock_view *lock)
{
	int64_t units = lock->capacity;

	for (size_t i = 0; i < g->holds; i++)
		if (g->hold[i].lock == lock && is_stuck(g, &g->hold[i]))
			units -= g->hold[i].row->units;
	return units;
}

/* Waits stand in the order of their locks and queues: one pass; true if anything was reduced. */
static bool reduce_once(struct graph *g)
{
	bool any = false;

	for (size_t i = 0; i < g->waits;) {
		const struct lock_view *lock = g->wait[i].lock;
		int64_t units = units_in_the_end(g, lock);
		bool open = true; /* nobody ahead is stuck */

		for (; i < g->waits && g->wait[i].lock == lock; i++) {
			struct wait *w = &g->wait[i];
			bool can = w->row->units <= units && open;

			if (!w->reduced && can)
				w->reduced = any = true;
			if (!w->reduced && w->row->state != LOCK_HANGS)
				open = false;
		}
	}
	return any;
}

static struct wait *find_wait(struct graph *g, const char *name, int64_t ticket)
{
	for (size_t i = 0; i < g->waits; i++)
		if (g->wait[i].row->ticket == ticket && strcmp(g->wait[i].lock->name, name) == 0)
			return &g->wait[i];
	return NULL;
}

static bool gives_up_before(const struct wait *a, const struct wait *b)
{
	int64_t x = lock_row_arrival(a->row), y = lock_row_arrival(b->row);

	if (a->row->priority != b->row->priority)
		return a->row->priority < b->row->priority;
	return x != y ? x > y : a->row->pid > b->row->pid;
}

static void tell_link(struct err *cycle, const struct wait *w, const struct hold *h)
{
	size_t n = strlen(cycle->text);

	snprintf(cycle->text + n, sizeof cycle->text - n, "%spid %lld (%s) waits for %s",
		n ? "; " : "deadlock: ", (long long)w->row->pid, w->row->label, w->lock->name);
	n = strlen(cycle->text);
	if (h)
		snprintf(cycle->text + n, sizeof cycle->text - n, ", which pid %lld (%s) holds",
			(long long)h->row->pid, h->row->label);
}

/* A hold above u that keeps w from its lock; those who share a lock do not keep one another. */
static const struct hold *hold_between(
	const struct graph *g, const struct wait *w, const struct wait *u)
{
	for (size_t i = 0; i < g->holds; i++) {
		const struct hold *h = &g->hold[i];
		bool shares = w->lock->head.capacity == 1 &&
			w->row->units + h->row->units <= w->lock->capacity;

		if (h->lock == w->lock && !shares && belongs(u, h))
			return h;
	}
	return NULL;
}

/* Whether u, which is stuck, keeps w from going on: by a hold, else ahead of it in the queue. */
static bool blocks(const struct graph *g, struct wait *u, struct wait *w)
{
	const struct hold *h = hold_between(g, w, u);

	if (!h && (u == w || u->lock != w->lock || !lock_row_before(u->row, w->row)))
		return false;
	u->through = h;
	u->from = w;
	return true;
}

/*
 * Searches for a shortest cycle through a stuck waiter, which the members' from then
 * lead along, backwards; with worst, only for one in which nobody gives up before it.
 */
static bool find_cycle(struct graph *g, struct wait *me, bool worst)
{
	AUTO_FREE struct wait **queue = mem_zero(g->waits, sizeof *queue);
	size_t queued = 0;

	for (size_t i = 0; i < g->waits; i++)
		g->wait[i].from = NULL;
	queue[queued++] = me;
	for (size_t head = 0; head < queued; head++) {
		for (size_t i = 0; i < g->waits; i++) {
			struct wait *u = &g->wait[i];

			if (u->reduced || u->from || (worst && gives_up_before(u, me)))
				continue;
			if (!blocks(g, u, queue[head]))
				continue;
			if (u == me)
				return true;
			queue[queued++] = u;
		}
	}
	return false;
}

/* The cycle in words, from me on; returns who of it gives up. */
static struct wait *tell_cycle(struct graph *g, struct wait *me, struct err *cycle)
{
	AUTO_FREE struct wait **step = mem_zero(g->waits, sizeof *step);
	struct wait *worst = me, *w = me;
	size_t n = 0;

	do {
		step[n++] = w;
		if (gives_up_before(w, worst))
			worst = w;
		w = w->from;
	} while (w != me);
	for (; n; w = step[--n])
		tell_link(cycle, w, step[n - 1]->through);
	return worst;
}

/*
 * Whoever is the worst of any cycle gives up. Another looks at what keeps itself, not at
 * cycles further on, which have members to look at them.
 */
static int analyse(struct graph *g, const struct lock_inquiry *q)
{
	struct wait *me = find_wait(g, q->name, q->ticket), *worst;

	for (size_t i = 0; i < g->waits; i++)
		lock_line_find(&g->wait[i].line, (pid_t)g->wait[i].row->pid,
			i ? &g->wait[i - 1].line : NULL);
	while (reduce_once(g))
		;
	if (!me || me->reduced || !(find_cycle(g, me, true) || find_cycle(g, me, false)))
		return 0;
	*q->cycle = (struct err){0};
	worst = tell_cycle(g, me, q->cycle);
	snprintf(q->victim->name, sizeof q->victim->name, "%s", worst->lock->name);
	q->victim->ticket = worst->row->ticket;
	return 1;
}

int lock_graph_judge(const struct lock_views *first, const struct lock_views *second,
	const struct lock_inquiry *q)
{
	struct graph g;
	int r;

	graph_make(&g, first, second);
	r = analyse(&g, q);
	graph_clear(&g);
	return r;
}
