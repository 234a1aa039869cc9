/*
 * route: runs the routes of a file. SIGHUP reads the file again: a wrong one
 * changes nothing; in a right one a route of the same name goes on where the
 * old one was.
 */
#include "commands.h"
#include "route.h"

#include "choose.h"
#include "die.h"
#include "io.h"

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

/* Gives a new route the place of the old one of its name, or a place of its own. */
static void place(struct handler *new, const struct engine *e)
{
	for (struct handler *old = e->handlers; old; old = old->next)
		if (!old->retired && strcmp(old->name, new->name) == 0) {
			new->reader = old->reader;
			new->counts = old->counts;
			old->reader = NULL;
			old->counts = NULL;
		}
	if (!new->reader)
		new->reader = open_journal(e->state, e->handlers ? "now" : choice.from, "now");
}

/* The new routes take the places of the old, which only finish what they have begun. */
static void replace(struct engine *e, struct routes *routes)
{
	for (struct handler *h = routes->first; h; h = h->next)
		place(h, e);
	for (struct handler *h = e->handlers; h; h = h->next)
		h->retired = true;
	while (routes->first) {
		struct handler *h = routes->first;

		routes->first = h->next;
		engine_add(e, h);
	}
}

static int reload(struct engine *e)
{
	struct routes routes;

	if (read_routes(&routes) != 0) {
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
	if (r < 0)
		die_err(r, &e);
	replace(&engine, &routes);
	engine_run(&engine);
	engine_close(&engine);
	state_close(&state);
	return EXIT_SUCCESS;
}
