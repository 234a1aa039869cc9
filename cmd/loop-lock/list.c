/* What shows locks: list, stats, why. */
#include "loop-lock.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "lock_view.h"
#include "parse.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>

enum { COMMAND_MAX = 4096,
	COMMAND_SHOWN = 70,
	DEPTH_MAX = 16 };

/* The command line of a process, its words joined by blanks; empty if it is gone. */
static void read_command(int64_t pid, struct buf *out)
{
	AUTO_CLOSE int fd = -1;
	char path[40];
	ssize_t n;

	snprintf(path, sizeof path, "/proc/%lld/cmdline", (long long)pid);
	buf_add(out, "", 0);
	fd = io_open(AT_FDCWD, path, O_RDONLY, 0);
	n = fd < 0 ? fd : io_read(fd, buf_reserve(out, COMMAND_MAX), COMMAND_MAX);
	if (n <= 0)
		return;
	for (ssize_t i = 0; i < n - 1; i++)
		if (!out->text[i])
			out->text[i] = ' ';
	out->length = (size_t)n - (out->text[n - 1] == '\0');
	out->text[out->length] = '\0';
}

static int64_t age_of(const struct lock_row *row)
{
	int64_t since;

	if (parse_rfc3339(row->since, strlen(row->since), &since) < 0)
		return 0;
	return MAX(clock_real() - since, INT64_C(0));
}

static const char *mode_of(const struct lock_view *v, const struct lock_row *row, char out[24])
{
	if (v->head.capacity > 1)
		snprintf(out, 24, "%lld/%lld", (long long)row->units, (long long)v->head.capacity);
	else
		snprintf(out, 24, "%s", row->units == LOCK_SHARED_UNITS ? "shared" : "alone");
	return out;
}

static void print_row(const struct lock_view *v, const struct lock_row *row)
{
	AUTO_BUF struct buf command = {0}, safe = {0};
	char age[DURATION_SIZE], mode[24];
	const char *label = row->label;

	read_command(row->pid, &command);
	if (!strstr(command.text, label))
		buf_format(&safe, "[%s] ", label);
	buf_escape(&safe, command.text, MIN(command.length, (size_t)COMMAND_SHOWN));
	printf("%-20s %-5s %-9s %7lld %7s  %s\n", v->name,
		lock_row_waits(row) ? "waits" : "holds", mode_of(v, row, mode),
		(long long)row->pid, format_duration(age, age_of(row)), safe.text);
}

static void print_view(const struct lock_view *v)
{
	for (size_t i = 0; i < v->holders + v->waiters; i++)
		print_row(v, &v->row[i]);
	if (v->unknown)
		printf("%-20s holds %-9lld %7s %7s  (whose line in the table was lost)\n", v->name,
			(long long)v->unknown, "?", "?");
}

static void json_text(struct buf *b, const char *key, const char *text)
{
	buf_format(b, ",\"%s\":", key);
	buf_json(b, text, strlen(text));
}

static void json_row(struct buf *b, const struct lock_view *v, const struct lock_row *row)
{
	AUTO_BUF struct buf command = {0};
	char mode[24];

	read_command(row->pid, &command);
	buf_format(b, "{\"pid\":%lld,\"start\":%lld,\"ticket\":%lld,\"priority\":%lld",
		(long long)row->pid, (long long)row->start, (long long)row->ticket,
		(long long)row->priority);
	if (v->head.capacity > 1)
		buf_format(b, ",\"units\":%lld", (long long)row->units);
	else
		json_text(b, "mode", mode_of(v, row, mode));
	if (!lock_row_waits(row))
		buf_format(b, ",\"token\":%lld,\"slot\":%lld", (long long)row->token,
			(long long)row->slot);
	json_text(b, "since", row->since);
	json_text(b, "label", row->label);
	json_text(b, "command", command.text);
	buf_char(b, '}');
}

static void print_json(const struct lock_view *v)
{
	AUTO_BUF struct buf b = {0};

	buf_str(&b, "{\"lock\":");
	buf_json(&b, v->name, strlen(v->name));
	buf_format(&b, ",\"capacity\":%lld,\"unknown\":%lld,\"holders\":[",
		(long long)v->head.capacity, (long long)v->unknown);
	for (size_t i = 0; i < v->holders + v->waiters; i++) {
		if (i == v->holders)
			buf_str(&b, "],\"waiters\":[");
		else if (i)
			buf_char(&b, ',');
		json_row(&b, v, &v->row[i]);
	}
	buf_str(&b, v->waiters ? "]}\n" : "],\"waiters\":[]}\n");
	fwrite(b.text, 1, b.length, stdout);
}

static void print_stats(const struct lock_view *v)
{
	const struct lock_head *h = &v->head;

	printf("%-20s %9lld %7lld %9lld %10lld %7zu %7zu\n", v->name, (long long)h->ticket - 1,
		(long long)h->waits, (long long)(h->waits ? h->waited_ms / h->waits : 0),
		(long long)h->longest_ms, v->holders, v->waiters);
}

