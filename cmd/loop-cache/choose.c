/* What the options that several commands have stand for. */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "rebuild.h"

#include <errno.h>
#include <fnmatch.h>

void open_state(struct state *state, bool make)
{
	struct err e = {0};
	int r = make ? state_open(state, &e) : state_find(state, &e);

	if (r < 0)
		die_err(r, &e);
}

const char *chosen_scope(void)
{
	const char *named = choices.scope ? choices.scope : getenv("LOOP_CACHE_SCOPE");

	return named && *named ? named : "default";
}

static void NORETURN refuse(int code, const struct err *e)
{
	if (code == -EINVAL || code == -ELOOP)
		die_usage("%s", e->text);
	die_err(code, e);
}

void open_scope(struct scope *s, const struct state *state)
{
	struct err e = {0};
	int r = scope_open(s, state, chosen_scope(), &e);

	if (r == 0)
		r = scope_configure(s, &choices.changes, &e);
	if (r < 0)
		refuse(r, &e);
}

bool find_scope(struct scope *s, struct state *state)
{
	struct err e = {0};
	int r = state_find(state, &e);

	if (r == 0)
		r = scope_find(s, state, chosen_scope(), &e);
	if (r < 0 && r != -ENOENT)
		refuse(r, &e);
	return r == 0;
}

int64_t chosen_expiry(int64_t created)
{
	if (choices.ttl < 0 || choices.ttl > INT64_MAX - created)
		return 0;
	return created + choices.ttl;
}

struct walk {
	const struct scope *scope;
	const struct args *patterns;
	int (*visit)(const struct scope *, struct entry *, void *);
	void *context;
};

static bool matches(const struct args *patterns, const char *key)
{
	for (size_t i = 0; i < patterns->count; i++)
		if (fnmatch(patterns->item[i], key, 0) == 0)
			return true;
	return patterns->count == 0;
}

/* Damaged ones are for those who look for them by their keys, and for gc. */
static int visit_file(const struct digest *key, void *context)
{
	AUTO_ENTRY struct entry e = {0};
	const struct walk *w = context;
	int r = entry_read(w->scope, key, &e);

	if (r == -ENOENT || r == -EINVAL || r == -ETIME)
		return 0;
	if (r == 0 && matches(w->patterns, e.key))
		r = w->visit(w->scope, &e, w->context);
	return r;
}

int each_entry(const struct scope *s, const struct args *patterns,
	int (*visit)(const struct scope *, struct entry *, void *), void *context, struct err *e)
{
	struct walk w = {s, patterns, visit, context};
	int r = each_file(s, "entries", visit_file, &w);

	return r < 0 ? err_sys(e, r, "%s/cache/%s", s->state->path, s->name) : 0;
}
