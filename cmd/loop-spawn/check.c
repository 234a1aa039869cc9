#include "check.h"

#include "agent.h"
#include "die.h"
#include "mem.h"
#include "run.h"

#define CHECK_TIME (30 * NS_PER_S)

/* A shell command that says what it finds; false if it fails or hangs. */
static bool passes(const char *script, struct buf *out)
{
	char *argv[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)script, NULL};
	struct run r = {.argv = argv, .timeout = CHECK_TIME, .keep = 4096};
	struct err e = {0};
	int status = run_command(&r, &e);

	buf_str(out, e.text[0] ? e.text : r.out.text);
	out->text[strcspn(out->text, "\n")] = '\0';
	buf_clear(&r.out);
	return status == 0;
}

static bool has_jq(const struct agent *a)
{
	AUTO_BUF struct buf out = {0};

	return !a->map || passes("command -v jq", &out);
}

/* agent.json's "check" is a list of {"run": shell, "else": what to do about it}. */
static int run_checks(const struct agent *a, struct buf *found)
{
	const json_t *checks = json_object_get(a->about, "check"), *check;
	int bad = 0;
	size_t i;

	json_array_foreach (checks, i, check) {
		const char *script = json_string_value(json_object_get(check, "run"));
		const char *otherwise = json_string_value(json_object_get(check, "else"));
		AUTO_BUF struct buf out = {0};

		if (!script || passes(script, &out)) {
			if (out.text && *out.text)
				buf_format(found, ", %s", out.text);
			continue;
		}
		printf("%s: %s\n", a->name, otherwise ? otherwise : out.text);
		bad++;
	}
	return bad;
}

int check_agent(const char *name)
{
	AUTO_BUF struct buf found = {0};
	struct state state = {.dir = -1};
	struct agent a;
	struct err e = {0};
	int r, bad;

	if (state_find(&state, &e) < 0)
		e.text[0] = '\0';
	r = agent_load(&a, &state, name, &e);
	if (r < 0)
		die_err(r, &e);
	bad = run_checks(&a, &found);
	if (!has_jq(&a)) {
		printf("%s: jq is not installed; its lines cannot be understood without\n", name);
		bad++;
	}
	if (!bad)
		printf("%s: ready (%s%s)\n", name, a.run, found.text ? found.text : "");
	agent_clear(&a);
	state_close(&state);
	return bad ? EXIT_NO : EXIT_SUCCESS;
}
