#include "route.h"

#include "mem.h"
#include "parse.h"

#include <errno.h>
#include <stdarg.h>

/* One pass over the text. */
struct parser {
	const char *text;
	struct diags *diags;
	struct handler *h;
	int targets;
};

static void PRINTF_LIKE(3, 4) complain(struct parser *p, struct span at, const char *format, ...)
{
	va_list args;
	char text[512];

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	diag_error(p->diags, (size_t)(at.p - p->text), "%s", text);
}

/* A string's text, a new string; complains and returns NULL for anything else. */
static char *string_of(struct parser *p, struct span value, const char *key)
{
	struct buf text = {0};

	if (jscan_text(value, &text) == 0 && text.length)
		return buf_take(&text);
	buf_clear(&text);
	complain(p, value, "%s: must be a text that is not empty", key);
	return NULL;
}

/* Calls each for a text, or for every text of a list. */
static void each_text(struct parser *p, struct span value, const char *key,
	void (*each)(struct parser *, struct span at, const char *text))
{
	struct span none, item = value;
	struct jscan walk;
	bool many = jscan_kind(value) == '[';

	if (many && jscan_open(&walk, value) < 0)
		return;
	while (!many || jscan_next(&walk, &none, &item) > 0) {
		AUTO_FREE char *text = string_of(p, item, key);

		if (text)
			each(p, item, text);
		if (!many)
			return;
	}
}

static void add_type(struct parser *p, struct span at, const char *text)
{
	struct err e = {0};

	if (filter_add_type(&p->h->filter, text, &e) < 0)
		complain(p, at, "%s", e.text);
}

static void add_subject(struct parser *p, struct span at, const char *text)
{
	struct err e = {0};

	if (filter_add_subject(&p->h->filter, text, &e) < 0)
		complain(p, at, "%s", e.text);
}

static void add_condition(struct parser *p, struct span at, const char *text)
{
	struct err e = {0};

	if (filter_add_where(&p->h->filter, text, &e) < 0)
		complain(p, at, "%s", e.text);
}

static void take_types(struct parser *p, struct span value)
{
	each_text(p, value, "types", add_type);
}

static void take_subject(struct parser *p, struct span value)
{
	each_text(p, value, "subject", add_subject);
}

static void take_where(struct parser *p, struct span value)
{
	struct span key, v;
	struct jscan walk;
	struct err e = {0};

	if (jscan_open(&walk, value) < 0 || !walk.object) {
		each_text(p, value, "where", add_condition);
		return;
	}
	while (jscan_next(&walk, &key, &v) > 0) {
		AUTO_FREE char *path = string_of(p, key, "where");

		if (path && filter_add_equal(&p->h->filter, path, v, &e) < 0)
			complain(p, key, "%s", e.text);
	}
}

static void take_priority(struct parser *p, struct span value)
{
	AUTO_FREE char *name = string_of(p, value, "priority");

	if (name && priority_parse(name, &p->h->filter.least) < 0)
		complain(p, value, "priority: must be critical, high, normal, low or background");
}

static void take_name(struct parser *p, struct span value)
{
	p->h->name = string_of(p, value, "name");
	if (p->h->name && !name_valid(p->h->name))
		complain(p, value, "name: must be letters, digits and any of . _ : @ + -");
}

static int64_t number_of(struct parser *p, struct span value, const char *key, int64_t min,
	int64_t max)
{
	int64_t n = min;

	if (jscan_int(value, &n) < 0 || n < min || n > max)
		complain(p, value, "%s: must be a whole number from %lld to %lld", key,
			(long long)min, (long long)max);
	return n;
}

static void take_after(struct parser *p, struct span value)
{
	p->h->after_failures = number_of(p, value, "after_failures", 1, 1000000);
}

static void take_order(struct parser *p, struct span value)
{
	p->h->order = number_of(p, value, "order", -1000000, 1000000);
}

static void take_jobs(struct parser *p, struct span value)
{
	p->h->jobs = number_of(p, value, "jobs", 1, 1024);
}

static void take_retries(struct parser *p, struct span value)
{
	p->h->retries = number_of(p, value, "retries", 0, 1000);
}

static void take_duration(struct parser *p, struct span value, const char *key, int64_t *out)
{
	AUTO_FREE char *text = string_of(p, value, key);

	if (text && parse_duration(text, out) < 0)
		complain(p, value, "%s: must be a duration as \"90s\"", key);
}

static void take_timeout(struct parser *p, struct span value)
{
	take_duration(p, value, "timeout", &p->h->timeout);
}

static void take_backoff(struct parser *p, struct span value)
{
	take_duration(p, value, "backoff", &p->h->backoff.base);
}

/* A command that the handler owns. */
static void set_command(struct parser *p, struct strs *words)
{
	p->h->target.command = words->item;
	p->targets++;
}

