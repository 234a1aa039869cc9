/* An attempt's folder and logs are made, and its process is started. */
#include "run.h"

#include "io.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* The task's whole object in a file of its own. */
static int write_task(struct run *r, const struct task *t)
{
	char path[300];
	int fd, code;

	snprintf(path, sizeof path, "%s/task.json", t->id);
	fd = io_open(r->tasks, path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		return fd;
	code = io_write(fd, t->text.p, t->text.n);
	return close(fd) < 0 && code == 0 ? -errno : code;
}

/* Whether its file is whole: whoever made it may have been killed, or met a full disk. */
static bool has_task(const struct run *r, const struct task *t)
{
	char path[300];
	struct stat st;

	snprintf(path, sizeof path, "%s/task.json", t->id);
	return fstatat(r->tasks, path, &st, 0) == 0 && (size_t)st.st_size == t->text.n;
}

/* The task's folder, made with its first attempt, and the attempt's own in it. */
static int make_folder(struct run *r, const struct task *t, unsigned attempt, struct err *e)
{
	char path[300];
	int code = mkdirat(r->tasks, t->id, 0700) < 0 ? -errno : 0;

	if (code == 0 || (code == -EEXIST && !has_task(r, t)))
		code = write_task(r, t);
	else if (code == -EEXIST)
		code = 0;
	snprintf(path, sizeof path, "%s/%u", t->id, attempt);
	if (code == 0 && mkdirat(r->tasks, path, 0700) < 0 && errno != EEXIST)
		code = -errno;
	if (code == 0)
		return 0;
	err_sys(e, code, "%s/tasks/%s", r->path, t->id);
	return -ECANCELED; /* nothing that exec said */
}

static int open_output(struct run *r, const struct task *t, unsigned attempt, const char *what)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%u.%s", t->id, attempt, what);
	return io_open(r->tasks, path, O_WRONLY | O_CREAT | O_APPEND, 0600);
}

/* Our own environment and the attempt's, as one array. */
static char **join_env(const struct run *r, const struct strs *own)
{
	char **env = mem_zero(r->env_count + own->count + 1, sizeof *env);

	if (r->env_count)
		memcpy(env, r->env, r->env_count * sizeof *env);
	if (own->count)
		memcpy(env + r->env_count, own->item, own->count * sizeof *env);
	return env;
}

static int spawn_attempt(struct run *r, const struct task *t, unsigned attempt,
	const struct attempt *a, struct child *child, struct err *e)
{
	AUTO_CLOSE int out = -1, error = -1;
	AUTO_FREE char **env = join_env(r, &a->env);
	int code = out = open_output(r, t, attempt, "out");

	if (code >= 0)
		code = error = open_output(r, t, attempt, "err");
	if (code < 0) {
		err_sys(e, code, "%s/tasks/%s", r->path, t->id);
		return -ECANCELED; /* nothing that exec said */
	}
	return proc_spawn(child,
		&(struct spawn){
			.keep = r->tokens.ends,
			.keep_count = r->tokens.taker < 0 ? 0 : countof(r->tokens.ends),
			.argv = a->argv.item,
			.env = env,
			.dir = a->dir,
			.in = -1,
			.out = out,
			.error = error,
			.new_session = true},
		e);
}

int attempt_launch(
	struct run *r, uint32_t task, enum purpose purpose, struct child *child, struct err *e)
{
	const struct task *t = &r->plan.task[task];
	unsigned number = r->node[task].attempt;
	struct attempt a;
	int code = make_folder(r, t, number, e);

	if (code < 0)
		return code;
	attempt_make(r, task, purpose, &a);
	if (a.argv.count)
		code = spawn_attempt(r, t, number, &a, child, e);
	else
		code = err_set(e, -ENOENT,
			"it has no command: neither run nor agent, and no --run is given");
	attempt_clear(&a);
	return code;
}
