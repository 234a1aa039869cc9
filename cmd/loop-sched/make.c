/* What an attempt is started with: its command, its environment, its files. */
#include "run.h"

#include "cached.h"
#include "die.h"
#include "io.h"
#include "remote.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

void attempt_clear(struct attempt *a)
{
	strs_clear(&a->argv);
	strs_clear(&a->env);
	free(a->dir);
}

static void add_text(struct strs *list, struct span string)
{
	AUTO_BUF struct buf text = {0};

	jscan_text(string, &text);
	strs_take(list, buf_take(&text));
}

static void add_all(struct strs *list, struct span array)
{
	struct span key, value;
	struct jscan walk;

	jscan_open(&walk, array);
	while (jscan_next(&walk, &key, &value) > 0)
		add_text(list, value);
}

/* "RUN && VERIFY && VERIFY", each in a subshell of its own, so that an exit ends only itself. */
static void add_script(struct strs *argv, const char *run, struct span verify)
{
	struct span key, value;
	AUTO_BUF struct buf script = {0}, command = {0};
	struct jscan walk;

	buf_format(&script, "(\n%s\n)", run);
	jscan_open(&walk, verify);
	while (jscan_next(&walk, &key, &value) > 0) {
		buf_drop(&command, command.length);
		jscan_text(value, &command);
		buf_format(&script, " && (\n%s\n)", command.text);
	}
	strs_take(argv, buf_take(&script));
}

/* A command of the plan: a string is the shell's, an array is an argv; verify comes behind it. */
static void make_command(struct strs *argv, struct span command, struct span verify)
{
	bool shell = jscan_kind(command) == '"';
	AUTO_BUF struct buf text = {0};

	if (!shell && verify.n <= 2) {
		add_all(argv, command);
		return;
	}
	strs_add(argv, "sh");
	strs_add(argv, "-c");
	if (!shell) {
		add_script(argv, "\"$@\"", verify);
		strs_add(argv, "sh");
		add_all(argv, command);
		return;
	}
	if (verify.n <= 2) {
		add_text(argv, command);
		return;
	}
	jscan_text(command, &text);
	add_script(argv, text.text, verify);
}

/* The prompt as a file: "@FILE" names one, anything else is written into the attempt's folder. */
static int make_prompt(struct run *r, struct strs *argv, struct span prompt, const char *folder)
{
	AUTO_BUF struct buf text = {0};
	char path[340];
	int code;

	jscan_text(prompt, &text);
	if (text.length > 1 && text.text[0] == '@') {
		strs_add(argv, text.text + 1);
		return 0;
	}
	snprintf(path, sizeof path, "%s/prompt.md", folder);
	code = io_replace(r->folder, path, text.text, text.length, 0600);
	strs_format(argv, "%s/%s", r->path, path);
	return code;
}

static void make_agent(struct run *r, const struct task *t, struct strs *argv,
	const char *folder)
{
	struct span prompt = task_get(&r->plan, t, M_PROMPT);
	struct span verify = task_get(&r->plan, t, M_VERIFY), key, value;
	struct jscan walk;

	strs_add(argv, "loop-spawn");
	strs_add(argv, "--agent");
	add_text(argv, task_get(&r->plan, t, M_AGENT));
	if (prompt.n) {
		strs_add(argv, "--prompt");
		if (make_prompt(r, argv, prompt, folder) < 0)
			warn_errno("%s/%s/prompt.md", r->path, folder);
	}
	if (!verify.n || jscan_open(&walk, verify) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		strs_add(argv, "--verify");
		add_text(argv, value);
	}
}

static void make_argv(struct run *r, uint32_t task, enum purpose purpose, struct strs *argv,
	const char *folder)
{
	const struct plan *p = &r->plan;
	const struct task *t = &p->task[task];

	if (purpose != TO_RUN) {
		make_command(argv, task_get(p, t, purpose == TO_UNDO ? M_UNDO : M_WHEN),
			(struct span){0});
	} else if (task_has(p, t, M_RUN)) {
		make_command(argv, task_get(p, t, M_RUN), task_get(p, t, M_VERIFY));
	} else if (task_has(p, t, M_AGENT)) {
		make_agent(r, t, argv, folder);
	} else if (r->options.command) {
		strs_add(argv, "sh");
		strs_add(argv, "-c");
		strs_add(argv, r->options.command);
	}
	if (r->options.queue && argv->count)
		remote_wrap(r, task, purpose, folder, argv);
	/* Outermost: what is known needs no worker. */
	if (purpose == TO_RUN && task_has(p, t, M_RUN) && task_has(p, t, M_CACHE))
		cache_wrap(r, t, folder, argv);
}

