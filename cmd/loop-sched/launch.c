/* An attempt's folder and logs are made, and its process is started. */
#include "run.h"

#include "io.h"
#include "proc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Of a failure before exec, which says nothing that exec said; but of want of room, that. */
static int not_exec(int code)
{
	return room_refused(code) ? code : -ECANCELED;
}

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

int attempt_folder(struct run *r, const struct task *t, unsigned attempt, struct err *e)
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
	return not_exec(code);
}

/* Before anything else of an undoing: what it is told of is there. */
static int make_undone_folder(struct run *r, const struct task *t, unsigned attempt)
{
	char path[300];

	snprintf(path, sizeof path, "%s/%u", t->id, attempt);
	return mkdirat(r->tasks, path, 0700) < 0 && errno != EEXIST ? -errno : 0;
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

static int spawn_attempt(struct run *r, const struct attempt *a, int out, int error,
	struct child *child, struct err *e)
{
	AUTO_FREE char **env = join_env(r, &a->env);

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

/* Folder and logs are made under tasks/, to stay. */
static int launch_at_home(struct run *r, uint32_t task, enum purpose purpose, struct child *child,
	struct attempt *a, struct err *e)
{
	const struct task *t = &r->plan.task[task];
	const struct node *n = &r->node[task];
	AUTO_CLOSE int out = -1, error = -1;
	int code = attempt_folder(r, t, n->attempt, e);

	if (code < 0)
		return code;
	if (purpose == TO_UNDO)
		code = make_undone_folder(r, t, n->done_by);
	if (code == 0)
		code = out = open_output(r, t, n->attempt, "out");
	if (code >= 0)
		code = error = open_output(r, t, n->attempt, "err");
	if (code < 0) {
		err_sys(e, code, "%s/tasks/%s", r->path, t->id);
		return not_exec(code);
	}
	attempt_make(r, task, purpose, NULL, a);
	if (a->argv.count)
		return spawn_attempt(r, a, out, error, child, e);
	return err_set(e, -ENOENT,
		"it has no command: neither run nor agent, and no --run is given");
}

static int launch_in_slot(struct run *r, uint32_t task, struct slot *s, struct child *child,
	struct attempt *a, struct err *e)
{
	int code = slot_take(r, s, task);

	if (code < 0) {
		err_sys(e, code, "%s/slots", r->path);
		return not_exec(code);
	}
	attempt_make(r, task, TO_RUN, s, a);
	return spawn_attempt(r, a, s->out, s->error, child, e);
}

/* Whether an attempt may be short and leave nothing: a command of the plan's that is run here. */
static bool fits_slot(const struct run *r, const struct task *t, enum purpose purpose)
{
	return purpose == TO_RUN && task_has(&r->plan, t, M_RUN) &&
		!task_has(&r->plan, t, M_WHEN) && !r->options.launcher &&
		!r->options.queue;
}

int attempt_launch(
	struct run *r, uint32_t task, enum purpose purpose, struct child *child, struct err *e)
{
	struct attempt a = {0};
	int code;

	if (fits_slot(r, &r->plan.task[task], purpose))
		code = launch_in_slot(r, task, &r->node[task].job->slot, child, &a, e);
	else
		code = launch_at_home(r, task, purpose, child, &a, e);
	attempt_clear(&a);
	return code;
}
