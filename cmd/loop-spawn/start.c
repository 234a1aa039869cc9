/*
 * The agent's beginning: its logs, its command and environment, its prompt on
 * stdin, and beside it the mapper.
 */
#include "attempt.h"

#include "budget.h"
#include "die.h"
#include "env.h"
#include "io.h"
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>

enum { LINE_MAX_BYTES = 16 << 20,
	PIPE_BYTES = 1 << 20 }; /* what talks a lot waits for us less often */

static void open_log(struct attempt *a, struct log *log, const char *name)
{
	int r = log_open(log, a->session->folder, name, a->session->config->max_output);

	if (r < 0)
		die(EX_CANTCREAT, "%s/%s: %s", a->session->path, name, strerror(-r));
}

void attempt_open_logs(struct attempt *a)
{
	open_log(a, &a->out_log, "stdout.log");
	open_log(a, &a->error_log, "stderr.log");
	open_log(a, &a->events, "events.jsonl");
	a->events.json = true;
	a->out_lines.max = a->error_lines.max = LINE_MAX_BYTES;
}

/* Our words for run and, behind them, the user's. */
static void build_argv(const struct session *s, struct strs *argv)
{
	sandbox_argv(s, argv);
	if (s->agent.run)
		strs_add(argv, s->agent.run);
	for (char **word = s->config->arguments; word && *word; word++)
		strs_add(argv, *word);
}

static void build_env(struct session *s, const char *resume, struct strs *env)
{
	AUTO_BUF struct buf left = {0}, cost = {0};
	char uuid[UUID_SIZE];

	env_build(s, env);
	budget_left(s, &left);
	env_set(env, "LOOP_BUDGET_LEFT", left.text);
	env_set(env, "LOOP_RESUME", resume);
	if (resume)
		buf_format(&cost, "%.6f", s->conversation.cost);
	env_set(env, "LOOP_RESUME_COST", cost.text);
	if (s->agent.run && !resume) {
		snprintf(s->agent_session, sizeof s->agent_session, "%s", id_uuid(uuid));
		env_set(env, "LOOP_AGENT_SESSION", s->agent_session);
	}
}

static int spawn_agent(struct attempt *a, const char *resume, int in, int out, int error,
	struct err *e)
{
	struct session *s = a->session;
	struct strs argv = {0}, env = {0};
	struct spawn spec = {.in = in, .out = out, .error = error, .new_session = true};
	int r;

	build_argv(s, &argv);
	build_env(s, resume, &env);
	spec.argv = argv.item;
	spec.env = env.item;
	spec.dir = s->work;
	spec.memory = s->config->memory;
	r = proc_spawn(&a->child, &spec, e);
	strs_clear(&argv);
	strs_clear(&env);
	return r;
}

static int start_agent(struct attempt *a, const char *resume, struct err *e)
{
	const struct session *s = a->session;
	AUTO_CLOSE int in = -1, out = -1, error = -1;
	int ends[2], r;

	if (s->prompt) {
		in = io_open(s->folder, s->prompt, O_RDONLY, 0);
		if (in < 0)
			return err_sys(e, -ECANCELED, "%s/%s", s->path, s->prompt);
	}
	r = io_pipe(ends);
	if (r < 0)
		return err_sys(e, r, "pipe");
	fcntl(ends[0], F_SETPIPE_SZ, (int)PIPE_BYTES);
	a->out = ends[0];
	out = ends[1];
	r = io_pipe(ends);
	if (r < 0)
		return err_sys(e, r, "pipe");
	a->error = ends[0];
	error = ends[1];
	return spawn_agent(a, resume, in, out, error, e);
}

static int start_mapper(struct attempt *a, struct err *e)
{
	AUTO_CLOSE int errors = io_open(a->session->folder, "map.log",
		O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);

	return mapper_start(&a->mapper, a->session->agent.map, errors, e);
}

int attempt_start(struct attempt *a, const char *resume, struct err *e)
{
	int r = start_mapper(a, e);

	return r < 0 ? r : start_agent(a, resume, e);
}