static void gather_output(struct run *r, uint32_t task, struct buf *out)
{
	const struct node *n = &r->node[task];
	const char *id = r->plan.task[task].id, *what;
	AUTO_BUF struct buf output = {0};
	char path[300];
	size_t at;

	if (n->state != SUCCEEDED)
		return;
	snprintf(path, sizeof path, "%s/%u/output.json", id, n->done_by);
	if (io_read_file(r->tasks, path, 1 << 24, &output) < 0)
		return;
	if (jscan_check(output.text, output.length, &at, &what) < 0) {
		warn("%s/tasks/%s: byte %zu: %s", r->path, path, at, what);
		return;
	}
	buf_format(out, "%s\"%s\":", out->length > 1 ? "," : "", id);
	buf_add(out, output.text, output.length);
}

/* {"NEED":output, …} of all needs that left one. */
static void gather_inputs(struct run *r, uint32_t task, struct buf *out)
{
	const struct dag *d = &r->plan.dag;

	buf_char(out, '{');
	for (uint32_t i = d->first_in[task]; i < d->first_in[task + 1]; i++) {
		const struct task *need = &r->plan.task[d->in[i]];

		gather_output(r, d->in[i], out);
		for (uint32_t k = 0; need->fans && need->group && k < need->group->count; k++)
			gather_output(r, need->group->first + k, out);
	}
	buf_str(out, "}\n");
}

/* Writes what a task is told about its needs; where nothing is, the run's own empty file. */
static void make_inputs(struct run *r, uint32_t task, const char *folder, struct strs *env)
{
	AUTO_BUF struct buf inputs = {0};
	char path[340];
	int fd;

	if (task_joined(&r->plan.task[task])) /* what it needs, its maker needed */
		task = r->plan.task[task].group->owner;
	if (dag_in_degree(&r->plan.dag, task))
		gather_inputs(r, task, &inputs);
	if (inputs.length <= 3) {
		strs_format(env, "LOOP_INPUTS=%s/inputs.json", r->path);
		return;
	}
	snprintf(path, sizeof path, "%s/inputs.json", folder);
	fd = io_open(r->folder, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || io_write(fd, inputs.text, inputs.length) < 0)
		warn_errno("%s/%s", r->path, path);
	if (fd >= 0)
		close(fd);
	strs_format(env, "LOOP_INPUTS=%s/%s", r->path, path);
}

/* A string as its text, anything else as JSON. */
static void make_item(struct strs *env, const struct task *t)
{
	struct span value = t->group->item[t->index - 1];
	AUTO_BUF struct buf item = {0};

	buf_str(&item, "LOOP_ITEM=");
	if (jscan_text(value, &item) < 0)
		buf_add(&item, value.p, value.n);
	strs_add(env, item.text);
	strs_format(env, "LOOP_INDEX=%u", t->index);
}

