/*
 * loop-spawn: runs one agent session, or any command, under supervision: to an
 * end that has one documented reason, one exit status and evidence, and that
 * leaves nothing running.
 */
#include "attempt.h"
#include "backoff.h"
#include "budget.h"
#include "check.h"
#include "clock.h"
#include "die.h"
#include "ledger.h"
#include "limits.h"
#include "options.h"
#include "orphans.h"
#include "proc.h"
#include "resume.h"
#include "signals.h"
#include "verify.h"
#include "worktree.h"

static void open_session(struct session *s)
{
	struct err e = {0};
	int r = state_open(&s->state, &e);

	if (r == 0 && config.agent)
		r = agent_load(&s->agent, &s->state, config.agent, &e);
	else if (r == 0)
		agent_bare(&s->agent);
	if (r < 0)
		die_err(r, &e);
	options_clocks(&s->agent.clocks);
	s->work = realpath(config.dir ? config.dir : ".", NULL);
	if (!s->work)
		die_errno(EX_NOINPUT, "%s", config.dir ? config.dir : ".");
	s->config = &config;
	if (config.resume)
		resume_open(s);
	session_open(s);
	orphans_end(&s->state);
}

/* The place to work in and the money; false if one is not to be had. */
static bool prepare(struct session *s, struct verdict *v)
{
	struct err e = {0};

	if (!config.worktree || worktree_open(s, &e) == 0)
		return ledger_reserve(s, v);
	*v = (struct verdict){.reason = SPAWN_FAILED, .own = EXIT_OWN};
	if (signals_caught())
		*v = (struct verdict){.reason = KILLED, .own = signals_caught()};
	snprintf(v->message, sizeof v->message, "%.399s", e.text);
	return false;
}

static void note_attempt(struct session *s, const struct verdict *v, int64_t began)
{
	json_array_append_new(s->attempts,
		json_pack("{s:I, s:s, s:s, s:I}", "attempt", (json_int_t)s->attempt, "reason",
			reason_name(v->reason), "message", v->message, "ms",
			(json_int_t)((clock_now() - began) / NS_PER_MS)));
}

static bool may_help(const struct verdict *v)
{
	return reason_retryable(v->reason) && (v->reason != SPAWN_FAILED || v->own == EXIT_OWN);
}

/* What the next attempt goes on with: the conversation, if there is one and the agent can. */
static void remember(struct session *s, const struct verdict *v)
{
	if (!s->agent.resumes || !s->acted)
		return;
	snprintf(s->resume, sizeof s->resume, "%s", s->agent_session);
	resume_note(s, v);
}

/* Then there is nothing left for another try. */
static bool budget_spent(const struct session *s, struct verdict *v)
{
	static const struct usage nothing;

	if (!budget_exceeded(s, &nothing))
		return false;
	*v = (struct verdict){.reason = BUDGET};
	snprintf(v->message, sizeof v->message, "the budget is spent");
	return true;
}

/* Whether it is worth another try after this; waits before it. */
static bool again(struct session *s, struct verdict *v)
{
	struct backoff backoff = BACKOFF_DEFAULT;

	if (signals_caught())
		return false;
	if (v->reason == QUOTA && config.quota_wait) {
		s->tries--; /* it counts as none */
		return true;
	}
	if (s->tries > config.retry || !may_help(v))
		return false;
	if (budget_spent(s, v))
		return false;
	backoff.base = config.retry_delay;
	session_save(s, "waiting", NULL);
	return signals_sleep(backoff_delay(&backoff, (unsigned)s->tries));
}

static struct verdict limited(int64_t until)
{
	struct verdict v = {.reason = QUOTA, .resets_at = until};

	if (signals_caught())
		return (struct verdict){.reason = KILLED, .own = signals_caught()};
	snprintf(v.message, sizeof v.message, "the agent's account is limited");
	return v;
}

static struct verdict try_until_done(struct session *s)
{
	for (;;) {
		int64_t began, until = 0;
		struct verdict v;

		if (!limits_wait(s, &until))
			return limited(until);
		began = clock_now();
		s->tries++;
		v = attempt_run(s, *s->resume ? s->resume : NULL);
		note_attempt(s, &v, began);
		if (v.reason == QUOTA)
			limits_note(s, v.resets_at);
		if (!again(s, &v))
			return v;
		remember(s, &v);
		s->attempt++;
	}
}

static void say_ended(struct session *s, const struct verdict *v, int status)
{
	json_t *data = usage_json(&s->used);

	json_object_set_new(data, "reason", json_string(reason_name(v->reason)));
	json_object_set_new(data, "status", json_integer(status));
	json_object_set_new(data, "success", json_boolean(v->reason == SUCCESS));
	json_object_set_new(data, "turns", json_integer(s->used.turns));
	json_object_set_new(data, "ms", json_integer((clock_now() - s->started) / NS_PER_MS));
	json_object_set_new(data, "leaked", json_integer(s->leaked.count));
	json_object_set_new(data, "attempts", json_integer(s->tries));
	session_emit(s, "session.ended", NORMAL, data);
	if (v->reason == NEEDS_HUMAN)
		session_emit(s, "session.needs_human", HIGH, json_pack("{s:s}", "why", v->message));
}

static void print_final(const struct buf *final)
{
	fwrite(final->text, 1, final->length, stdout);
	if (final->length && final->text[final->length - 1] != '\n')
		putchar('\n');
}

static int finish_session(struct session *s, const struct verdict *v)
{
	int status = reason_status(v->reason, v->own);
	AUTO_BUF struct buf result = {0};

	if (v->reason != SUCCESS)
		worktree_save(s);
	if (v->reason == QUOTA)
		limits_hint(v->resets_at);
	ledger_settle(s);
	session_result(s, v, status, &result);
	session_save(s, "ended", NULL);
	say_ended(s, v, status);
	if (config.json)
		fwrite(result.text, 1, result.length, stdout);
	if (config.print)
		print_final(&s->final);
	if (v->reason != SUCCESS)
		warn("%s: %s%s%s", s->id, reason_name(v->reason), v->message[0] ? ": " : "",
			v->message);
	if (config.keep_background)
		proc_contain_keep();
	return status;
}

static int run(const struct args *args)
{
	static struct session session;
	struct verdict v;
	struct err e = {0};

	options_check(args);
	if (config.check)
		return check_agent(config.agent);
	if (proc_contain(&e) < 0)
		die(EX_OSERR, "%s", e.text);
	signals_catch();
	open_session(&session);
	if (prepare(&session, &v))
		v = try_until_done(&session);
	if (v.reason == SUCCESS)
		verify_run(&session, &v);
	return finish_session(&session, &v);
}

int main(int argc, char **argv)
{
	static const struct command command = {
		.name = "loop-spawn",
		.synopsis = "[OPTION]... --agent=AGENT --prompt=FILE [-- ARGUMENT...]\n"
			    "[OPTION]... -- COMMAND...\n"
			    "--check --agent=AGENT",
		.brief = "run one agent session under supervision",
		.options = options,
		.run = run,
		.takes_command = true,
	};

	return opt_main(&command, argc, argv);
}