static void print_stats_json(const struct lock_view *v)
{
	const struct lock_head *h = &v->head;

	printf("{\"lock\":\"%s\",\"capacity\":%lld,\"requests\":%lld,\"waits\":%lld,"
	       "\"waited_ms\":%lld,\"longest_ms\":%lld,\"holders\":%zu,\"waiters\":%zu,"
	       "\"changed\":\"%.24s\"}\n",
		v->name, (long long)h->capacity, (long long)h->ticket - 1, (long long)h->waits,
		(long long)h->waited_ms, (long long)h->longest_ms, v->holders, v->waiters,
		h->changed);
}

typedef void print_lock(const struct lock_view *);

/* The locks that are named, else all. */
static int show(const struct args *args, enum lock_view_what what, print_lock *print)
{
	AUTO(lock_views_clear)
	struct lock_views all = {0};
	AUTO(state_close)
	struct state state = {.dir = -1};
	struct err e = {0};
	int r = 0;

	find_state(&state);
	for (size_t i = 0; i < args->count; i++) {
		AUTO(lock_view_clear)
		struct lock_view v = {0};

		r = lock_view_one(&v, &state, args->item[i], &e);
		if (r < 0)
			die_err(r, &e);
		print(&v);
	}
	if (!args->count)
		r = lock_views_all(&all, &state, what, &e);
	if (r < 0)
		die_err(r, &e);
	for (size_t i = 0; i < all.count; i++)
		print(&all.item[i]);
	return EXIT_SUCCESS;
}

int run_list(const struct args *args)
{
	return show(args, LOCK_VIEW_USED, choices.json ? print_json : print_view);
}

int run_stats(const struct args *args)
{
	if (!choices.json)
		printf("%-20s %9s %7s %9s %10s %7s %7s\n", "lock", "requests", "waits", "mean ms",
			"longest ms", "holders", "waiters");
	return show(args, LOCK_VIEW_ALL, choices.json ? print_stats_json : print_stats);
}

static bool is_below(int64_t pid, int64_t ancestor)
{
	for (int depth = 0; pid > 1 && depth < 64; depth++) {
		if (pid == ancestor)
			return true;
		pid = proc_parent((pid_t)pid);
	}
	return false;
}

static void explain(const struct lock_views *all, const struct lock_view *v, int depth);

/* What keeps a holder: the locks that it or something below it waits for. */
static void explain_holder(const struct lock_views *all, const struct lock_row *holder, int depth)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct lock_view *v = &all->item[i];

		for (size_t k = v->holders; k < v->holders + v->waiters; k++) {
			char age[DURATION_SIZE];

			if (!is_below(v->row[k].pid, holder->pid))
				continue;
			printf("%*spid %lld of it has waited %s for %s\n", 2 * depth, "",
				(long long)v->row[k].pid,
				format_duration(age, age_of(&v->row[k])), v->name);
			explain(all, v, depth + 1);
		}
	}
}

static void explain(const struct lock_views *all, const struct lock_view *v, int depth)
{
	if (depth > DEPTH_MAX) {
		printf("%*s...\n", 2 * depth, "");
		return;
	}
	for (size_t i = 0; i < v->holders; i++) {
		AUTO_BUF struct buf command = {0}, safe = {0};
		char age[DURATION_SIZE], mode[24];

		read_command(v->row[i].pid, &command);
		buf_escape(&safe, command.text, MIN(command.length, (size_t)COMMAND_SHOWN));
		printf("%*s%s: held (%s) for %s by pid %lld: %s\n", 2 * depth, "", v->name,
			mode_of(v, &v->row[i], mode), format_duration(age, age_of(&v->row[i])),
			(long long)v->row[i].pid, safe.length ? safe.text : v->row[i].label);
		explain_holder(all, &v->row[i], depth + 1);
	}
	if (v->unknown)
		printf("%*s%s: %lld units are held by somebody whose line was lost\n", 2 * depth,
			"", v->name, (long long)v->unknown);
}

int run_why(const struct args *args)
{
	AUTO(lock_views_clear)
	struct lock_views all = {0};
	AUTO(lock_view_clear)
	struct lock_view v = {0};
	AUTO(state_close)
	struct state state = {.dir = -1};
	struct err e = {0};
	int r;

	args_expect(args, 1, 1);
	find_state(&state);
	r = lock_view_one(&v, &state, args->item[0], &e);
	if (r >= 0)
		r = r ? lock_views_all(&all, &state, LOCK_VIEW_USED, &e) : r;
	if (r < 0)
		die_err(r, &e);
	if (!v.holders && !v.unknown) {
		printf("%s: nobody holds it\n", v.name);
		return EXIT_NO;
	}
	explain(&all, &v, 0);
	if (v.waiters)
		printf("%s: %zu wait for it, pid %lld first\n", v.name, v.waiters,
			(long long)v.row[v.holders].pid);
	return EXIT_SUCCESS;
}
