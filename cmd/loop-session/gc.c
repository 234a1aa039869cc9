/*
 * The command gc: removes only what is proven to be needed by nobody. Whatever
 * is in doubt stays, with the reason.
 */
#include "gc.h"

#include "clock.h"
#include "commands.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "out.h"
#include "parse.h"
#include "runs.h"
#include "tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#define HALF_REMOVED ".gc-"

static int64_t older_than = -1;
static bool dry_run, as_json, verbose;

const struct opt gc_options[] = {
	{"older-than", 0, "D", "remove sessions that ended longer ago", .duration = &older_than},
	{"dry-run", 'n', NULL, "only say what would be removed, what not, and why",
		.flag = &dry_run},
	{"verbose", 'v', NULL, "say too what stays, and why", .flag = &verbose},
	{"json", 0, NULL, "JSON lines", .flag = &as_json},
	{0},
};

static struct verdict PRINTF_LIKE(2, 0) make(bool remove, const char *format, va_list args)
{
	struct verdict v = {.remove = remove};

	vsnprintf(v.why, sizeof v.why, format, args);
	return v;
}

struct verdict gc_keep(const char *format, ...)
{
	struct verdict v;
	va_list args;

	va_start(args, format);
	v = make(false, format, args);
	va_end(args);
	return v;
}

struct verdict gc_remove(const char *format, ...)
{
	struct verdict v;
	va_list args;

	va_start(args, format);
	v = make(true, format, args);
	va_end(args);
	return v;
}

static void print_line(const struct gc *gc, const char *what, const char *name,
	const struct verdict *v, int64_t size)
{
	const char *verb = !v->remove ? "kept" : gc->dry ? "would remove"
							 : "removed";
	char bytes[BYTES_SIZE], safe[400];

	escape_text(safe, sizeof safe, v->why);
	if (gc->json)
		out_json(json_pack("{s:s, s:s, s:b, s:b, s:s, s:I}", "what", what, "name", name,
			"remove", v->remove, "done", v->remove && !gc->dry, "why", safe, "bytes",
			(json_int_t)size));
	else
		printf("%s %s %s (%s): %s\n", verb, what, name, format_bytes(bytes, size), safe);
}

void gc_say(struct gc *gc, const char *what, const char *name, const struct verdict *v,
	int64_t size)
{
	if (v->remove) {
		gc->removed++;
		gc->bytes += size;
	}
	if (v->remove || gc->dry || gc->verbose)
		print_line(gc, what, name, v, size);
}

bool gc_run_alive(const struct gc *gc, const struct record *r)
{
	struct run run;
	int code;

	if (!*r->run)
		return false;
	code = run_read(&run, &gc->state, r->run);
	return code == 0 ? run.alive : code != -ENOENT && code != -EINVAL;
}

static struct verdict judge(const struct gc *gc, const struct record *r)
{
	char age[DURATION_SIZE];

	if (r->state != RECORD_ENDED)
		return gc_keep("it is %s", record_state_name(r->state));
	if (!gc->before)
		return gc_keep("--older-than says which");
	if (!r->ended || r->ended > gc->before)
		return gc_keep("it is not old enough");
	if (*r->worktree && access(r->worktree, F_OK) == 0)
		return gc_keep("its worktree is there");
	if (gc_run_alive(gc, r))
		return gc_keep("its run %s goes on", r->run);
	return gc_remove("it ended %s ago", format_duration(age, clock_real() - r->ended));
}

/* First out of sight, so that a kill leaves no half session; the next gc removes the rest. */
static void remove_session(struct gc *gc, const char *id, struct verdict *v)
{
	AUTO_FREE char *from = mem_format("%s/sessions/%s", gc->state.path, id);
	AUTO_FREE char *to = mem_format("%s/sessions/" HALF_REMOVED "%s", gc->state.path, id);
	int r = rename(from, to) < 0 ? -errno : tree_remove(to);

	if (r == 0)
		return;
	warn("%s: %s", from, strerror(-r));
	gc->failed++;
	*v = gc_keep("%s", strerror(-r));
}

static void remove_halves(struct gc *gc)
{
	int fd = state_file(&gc->state, "sessions", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!dir && fd >= 0)
		close(fd);
	while (dir && (d = readdir(dir))) {
		AUTO_FREE char *path = mem_format("%s/sessions/%s", gc->state.path, d->d_name);

		if (strncmp(d->d_name, HALF_REMOVED, strlen(HALF_REMOVED)) == 0)
			gc->failed += tree_remove(path) < 0;
	}
	if (dir)
		closedir(dir);
}

/* sessions/: those that ended long enough ago. */
static void gc_sessions(struct gc *gc)
{
	for (size_t i = 0; i < gc->all.count; i++) {
		const struct record *r = &gc->all.item[i];
		AUTO_FREE char *path = mem_format("%s/sessions/%s", gc->state.path, r->id);
		struct verdict v = judge(gc, r);
		int64_t size = v.remove || gc->dry ? tree_size(path) : 0;

		if (v.remove && !gc->dry)
			remove_session(gc, r->id, &v);
		gc_say(gc, "session", r->id, &v, size);
	}
	if (!gc->dry)
		remove_halves(gc);
}

int gc_run(const struct args *args)
{
	struct gc gc = {.dry = dry_run, .json = as_json, .verbose = verbose};
	char bytes[BYTES_SIZE];

	args_none(args);
	open_state(&gc.state);
	if (older_than >= 0)
		gc.before = clock_real() - older_than;
	records_read(&gc.all, &gc.state, &(struct filter){0});
	gc_worktrees(&gc);
	gc_sessions(&gc);
	if (gc.removed > 1 && !as_json)
		printf("%s %lld, %s\n", dry_run ? "would remove" : "removed",
			(long long)gc.removed, format_bytes(bytes, gc.bytes));
	records_clear(&gc.all);
	state_close(&gc.state);
	return gc.failed ? EX_IOERR : 0;
}
