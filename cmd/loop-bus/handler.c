#include "handler.h"

#include "die.h"
#include "io.h"

#include <errno.h>
#include <signal.h>

/* After so long, what still runs when the end was asked for is killed. */
#define LAST_WAIT_MS 5000

/* How soon is looked again whether an event's turn has come. */
#define TURN_MS 2

void handler_init(struct handler *h)
{
	*h = (struct handler){
		.jobs = 1,
		.timeout = 300 * NS_PER_S,
		.backoff = BACKOFF_DEFAULT,
		.cursor.fd = -1,
		.seen = -1,
	};
}

static void free_target(const struct target *t)
{
	for (size_t i = 0; t->command && t->command[i]; i++)
		free(t->command[i]);
	free((void *)(uintptr_t)t->command);
	free((void *)(uintptr_t)t->type);
	free((void *)(uintptr_t)t->dead);
}

void handler_free(struct handler *h)
{
	if (h->owns_target)
		free_target(&h->target);
	filter_clear(&h->filter);
	cursor_close(&h->cursor);
	journal_reader_free(h->reader);
	count_free(h->counts);
	free(h->name);
	free(h);
}

void handler_replace(struct handler *h, struct handler *by)
{
	struct handler old = *h;

	h->filter = by->filter;
	h->target = by->target;
	h->owns_target = by->owns_target;
	h->order = by->order;
	h->jobs = by->jobs;
	h->retries = by->retries;
	h->timeout = by->timeout;
	h->backoff = by->backoff;
	h->after_failures = by->after_failures;
	by->filter = old.filter;
	by->target = old.target;
	by->owns_target = old.owns_target;
	handler_free(by);
}

struct handler *engine_find(const struct engine *e, const char *name)
{
	struct handler *h = e->handlers;

	while (h && strcmp(h->name, name) != 0)
		h = h->next;
	return h;
}

void engine_add(struct engine *e, struct handler *h)
{
	struct handler **link = &e->handlers;

	while (*link && (*link)->order <= h->order)
		link = &(*link)->next;
	h->next = *link;
	*link = h;
	h->engine = e;
	snprintf(h->source, sizeof h->source, "/loop-bus/%s", h->name);
}

void engine_remove(struct engine *e, struct handler *h)
{
	struct handler **link = &e->handlers;

	while (*link != h)
		link = &(*link)->next;
	*link = h->next;
	h->next = NULL;
}

/*
 * Whether an event is for this handler: not one that it made, nor one sent again for another;
 * and what one route has made of an event no route makes another of, or they could go on for ever.
 */
static bool is_for(struct handler *h, const struct event_view *v, const struct journal_line *l)
{
	struct span to, line = {l->text, l->length};

	if (jscan_is(v->source, h->source))
		return false;
	if (jscan_get(line, "handler", &to))
		return jscan_is(to, h->name);
	if (h->target.type && jscan_get(line, "original", &to))
		return false;
	return h->after_failures ? count_due(h, v, l) : filter_matches(&h->filter, v, line);
}

/* Nothing is begun and all is read: what was not for it is finished, too. */
static void pass_over(struct handler *h)
{
	if (h->cursor.fd < 0 || h->job || h->seen <= h->cursor.id)
		return;
	if (cursor_set(&h->cursor, h->seen) < 0)
		warn("cursors/%s: cannot be written", h->cursor.name);
}

/* Reads on to the next event that is for it: 1, 0 if there is none, -errno. */
static int find_next(struct handler *h, struct journal_line *line)
{
	struct event_view v;
	int more;

	while ((more = journal_read(h->reader, line)) > 0) {
		h->seen = line->id;
		if (event_view(line->text, line->length, &v) == 0 && is_for(h, &v, line))
			return 1;
	}
	if (more < 0)
		warn("%s: the journal: %s", h->name, strerror(-more));
	else
		pass_over(h);
	return more;
}

static void tell_others(const struct handler *h)
{
	if (h->turn)
		turn_tell(h->turn, journal_position(h->reader), h->running < h->jobs);
}

static void on_turn(uv_timer_t *timer)
{
	engine_wake(timer->data);
}

/* Whether the event that waits may begin; else it is asked again soon. */
static bool may_begin(struct handler *h)
{
	if (!h->turn || turn_has_come(h->turn, h->next_event.id))
		return true;
	uv_timer_start(&h->engine->turn, on_turn, TURN_MS, 0);
	return false;
}

