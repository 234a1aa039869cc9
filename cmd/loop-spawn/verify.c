#include "verify.h"

#include "clock.h"
#include "die.h"
#include "env.h"
#include "log.h"
#include "parse.h"
#include "run.h"
#include "sandbox.h"
#include "signals.h"

enum { TAIL = 16 << 10 };

static json_t *evidence(const char *command, int status, int64_t ms, const struct buf *out)
{
	AUTO_BUF struct buf text = {0};
	AUTO_BUF struct buf quoted = {0};

	/* Through our own writer: what a command prints need not be UTF-8. */
	buf_json(&quoted, out->text, out->length);
	buf_format(&text, "{\"command\":");
	buf_json(&text, command, strlen(command));
	buf_format(&text, ",\"status\":%d,\"ms\":%lld,\"tail\":%s}", status, (long long)ms,
		quoted.text);
	return json_loadb(text.text, text.length, JSON_ALLOW_NUL, NULL);
}

/* e: why it could not be run at all, if so. */
static struct verdict failed(
	const struct run *r, const char *command, int status, const struct err *e)
{
	struct verdict v = {.reason = VERIFY_FAILED, .own = status};
	char time[DURATION_SIZE];

	if (signals_caught())
		return (struct verdict){.reason = KILLED, .own = signals_caught()};
	if (r->timed_out)
		snprintf(v.message, sizeof v.message, "'%.200s' did not end within %s", command,
			format_duration(time, r->timeout));
	else if (e->text[0])
		snprintf(v.message, sizeof v.message, "'%.180s': %.200s", command, e->text);
	else
		snprintf(v.message, sizeof v.message, "'%.200s' ended with status %d", command,
			status);
	return v;
}

/* Whether it succeeded; if not, that is the verdict. */
static bool verify_one(struct session *s, struct log *log, const char *command, char *const *env,
	struct verdict *v)
{
	struct strs argv = {0};
	struct run r = {.env = env,
		.dir = s->work,
		.timeout = s->config->verify_timeout,
		.keep = TAIL,
		.log = log};
	int64_t began = clock_now(), ms;
	struct err e = {0};
	int status;

	sandbox_argv(s, &argv);
	strs_add(&argv, "sh");
	strs_add(&argv, "-c");
	strs_add(&argv, command);
	r.argv = argv.item;
	status = run_command(&r, &e);
	strs_clear(&argv);

	if (e.text[0])
		buf_str(&r.out, e.text);
	ms = (clock_now() - began) / NS_PER_MS;
	json_array_append_new(s->verified, evidence(command, status, ms, &r.out));
	buf_clear(&r.out);
	session_emit(s, "test.run", NORMAL,
		json_pack("{s:s, s:b, s:i, s:I}", "command", command, "success", status == 0,
			"status", status, "ms", (json_int_t)ms));
	if (status)
		*v = failed(&r, command, status, &e);
	return status == 0;
}

void verify_run(struct session *s, struct verdict *v)
{
	const struct strs *commands = &s->config->verify;
	struct strs env = {0};
	struct log log;

	if (!commands->count)
		return;
	session_save(s, "verifying", NULL);
	if (log_open(&log, s->folder, "verify.log", s->config->max_output) < 0)
		log.fd = -1;
	env_build(s, &env);
	for (size_t i = 0; i < commands->count; i++)
		if (!verify_one(s, &log, commands->item[i], env.item, v))
			break;
	strs_clear(&env);
	log_close(&log);
}