static void make_env(struct run *r, uint32_t task, struct attempt *a)
{
	const struct task *t = &r->plan.task[task];
	struct span key, value;
	struct jscan walk;

	strs_format(&a->env, "LOOP_DIR=%s", r->state.path);
	strs_format(&a->env, "LOOP_RUN=%s", r->id);
	strs_format(&a->env, "LOOP_TASK=%s", t->id);
	strs_format(&a->env, "LOOP_ATTEMPT=%u", r->node[task].attempt);
	strs_format(&a->env, "LOOP_SUBJECT=%s/%s", r->subject, t->id);
	strs_format(&a->env, "LOOP_TASK_FILE=%s/%s", r->path, a->task_file);
	strs_format(&a->env, "LOOP_OUTPUT=%s/%s/output.json", r->path, a->folder);
	strs_format(&a->env, "LOOP_PROGRESS=%s/%s/progress", r->path, a->folder);
	strs_format(&a->env, "LOOP_RETRY_AFTER=%s/%s/retry-after", r->path, a->folder);
	strs_add(&a->env, a->marker);
	if (t->index)
		make_item(&a->env, t);
	if (r->options.queue) /* it goes along with the job */
		strs_format(&a->env, "LOOP_PROMPT=%s/%s/prompt.md", r->path, a->folder);
	if (r->options.jobserver)
		strs_format(&a->env, "MAKEFLAGS= -j%lld --jobserver-auth=%d,%d",
			(long long)r->options.jobs, r->tokens.ends[0], r->tokens.ends[1]);
	make_inputs(r, task, a->folder, &a->env);
	if (!task_has(&r->plan, t, M_ENV) || jscan_open(&walk, task_get(&r->plan, t, M_ENV)) < 0)
		return;
	while (jscan_next(&walk, &key, &value) > 0) {
		AUTO_BUF struct buf entry = {0};

		jscan_text(key, &entry);
		buf_char(&entry, '=');
		if (jscan_text(value, &entry) < 0)
			buf_add(&entry, value.p, value.n);
		strs_take(&a->env, buf_take(&entry));
	}
}

static void add_word(struct buf *b, const char *word)
{
	buf_shell(b, word);
	buf_char(b, ' ');
}

/* The whole command as one line for another host's shell, with what it is told in front. */
static void add_line(struct buf *b, const struct attempt *a)
{
	AUTO_BUF struct buf line = {0};

	buf_str(&line, "env ");
	for (size_t i = 0; i < a->env.count; i++)
		add_word(&line, a->env.item[i]);
	for (size_t i = 0; i < a->argv.count; i++)
		add_word(&line, a->argv.item[i]);
	add_word(b, line.text);
}

/* Through the launcher: in the place of its {}, or else behind its own words. */
static void launch_through(const char *launcher, struct attempt *a)
{
	AUTO_BUF struct buf script = {0};
	struct strs argv = {0};
	const char *hole = strstr(launcher, "{}");

	buf_str(&script, "exec ");
	buf_add(&script, launcher, hole ? (size_t)(hole - launcher) : strlen(launcher));
	if (hole)
		add_line(&script, a);
	buf_str(&script, hole ? hole + 2 : " \"$@\"");
	strs_add(&argv, "sh");
	strs_add(&argv, "-c");
	strs_add(&argv, script.text);
	strs_add(&argv, "sh");
	for (size_t i = 0; !hole && i < a->argv.count; i++)
		strs_add(&argv, a->argv.item[i]);
	strs_clear(&a->argv);
	a->argv = argv;
}

static void name_files(
	const struct run *r, uint32_t task, const struct slot *s, struct attempt *a)
{
	const char *id = r->plan.task[task].id;
	unsigned attempt = r->node[task].attempt;

	snprintf(a->marker, sizeof a->marker, "LOOP_TRACE=%s/%s/%u", r->id, id, attempt);
	if (s) {
		snprintf(a->folder, sizeof a->folder, "slots/%u", s->number);
		snprintf(a->task_file, sizeof a->task_file, "slots/%u/task.json", s->number);
	} else {
		snprintf(a->folder, sizeof a->folder, "tasks/%s/%u", id, attempt);
		snprintf(a->task_file, sizeof a->task_file, "tasks/%s/task.json", id);
	}
}

void attempt_make(struct run *r, uint32_t task, enum purpose purpose, const struct slot *s,
	struct attempt *a)
{
	const struct task *t = &r->plan.task[task];

	*a = (struct attempt){0};
	name_files(r, task, s, a);
	make_argv(r, task, purpose, &a->argv, a->folder);
	make_env(r, task, a);
	if (purpose == TO_UNDO)
		strs_format(&a->env, "LOOP_UNDO=%s/tasks/%s/%u", r->path, t->id,
			r->node[task].done_by);
	if (r->options.launcher && a->argv.count)
		launch_through(r->options.launcher, a);
	if (task_has(&r->plan, t, M_DIR) && !r->options.queue) {
		AUTO_BUF struct buf dir = {0};

		jscan_text(task_get(&r->plan, t, M_DIR), &dir);
		a->dir = buf_take(&dir);
	}
}