/* Begins the next event that is for it: false if there is none, no job free, or not its turn. */
static bool take_next(struct handler *h)
{
	if (h->retired || h->running >= h->jobs || h->engine->left == 0 || h->engine->ending)
		return false;
	if (!h->waiting)
		h->waiting = find_next(h, &h->next_event) > 0;
	if (!h->waiting || !may_begin(h)) {
		if (!h->waiting)
			tell_others(h);
		return false;
	}
	h->waiting = false;
	if (h->engine->left > 0)
		h->engine->left--;
	job_begin(h, &h->next_event);
	tell_others(h);
	return true;
}

static void forget_retired(struct engine *e)
{
	for (struct handler *h = e->handlers, *next; h; h = next) {
		next = h->next;
		if (!h->retired || h->job)
			continue;
		engine_remove(e, h);
		handler_free(h);
	}
}

/* Whether all is done that was to be done. */
static bool is_over(const struct engine *e)
{
	if (!e->ending && e->left != 0)
		return false;
	for (const struct handler *h = e->handlers; h; h = h->next)
		if (h->job)
			return false;
	return true;
}

/* One event each, in their order: of one event, the first in order begins first. */
static void on_work(uv_idle_t *idle)
{
	struct engine *e = idle->data;
	bool busy = false;

	for (struct handler *h = e->handlers; h; h = h->next)
		busy |= take_next(h);
	forget_retired(e);
	if (is_over(e))
		uv_stop(&e->loop);
	if (!busy)
		uv_idle_stop(idle);
}

void engine_wake(struct engine *e)
{
	uv_idle_start(&e->work, on_work);
}

static void on_journal(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct engine *e = poll->data;

	if (journal_watched(e->watcher))
		engine_wake(e);
}

static void on_tick(uv_timer_t *timer)
{
	struct engine *e = timer->data;

	if (e->ending)
		for (struct handler *h = e->handlers; h; h = h->next)
			job_kill_all(h, SIGKILL);
	engine_wake(e);
}

/* The first ends in order: what runs is told, nothing new begins. The second ends at once. */
static void on_end(uv_signal_t *signal, int number UNUSED)
{
	struct engine *e = signal->data;
	int sig = e->ending ? SIGKILL : SIGTERM;

	e->ending = true;
	for (struct handler *h = e->handlers; h; h = h->next)
		job_kill_all(h, sig);
	uv_timer_start(&e->tick, on_tick, LAST_WAIT_MS, 1000);
	engine_wake(e);
}

static void on_hup(uv_signal_t *signal, int number UNUSED)
{
	struct engine *e = signal->data;

	if (e->reload && e->reload(e) == 0)
		engine_wake(e);
}

static void on_signal(struct engine *e, uv_signal_t *handle, uv_signal_cb run, int number)
{
	uv_signal_init(&e->loop, handle);
	handle->data = e;
	uv_signal_start(handle, run, number);
}

int engine_open(struct engine *e, const struct state *s, struct err *err)
{
	int r = journal_reader_new(&e->watcher, s, JOURNAL_FROM_NOW, 0, err), watch;

	if (r < 0)
		return r;
	e->state = s;
	journal_init(&e->journal, s);
	r = io_loop_room();
	if (r < 0 || uv_loop_init(&e->loop) < 0)
		return err_sys(err, r < 0 ? r : -EMFILE, "the event loop");
	uv_idle_init(&e->loop, &e->work);
	uv_timer_init(&e->loop, &e->tick);
	uv_timer_init(&e->loop, &e->turn);
	watch = journal_watch(e->watcher);
	e->work.data = e->tick.data = e->turn.data = e->watch.data = e;
	if (watch >= 0) {
		uv_poll_init(&e->loop, &e->watch, watch);
		uv_poll_start(&e->watch, UV_READABLE, on_journal);
	}
	uv_timer_start(&e->tick, on_tick, watch < 0 ? 20 : 1000, watch < 0 ? 20 : 1000);
	on_signal(e, &e->term, on_end, SIGTERM);
	on_signal(e, &e->interrupt, on_end, SIGINT);
	on_signal(e, &e->hup, on_hup, SIGHUP);
	return 0;
}

void engine_run(struct engine *e)
{
	engine_wake(e);
	uv_run(&e->loop, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *handle, void *context UNUSED)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

void engine_close(struct engine *e)
{
	while (e->handlers) {
		struct handler *h = e->handlers;

		e->handlers = h->next;
		handler_free(h);
	}
	uv_walk(&e->loop, close_handle, NULL);
	uv_run(&e->loop, UV_RUN_DEFAULT);
	uv_loop_close(&e->loop);
	journal_reader_free(e->watcher);
	journal_close(&e->journal);
}
