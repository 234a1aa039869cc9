/* What has expired, is damaged or was left behind goes, and a new bound is applied. */
#include "commands.h"

#include "clock.h"
#include "die.h"
#include "evict.h"
#include "flight.h"
#include "rebuild.h"

#include <errno.h>

const struct opt gc_options[] = {OPTION_SCOPE, OPTIONS_LIMITS, {0}};

static int collect(struct scope *s, struct err *e)
{
	int r = scope_lock(s, e);

	if (r < 0)
		return r;
	scope_change(s);
	r = rebuild(s, REBUILD_VERIFY | REBUILD_EXPIRED, e);
	if (r == 0)
		r = evict_over(s, e);
	scope_unlock(s);
	if (r == 0)
		r = flights_sweep(s);
	return r < 0 && !e->text[0] ? err_sys(e, r, "%s/cache/%s/flights", s->state->path, s->name)
				    : r;
}

/* Without a name all scopes; limits are given to one. */
int gc_main(const struct args *args)
{
	const struct changes *c = &choices.changes;
	bool one = choices.scope || c->parent || c->max_size >= 0 || c->max_entries >= 0 ||
		c->policy >= 0;
	AUTO_STRS struct strs names = {0};
	struct state state;
	int r = 0;

	args_none(args);
	open_state(&state, false);
	if (one)
		strs_add(&names, chosen_scope());
	else
		r = state_list(&state, "cache", "", &names);
	if (r < 0)
		die(die_status(r), "%s/cache: %s", state.path, strerror(-r));
	for (size_t i = 0; i < names.count; i++) {
		AUTO_SCOPE struct scope s = SCOPE_NONE;
		struct err e = {0};

		choices.scope = names.item[i];
		open_scope(&s, &state);
		r = collect(&s, &e);
		if (r < 0)
			die_err(r, &e);
	}
	state_close(&state);
	return EXIT_SUCCESS;
}
