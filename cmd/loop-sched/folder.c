/* A run's folder is made, or opened again. */
#include "run.h"

#include "die.h"
#include "emit.h"
#include "io.h"
#include "runs.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { FORMAT = 1 }; /* of a run's folder */

static void member(struct buf *b, const char *key, const char *text)
{
	if (!text)
		return;
	buf_format(b, ",\"%s\":", key);
	buf_json(b, text, strlen(text));
}

/* The plan as it is run: in its own form, in the order of the document. */
void run_write_plan(struct run *r)
{
	AUTO_BUF struct buf b = {0};
	int code;

	plan_emit(&b, &r->plan, r->options.source, NULL, NULL);
	code = io_replace(r->folder, "plan.json", b.text, b.length, 0600);
	if (code < 0)
		path_fail(code, "plan.json");
}

static void write_options(struct run *r)
{
	const struct run_options *o = &r->options;
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {{"jobs", o->jobs}, {"min_jobs", o->min_jobs}, {"attempts", o->attempts},
		{"retries", o->retries}, {"timeout", o->timeout}, {"grace", o->grace},
		{"on_failure", o->on_failure}, {"form", o->form},
		{"min_disk", o->least.disk}, {"min_memory", o->least.memory}};
	AUTO_BUF struct buf b = {0};
	int code;

	buf_format(&b, "{\"format\":%d,", FORMAT);
	for (size_t i = 0; i < countof(numbers); i++)
		buf_format(&b, "\"%s\":%lld,", numbers[i].name, (long long)numbers[i].value);
	buf_format(&b, "\"imported\":%s,\"jobserver\":%s", o->imported ? "true" : "false",
		o->jobserver ? "true" : "false");
	member(&b, "command", o->command);
	member(&b, "launcher", o->launcher);
	member(&b, "queue", o->queue);
	member(&b, "store", o->store);
	member(&b, "ticket", o->ticket);
	member(&b, "never_on", o->never_on);
	member(&b, "dir", o->dir);
	member(&b, "source", o->source);
	buf_str(&b, "}\n");
	code = io_replace(r->folder, "run.json", b.text, b.length, 0600);
	if (code == 0)
		code = io_replace(r->folder, "inputs.json", "{}\n", 3, 0600);
	if (code < 0)
		path_fail(code, "run.json");
}

/*
 * Who holds this runs the run. A record lock is the process's own: a child that
 * a crash caught between fork and exec does not keep it, as it would a flock.
 * It is lost when any descriptor of the file is closed, so whoever runs the run
 * opens the record once.
 */
int lock_record(int fd)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_SETLK, &whole);
}

static void open_parts(struct run *r)
{
	int code;

	if (mkfifoat(r->folder, "control", 0600) < 0 && errno != EEXIST)
		path_fail(-errno, "control");
	if (mkdirat(r->folder, "tasks", 0700) < 0 && errno != EEXIST)
		path_fail(-errno, "tasks");
	r->tasks = io_open(r->folder, "tasks", O_RDONLY | O_DIRECTORY, 0);
	r->log = code = io_open(
		r->folder, "run.jsonl", O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0600);
	if (r->tasks < 0 || code < 0)
		path_fail(MIN(r->tasks, code), r->path);
	if (lock_record(r->log) == 0)
		return;
	if (errno == EAGAIN || errno == EACCES)
		die(EX_TEMPFAIL, "%s: another process runs it", r->id);
	path_fail(-errno, "run.jsonl");
}

static void open_folder(struct run *r, const char *id, const char *name)
{
	char path[300];

	r->id = mem_string(id);
	r->path = mem_format("%s/runs/%s", r->state.path, id);
	snprintf(path, sizeof path, "runs/%s", name);
	r->folder = state_file(&r->state, path, O_RDONLY | O_DIRECTORY, 0);
	if (r->folder < 0)
		path_fail(r->folder, r->path);
}

static _Noreturn void is_there(const char *id)
{
	die(EX_CANTCREAT, "run '%s' is there already; 'loop-sched resume %s' goes on with it", id,
		id);
}

