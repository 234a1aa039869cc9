#include "judge.h"

#include "die.h"
#include "parse.h"

#include <signal.h>
#include <stdarg.h>
#include <sys/wait.h>

static struct verdict PRINTF_LIKE(3, 4) make(enum reason reason, int own, const char *format, ...)
{
	struct verdict v = {.reason = reason, .own = own};
	char text[sizeof v.message];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	escape_text(v.message, sizeof v.message, text);
	return v;
}

static struct verdict by_us(const struct session *s, const struct ended *e)
{
	char time[DURATION_SIZE];

	switch (e->cause) {
	case ENDED_STALLED:
		return make(STALLED, 0, "silent for %s (%s)", format_duration(time, e->silent),
			step_name(e->step));
	case ENDED_TIMEOUT:
		return make(TIMED_OUT, 0, "not done after %s",
			format_duration(time, s->agent.clocks.attempt));
	case ENDED_BUDGET:
		return make(BUDGET, 0, "the budget of %s is spent",
			s->config->budget ? s->config->budget : s->config->total_budget);
	case ENDED_TURNS:
		return make(MAX_TURNS, 0, "more than %lld turns",
			(long long)s->config->max_turns);
	case ENDED_BY_SIGNAL:
	case ENDED_LINGERING:
	case STILL_NONE: break;
	}
	return make(KILLED, e->signal, "ended by %s", strsignal(e->signal));
}

static int exit_status(int wait_status)
{
	return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 0;
}

/* A result that says no is believed; one that says yes must be the last word, the exit agreeing. */
static bool by_result(const struct tally *t, const struct ended *e, struct verdict *v)
{
	if (!t->result)
		return false;
	if (t->ok && (t->unanswered || (e->wait_status != 0 && e->cause != ENDED_LINGERING)))
		return false;
	*v = make(t->reason, exit_status(e->wait_status), "%s", t->ok ? "" : t->message);
	v->resets_at = t->ok ? 0 : t->resets_at;
	return true;
}

static const char *words(const struct tally *t, const struct ended *e, const char *otherwise)
{
	return t->message[0] ? t->message : e->last_words[0] ? e->last_words
							     : otherwise;
}

/* A shell's complaint without the place in the script: "run: 14: exec: claude: not found". */
static const char *what_failed(const char *words)
{
	const char *exec = strstr(words, ": exec: ");

	return exec ? exec + strlen(": exec: ") : words;
}

static struct verdict by_status(
	const struct session *s, const struct tally *t, const struct ended *e)
{
	int status = exit_status(e->wait_status);

	if (WIFSIGNALED(e->wait_status))
		return make(CRASHED, WTERMSIG(e->wait_status), "died by signal %d (%s)",
			WTERMSIG(e->wait_status), strsignal(WTERMSIG(e->wait_status)));
	if ((status == EXIT_CANNOT_RUN || status == EXIT_NOT_FOUND) && !e->heard)
		return make(SPAWN_FAILED, status, "%s",
			what_failed(words(t, e, "the agent cannot be run")));
	if (status)
		return make(FAILED, status, "exit status %d%s%s", status,
			*words(t, e, "") ? ": " : "", words(t, e, ""));
	if (s->agent.map)
		return make(MALFORMED, 0, "it ended without a result%s%s",
			*words(t, e, "") ? ": " : "", words(t, e, ""));
	return make(SUCCESS, 0, "%s", "");
}

/* Whether the final message has this on a line of its own. */
static bool says(const struct buf *final, const char *tag)
{
	size_t n = strlen(tag);

	for (const char *p = final->text, *end; p && *p; p = *end ? end + 1 : end) {
		size_t blank = strspn(p, " \t");

		end = p + strcspn(p, "\n");
		if ((size_t)(end - p) >= blank + n && strncmp(p + blank, tag, n) == 0 &&
			strspn(p + blank + n, " \t\r") == (size_t)(end - p) - blank - n)
			return true;
	}
	return false;
}

static struct verdict by_tags(const struct session *s, struct verdict v)
{
	const struct config *c = s->config;

	if (c->blocked_tag && says(&s->final, c->blocked_tag))
		return make(NEEDS_HUMAN, 0, "the agent says %s", c->blocked_tag);
	if (c->done_tag && v.reason == SUCCESS && !says(&s->final, c->done_tag))
		return make(FAILED, 0, "the agent did not say %s", c->done_tag);
	return v;
}

struct verdict judge(const struct session *s, const struct tally *t, const struct ended *e)
{
	struct verdict v;

	if (e->cause != STILL_NONE && e->cause != ENDED_LINGERING)
		return by_us(s, e);
	if (!e->heard && s->config->sandbox && strncmp(e->last_words, "bwrap: ", 7) == 0)
		return make(SPAWN_FAILED, EXIT_OWN, "%s", e->last_words);
	if (!by_result(t, e, &v))
		v = by_status(s, t, e);
	return v.reason == SUCCESS || v.reason == FAILED ? by_tags(s, v) : v;
}
