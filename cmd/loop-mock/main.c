/*
 * loop-mock: a scripted agent. It plays a session from a script, in the dialect
 * of a real agent, with real edits and real commands, and misbehaves where the
 * script says so: loops can be tested without a model.
 */
#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "opt.h"
#include "parse.h"
#include "persona.h"
#include "play.h"
#include "script.h"

#include <errno.h>

enum { PROMPT_MAX = 64 << 20 };

static const char *const dialect_names[] = {"claude", "codex", "gemini", "text", NULL};
static const struct dialect *const dialects[] = {
	&claude_dialect, &codex_dialect, &gemini_dialect, &text_dialect};

static const char *script_path, *story, *session, *model = "mock-1", *spent = "0", *budget;
static int dialect;
static int64_t attempt, max_turns;

static const struct opt options[] = {
	{.name = "script",
		.arg = "FILE",
		.help = "the script, or a folder of them; $LOOP_MOCK_SCRIPT, else \"Done.\"",
		.string = &script_path},
	{.name = "dialect",
		.arg = "NAME",
		.help = "whose stream to speak: claude, codex, gemini, text",
		.choice = &dialect,
		.choices = dialect_names},
	{.name = "story", .arg = "ID", .help = "the script of this story", .string = &story},
	{.name = "attempt",
		.arg = "N",
		.help = "play this attempt ($LOOP_ATTEMPT)",
		.number = &attempt},
	{.name = "session-id",
		.arg = "UUID",
		.help = "the session's id in the stream",
		.string = &session},
	{.name = "model",
		.arg = "NAME",
		.help = "the model's name in the stream",
		.string = &model},
	{.name = "spent",
		.arg = "USD",
		.help = "what the conversation has cost before",
		.string = &spent},
	{.name = "budget",
		.arg = "USD",
		.help = "end with budget once more than that is used",
		.string = &budget},
	{.name = "max-turns",
		.arg = "N",
		.help = "end with max_turns after N turns",
		.number = &max_turns},
	{0},
};

/* The last word of $LOOP_SUBJECT (PLAN/STORY), else $LOOP_TASK. */
static const char *story_of_environment(void)
{
	const char *subject = getenv("LOOP_SUBJECT"), *task = getenv("LOOP_TASK"), *slash;

	if (task && *task)
		return task;
	slash = subject ? strrchr(subject, '/') : NULL;
	return slash ? slash + 1 : subject ? subject
					   : "";
}

static int64_t attempt_of_environment(void)
{
	const char *text = getenv("LOOP_ATTEMPT");
	int64_t n = 1;

	if (text && parse_int(text, 1, INT64_MAX, &n) < 0)
		n = 1;
	return n;
}

static int run(const struct args *args)
{
	struct play p = {.dialect = dialects[dialect], .model = model, .max_turns = max_turns};
	AUTO_JSON json_t *steps = NULL;
	char uuid[UUID_SIZE];
	int64_t micros;
	int r;

	args_none(args);
	if (parse_dollars(spent, &micros) < 0)
		die_usage("--spent: '%s' is no sum of money", spent);
	p.used.cost = (double)micros / 1e6;
	if (budget && parse_dollars(budget, &micros) < 0)
		die_usage("--budget: '%s' is no sum of money", budget);
	p.budget = budget ? p.used.cost + (double)micros / 1e6 : -1;
	p.start = clock_now();
	p.story = story ? story : story_of_environment();
	p.attempt = attempt ? attempt : attempt_of_environment();
	snprintf(p.session, sizeof p.session, "%s", session && *session ? session : id_uuid(uuid));
	r = io_read_all(STDIN_FILENO, PROMPT_MAX, &p.prompt);
	if (r < 0)
		die(die_status(r), "the prompt: %s", strerror(-r));
	steps = script_load(&p, script_path ? script_path : getenv("LOOP_MOCK_SCRIPT"));
	if (!json_object_get(json_array_get(steps, 0), "replay"))
		p.dialect->start(&p); /* a captured stream has its own beginning */
	r = play_steps(&p, steps);
	buf_clear(&p.prompt);
	buf_clear(&p.last);
	return r;
}

int main(int argc, char **argv)
{
	static const struct command command = {
		.name = "loop-mock",
		.synopsis = "[--script FILE] [--dialect NAME] < PROMPT",
		.brief = "play a scripted agent",
		.options = options,
		.run = run,
	};

	argv = persona_argv(&argc, argv);
	return opt_main(&command, argc, argv);
}
