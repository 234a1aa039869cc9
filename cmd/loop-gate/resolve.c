/* The side that answers. */
#include "loop-gate.h"

#include "die.h"
#include "mem.h"
#include "parse.h"

#include <pwd.h>

static const char *by, *why;

const struct opt resolve_options[] = {
	{.name = "why", .arg = "TEXT", .help = "kept with the answer", .string = &why},
	{.name = "by", .arg = "NAME", .help = "who answers (the user)", .string = &by},
	{0},
};

/* A session that answers is named besides: nobody takes an agent for its user. */
static char *who(void)
{
	const struct passwd *user = getpwuid(geteuid());
	const char *session = getenv("LOOP_SESSION");
	const char *name = by ? by : user ? user->pw_name
					  : "somebody";

	if (session && *session)
		return mem_format("%s (%s)", name, session);
	return mem_string(name);
}

static int lost(const struct gate *g)
{
	char when[TIME_SIZE];

	warn("%s: already %s by %s at %s", g->id, gate_state_name(g->state),
		g->by ? g->by : "somebody", format_time(when, g->resolved));
	return EXIT_NO;
}

static int resolve(const struct state *s, const char *id, enum gate_state state, const char *text)
{
	AUTO_FREE char *name = who();
	AUTO_GATE struct gate g = {0};
	struct err e = {0};
	int r = gate_resolve(s, id,
		&(struct gate_answer){.state = state, .text = text, .by = name, .why = why}, &g,
		&e);

	if (r < 0)
		die_err(r, &e);
	return r ? EXIT_SUCCESS : lost(&g);
}

static int resolve_all(const struct args *args, enum gate_state state)
{
	int status = EXIT_SUCCESS;
	struct state s;

	args_expect(args, 1, 0);
	open_state(&s, false);
	for (size_t i = 0; i < args->count; i++)
		status |= resolve(&s, args->item[i], state, NULL);
	state_close(&s);
	return status;
}

int approve_run(const struct args *args)
{
	return resolve_all(args, GATE_APPROVED);
}

int reject_run(const struct args *args)
{
	return resolve_all(args, GATE_REJECTED);
}

int answer_run(const struct args *args)
{
	struct state s;
	int status;

	args_expect(args, 2, 2);
	open_state(&s, false);
	status = resolve(&s, args->item[0], GATE_ANSWERED, args->item[1]);
	state_close(&s);
	return status;
}
