/* What people do with breakers: look at them, and set them by hand. */
#include "guard.h"

#include "breaker_redis.h"
#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"

#include <fcntl.h>
#include <pwd.h>

static bool json;
static const char *why;
static int64_t for_time;

const struct opt list_options[] = {
	{.name = "json", .help = "print JSON lines", .flag = &json},
	OPT_STORE,
	{0},
};

#define WHY                                                                             \
	{                                                                               \
		.name = "why", .arg = "TEXT", .help = "what list shows", .string = &why \
	}

const struct opt force_options[] = {WHY, OPT_STORE, {0}};
const struct opt trip_options[] = {
	WHY,
	{.name = "for",
		.arg = "D",
		.help = "how long (one cooldown)",
		.duration = &for_time},
	OPT_STORE,
	{0},
};

static void find_state(struct state *s, bool make)
{
	struct err e = {0};
	int r = make ? state_open(s, &e) : state_find(s, &e);

	if (r < 0)
		die_err(r, &e);
}

void breaker_place(struct breaker *b)
{
	const char *store = store_choose(choices.store);
	struct err e = {0};
	int r = 0;

	if (!store_in_files(store))
		r = breaker_redis_open(b, store, choices.patience, &e);
	if (r < 0)
		die_err(r, &e);
}

static void init(struct breaker *b, const struct state *s, const char *name)
{
	struct err e = {0};

	if (breaker_init(b, s, name, &(struct breaker_settings){0}, &e) < 0)
		die(EX_USAGE, "%s", e.text);
	breaker_place(b);
}

static bool exists(const struct breaker *b)
{
	AUTO_FREE char *path = mem_format("breakers/%s.json", b->name);

	if (b->place)
		return breaker_redis_has(b);
	return faccessat(b->state->dir, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void add_time(struct buf *b, const char *key, int64_t ns)
{
	char text[TIME_SIZE];

	if (ns)
		buf_format(b, ",\"%s\":\"%s\"", key, format_time(text, ns));
	else
		buf_format(b, ",\"%s\":null", key);
}

static void print_json(const char *name, const struct breaker_view *v)
{
	AUTO_BUF struct buf b = {0};

	buf_format(&b, "{\"breaker\":\"%s\",\"state\":\"%s\",\"generation\":%lld", name,
		breaker_state_name(v->state), (long long)v->generation);
	add_time(&b, "since", v->since);
	add_time(&b, "until", v->until);
	buf_format(&b,
		",\"calls\":%lld,\"failures\":%lld,\"in_a_row\":%lld,\"reopened\":%lld,"
		"\"passed\":%lld,\"prober\":",
		(long long)v->calls, (long long)v->failures, (long long)v->in_a_row,
		(long long)v->reopened, (long long)v->passed);
	if (v->prober.pid)
		buf_int(&b, v->prober.pid);
	else
		buf_str(&b, "null");
	buf_str(&b, ",\"why\":");
	buf_json(&b, v->why, strlen(v->why));
	buf_str(&b, "}\n");
	fputs(b.text, stdout);
}

/* "open for 3m12s more", "half_open, pid 4711 tries", "closed" */
static void add_state(struct buf *b, const struct breaker_view *v)
{
	char text[DURATION_SIZE];
	int64_t left = v->until - clock_real();

	buf_str(b, breaker_state_name(v->state));
	if (v->state == BREAKER_OPEN && left > 0)
		buf_format(b, " for %s more", format_duration(text, left));
	else if (v->state == BREAKER_OPEN)
		buf_str(b, ", the next call probes");
	else if (v->prober.pid)
		buf_format(b, ", pid %d probes", (int)v->prober.pid);
}

static void print_text(const char *name, const struct breaker_view *v)
{
	AUTO_BUF struct buf state = {0}, note = {0};

	add_state(&state, v);
	buf_escape(&note, v->why, strlen(v->why));
	printf("%-24s %-28s %lld of %lld failed%s%s\n", name, state.text, (long long)v->failures,
		(long long)v->calls, note.length ? "; " : "", note.length ? note.text : "");
}

/* Prints one; the exit status that it makes. */
static int show(const struct state *s, const char *name)
{
	struct breaker_view view;
	struct breaker b;
	struct err e = {0};
	int r;

	init(&b, s, name);
	if (!exists(&b)) {
		breaker_redis_close(&b);
		warn("%s: no such breaker", name);
		return EXIT_NO;
	}
	r = breaker_read(&b, &view, &e);
	breaker_redis_close(&b);
	if (r < 0) {
		warn("%s", e.text);
		return die_status(r);
	}
	if (json)
		print_json(name, &view);
	else
		print_text(name, &view);
	return EXIT_SUCCESS;
}

static int list_names(const struct state *s, struct strs *names, struct err *e)
{
	const char *store = store_choose(choices.store);
	int r;

	if (!store_in_files(store))
		return breaker_redis_list(store, choices.patience, names, e);
	r = state_list(s, "breakers", ".json", names);
	return r < 0 ? err_sys(e, r, "%s/breakers", s->path) : 0;
}

int list_run(const struct args *args)
{
	AUTO_STRS struct strs names = {0};
	struct err e = {0};
	struct state s;
	int status = EXIT_SUCCESS, r;

	find_state(&s, !store_in_files(store_choose(choices.store)));
	for (size_t i = 0; i < args->count; i++)
		strs_add(&names, args->item[i]);
	r = args->count ? 0 : list_names(&s, &names, &e);
	if (r < 0)
		die_err(r, &e);
	for (size_t i = 0; i < names.count; i++) {
		int shown = show(&s, names.item[i]);

		status = MAX(status, shown);
	}
	state_close(&s);
	return status;
}

static const char *user_name(void)
{
	const struct passwd *user = getpwuid(geteuid());

	return user ? user->pw_name : "somebody";
}

static void force(const struct args *args, enum breaker_state state, const char *what)
{
	AUTO_FREE char *note = why ? mem_format("%s by %s: %s", what, user_name(), why)
				   : mem_format("%s by %s", what, user_name());
	int64_t until = for_time ? clock_real() + for_time : 0;
	struct err e = {0};
	struct breaker b;
	struct state s;
	int r;

	args_expect(args, 1, 0);
	find_state(&s, state != BREAKER_CLOSED || !store_in_files(store_choose(choices.store)));
	for (size_t i = 0; i < args->count; i++) {
		init(&b, &s, args->item[i]);
		if (state == BREAKER_CLOSED && !exists(&b))
			die(EXIT_NO, "%s: no such breaker", b.name);
		r = breaker_force(&b, state, until, note, &e);
		breaker_redis_close(&b);
		if (r < 0)
			die_err(r, &e);
	}
	state_close(&s);
}

int trip_run(const struct args *args)
{
	force(args, BREAKER_OPEN, "tripped");
	return EXIT_SUCCESS;
}

int reset_run(const struct args *args)
{
	force(args, BREAKER_CLOSED, "reset");
	return EXIT_SUCCESS;
}

int hold_run(const struct args *args)
{
	force(args, BREAKER_HELD, "held");
	return EXIT_SUCCESS;
}

int observe_run(const struct args *args)
{
	force(args, BREAKER_OBSERVED, "observed");
	return EXIT_SUCCESS;
}