static void take_command(struct parser *p, struct span value)
{
	struct strs words = {0};
	struct span none, item;
	struct jscan walk;

	if (jscan_kind(value) != '[') {
		char *text = string_of(p, value, "command");

		if (!text)
			return;
		strs_add(&words, "/bin/sh");
		strs_add(&words, "-c");
		strs_take(&words, text);
		set_command(p, &words);
		return;
	}
	if (jscan_open(&walk, value) < 0)
		return;
	while (jscan_next(&walk, &none, &item) > 0) {
		char *text = string_of(p, item, "command");

		if (text)
			strs_take(&words, text);
	}
	if (!words.count)
		complain(p, value, "command: must not be empty");
	set_command(p, &words);
}

static void take_queue(struct parser *p, struct span value)
{
	char *name = string_of(p, value, "queue");
	struct strs words = {0};

	if (!name)
		return;
	if (!name_valid(name))
		complain(p, value, "queue: not a queue's name");
	strs_add(&words, "loop-queue");
	strs_add(&words, "put");
	strs_take(&words, name);
	set_command(p, &words);
}

static void take_emit(struct parser *p, struct span value)
{
	char *type = string_of(p, value, "emit");

	if (type && !event_type_valid(type))
		complain(p, value, "emit: must be a type, lower-case words with dots");
	p->h->target.type = type;
	p->targets += type != NULL;
}

static void take_dead(struct parser *p, struct span value)
{
	char *name = string_of(p, value, "dead");

	if (name && !name_valid(name))
		complain(p, value, "dead: not a name");
	p->h->target.dead = name;
	p->targets += name != NULL;
}

static const struct {
	const char *name;
	void (*take)(struct parser *, struct span value);
} keys[] = {
	{"name", take_name},
	{"types", take_types},
	{"subject", take_subject},
	{"where", take_where},
	{"priority", take_priority},
	{"command", take_command},
	{"queue", take_queue},
	{"emit", take_emit},
	{"dead", take_dead},
	{"after_failures", take_after},
	{"order", take_order},
	{"jobs", take_jobs},
	{"timeout", take_timeout},
	{"retries", take_retries},
	{"backoff", take_backoff},
};

static void take_member(struct parser *p, struct span key, struct span value)
{
	AUTO_FREE char *name = string_of(p, key, "a key");
	struct nearest near = {.word = name ? name : ""};

	for (size_t i = 0; i < countof(keys); i++) {
		if (name && strcmp(name, keys[i].name) == 0) {
			keys[i].take(p, value);
			return;
		}
		nearest_try(&near, keys[i].name);
	}
	if (near.best)
		complain(p, key, "unknown key '%s'; did you mean '%s'?", near.word, near.best);
	else
		complain(p, key, "unknown key '%s'", near.word);
}

/* What must hold of a route as a whole. */
static void check_route(struct parser *p, const struct routes *routes, struct span route)
{
	if (!p->h->name)
		complain(p, route, "a route without a name");
	if (p->targets != 1)
		complain(p, route, "a route needs one of command, queue, emit and dead");
	for (const struct handler *h = routes->first; h && p->h->name; h = h->next)
		if (h->name && strcmp(h->name, p->h->name) == 0)
			complain(p, route, "another route is named '%s'", h->name);
}

static void take_route(struct parser *p, struct routes *routes, struct handler ***last,
	struct span route)
{
	struct span key, value;
	struct jscan walk;

	if (jscan_open(&walk, route) < 0 || !walk.object) {
		complain(p, route, "a route must be an object");
		return;
	}
	p->h = mem_zero(1, sizeof *p->h);
	p->targets = 0;
	handler_init(p->h);
	p->h->owns_target = true;
	p->h->retries = 2;
	p->h->backoff.base = NS_PER_S;
	while (jscan_next(&walk, &key, &value) > 0)
		take_member(p, key, value);
	check_route(p, routes, route);
	**last = p->h;
	*last = &p->h->next;
	routes->count++;
}

static void take_routes(struct parser *p, struct routes *routes, struct span list)
{
	struct handler **last = &routes->first;
	struct span none, route;
	struct jscan walk;

	if (jscan_open(&walk, list) < 0 || walk.object) {
		complain(p, list, "routes: must be a list");
		return;
	}
	while (jscan_next(&walk, &none, &route) > 0)
		take_route(p, routes, &last, route);
}

void routes_parse(struct routes *routes, const char *text, size_t length, struct diags *d)
{
	struct parser p = {.text = text, .diags = d};
	struct span list;
	const char *what;
	size_t at;

	*routes = (struct routes){0};
	if (jscan_check(text, length, &at, &what) < 0)
		diag_error(d, at, "%s", what);
	else if (!jscan_get((struct span){text, length}, "routes", &list))
		diag_error(d, 0, "must be an object with \"routes\"");
	else
		take_routes(&p, routes, list);
	if (d->errors)
		routes_free(routes);
}

void routes_free(struct routes *routes)
{
	while (routes->first) {
		struct handler *h = routes->first;

		routes->first = h->next;
		handler_free(h);
	}
	routes->count = 0;
}