/* While we waited for its lock another process may have made a run of it. */
static bool still_called(const struct run *r, int runs, const char *name)
{
	struct stat ours, there;

	return fstat(r->folder, &ours) == 0 &&
		fstatat(runs, name, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
		ours.st_ino == there.st_ino;
}

/*
 * A run is made under a name that nobody looks at, and is called by its own
 * once it is whole: what was killed on the way never was a run. Who makes the
 * same run next takes over what it left.
 */
static void make_folder(struct run *r, int runs, const char *id, const char *hidden)
{
	struct stat st;

	if (fstatat(runs, id, &st, AT_SYMLINK_NOFOLLOW) == 0)
		is_there(id);
	if (mkdirat(runs, hidden, 0700) < 0 && errno != EEXIST)
		path_fail(-errno, hidden);
	open_folder(r, id, hidden);
	open_parts(r);
	if (!still_called(r, runs, hidden))
		is_there(id);
}

static void show_folder(int runs, const char *id, const char *hidden)
{
	if (renameat(runs, hidden, runs, id) == 0)
		return;
	if (errno == EEXIST || errno == ENOTEMPTY)
		is_there(id);
	path_fail(-errno, id);
}

void run_create(struct run *r, const char *id, const char *plan_file)
{
	AUTO_FREE char *hidden = mem_format(".%s", id);
	AUTO_CLOSE int runs = -1;
	struct err e = {0};
	int code = state_open(&r->state, &e);

	if (code < 0)
		die_err(code, &e);
	r->options.form = r->plan.form;
	r->options.imported = r->plan.imported;
	if (strcmp(plan_file, "-") != 0)
		r->options.source = realpath(plan_file, NULL);
	runs = state_folder(&r->state, "runs");
	if (runs < 0)
		path_fail(runs, "runs");
	make_folder(r, runs, id, hidden);
	write_options(r);
	run_write_plan(r);
	show_folder(runs, id, hidden);
}

static int64_t get_number(struct span object, const char *key)
{
	struct span value;
	int64_t n = 0;

	return jscan_get(object, key, &value) && jscan_int(value, &n) == 0 ? n : 0;
}

static bool get_flag(struct span object, const char *key)
{
	struct span value;

	return jscan_get(object, key, &value) && jscan_kind(value) == 't';
}

static const char *get_text(struct run *r, struct span object, const char *key)
{
	struct span value;

	return jscan_get(object, key, &value) ? plan_text(&r->plan, value) : NULL;
}

/* A run that an older version began says nothing of it. */
struct room run_least(struct span options)
{
	struct span value;

	if (!jscan_get(options, "min_disk", &value))
		return (struct room){.disk = ROOM_DISK_LEAST};
	return (struct room){.disk = get_number(options, "min_disk"),
		.memory = get_number(options, "min_memory")};
}

/* A folder that a later version wrote may mean what we cannot know. */
static void check_format(const struct run *r, struct span object)
{
	int64_t format = get_number(object, "format");

	if (format > FORMAT)
		die(EX_CONFIG, "%s: written by a newer version (format %lld, this one knows %d)",
			r->id, (long long)format, FORMAT);
}

static void read_options(struct run *r)
{
	struct run_options *o = &r->options;
	AUTO_BUF struct buf text = {0};
	int code = io_read_file(r->folder, "run.json", 1 << 20, &text);
	struct span object = {text.text, text.length};
	const char *what;
	size_t at;

	if (code < 0)
		path_fail(code, "run.json");
	if (jscan_check(object.p, object.n, &at, &what) < 0 || jscan_kind(object) != '{')
		die(EX_DATAERR, "%s/run.json: not as it was written", r->path);
	check_format(r, object);
	if (!o->jobs) {
		o->jobs = MAX(get_number(object, "jobs"), (int64_t)1);
		o->min_jobs = get_number(object, "min_jobs");
	}
	o->least = run_least(object);
	o->retries = get_number(object, "retries");
	o->jobserver = get_flag(object, "jobserver");
	o->attempts = get_number(object, "attempts");
	o->timeout = get_number(object, "timeout");
	o->grace = get_number(object, "grace");
	o->on_failure = (int)get_number(object, "on_failure");
	o->form = (enum form)get_number(object, "form");
	o->imported = get_flag(object, "imported");
	o->launcher = get_text(r, object, "launcher");
	o->queue = get_text(r, object, "queue");
	o->store = get_text(r, object, "store");
	o->ticket = get_text(r, object, "ticket");
	o->never_on = get_text(r, object, "never_on");
	o->command = get_text(r, object, "command");
	o->dir = get_text(r, object, "dir");
	o->source = get_text(r, object, "source");
	if (o->dir && chdir(o->dir) < 0)
		path_fail(-errno, o->dir);
}

/* A last line that was torn is closed, so that what is written next stands on its own. */
static void mend_log(struct run *r)
{
	off_t end = lseek(r->log, 0, SEEK_END);
	char last = '\n';

	if (end > 0 && io_pread(r->log, &last, 1, end - 1) < 0)
		path_fail(-EIO, "run.jsonl");
	if (last != '\n' && io_write(r->log, "\n", 1) < 0)
		path_fail(-EIO, "run.jsonl");
}

void run_reopen(struct run *r, const char *id)
{
	char *plan; /* the plan's to keep */

	open_folder(r, id, id);
	open_parts(r);
	mend_log(r);
	plan = mem_format("%s/plan.json", r->path);
	plan_need(&r->plan, plan, false);
	read_options(r);
}
