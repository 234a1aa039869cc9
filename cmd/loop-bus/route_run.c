/*
 * route: runs the routes of a file. A route is a durable subscriber of its own
 * name: what is emitted while nobody runs it is routed when somebody does.
 * SIGHUP reads the file again: a wrong one changes nothing; in a right one a
 * route of the same name goes on where the old one was.
 */
#include "commands.h"
#include "route.h"

#include "choose.h"
#include "die.h"
#include "io.h"
#include "mem.h"

#include <fcntl.h>

enum { FILE_MAX = 16 << 20 };

static struct {
	bool check;
	const char *file;
} options;

const struct opt route_options[] = {
	{.name = "check", .letter = 'c', .help = "only check the file", .flag = &options.check},
	OPT_FROM,
	{0},
};

/* Reads the file; its errors are on stderr. 0, or the exit status that fits. */
static int read_routes(struct routes *routes)
{
	AUTO_BUF struct buf text = {0}, said = {0};
	struct diags d = {0};
	int r = io_read_file(AT_FDCWD, options.file, FILE_MAX, &text);

	*routes = (struct routes){0};
	if (r < 0) {
		warn("%s: %s", options.file, strerror(-r));
		return die_status(r);
	}
	routes_parse(routes, text.text, text.length, &d);
	diags_format(&d, options.file, text.text, text.length, &said);
	r = d.errors ? EX_DATAERR : 0;
	diags_clear(&d);
	if (io_write(STDERR_FILENO, said.text, said.length) < 0)
		return EX_IOERR;
	return r;
}

/* A route goes on behind the last event that it has finished with, over ends and kills. */
static int place(struct handler *h, const struct state *s, const char *from, struct err *e)
{
	AUTO_FREE char *durable = mem_format("route.%s", h->name);
	int r = handler_place(h, s, durable, from, e);

	if (r == 0)
		count_open(h, s);
	return r;
}

/* All those that are new, or none. */
static int place_new(const struct engine *e, const struct routes *routes, const char *from,
	struct err *err)
{
	int r = 0;

	for (struct handler *h = routes->first; h && r == 0; h = h->next)
		if (!engine_find(e, h->name))
			r = place(h, e->state, from, err);
	return r;
}

/* The routes of a file are now those that run; others only finish what they have begun. */
static void replace(struct engine *e, struct routes *routes)
{
	struct handler *next;

	for (struct handler *h = e->handlers; h; h = h->next)
		h->retired = true;
	for (struct handler *h = routes->first; h; h = next) {
		struct handler *here = engine_find(e, h->name);

		next = h->next;
		if (!here) {
			engine_add(e, h);
			continue;
		}
		engine_remove(e, here);
		handler_replace(here, h);
		count_open(here, e->state);
		here->retired = false;
		engine_add(e, here);
	}
	routes->first = NULL;
}

static int reload(struct engine *e)
{
	struct routes routes;
	struct err err = {0};

	if (read_routes(&routes) != 0 || place_new(e, &routes, "now", &err) < 0) {
		if (err.text[0])
			warn("%s", err.text);
		routes_free(&routes);
		warn("%s: not taken in; the routes stay as they were", options.file);
		return -1;
	}
	warn("%s: %zu routes", options.file, routes.count);
	replace(e, &routes);
	return 0;
}

int route_main(const struct args *args)
{
	static struct engine engine = {.left = -1, .reload = reload};
	static struct state state;
	struct routes routes;
	struct err e = {0};
	int r;

	args_expect(args, 1, 1);
	options.file = args->item[0];
	r = read_routes(&routes);
	if (r || options.check) {
		routes_free(&routes);
		return r;
	}
	r = state_open(&state, &e);
	if (r == 0)
		r = engine_open(&engine, &state, &e);
	if (r == 0)
		r = place_new(&engine, &routes, choice.from, &e);
	if (r < 0)
		die_err(r, &e);
	replace(&engine, &routes);
	engine_run(&engine);
	engine_close(&engine);
	state_close(&state);
	return EXIT_SUCCESS;
}
