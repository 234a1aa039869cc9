/* run, resume, retry: a plan is run, or goes on. */
#include "run.h"

#include "again.h"
#include "changed.h"
#include "commands.h"
#include "die.h"
#include "parse.h"
#include "proc.h"
#include "remote.h"
#include "runs.h"
#include "store.h"

#include <limits.h>

enum { JOBS_MAX = 4096 };

static struct {
	const char *jobs, *id, *command, *never_on;
	int64_t attempts, retries, min, max, timeout, grace;
	struct room least;
	const char *launcher, *on, *store;
	bool jobserver;
	int on_failure, plan_changed;
	bool verbose;
} opts = {.retries = -1, .grace = 10 * NS_PER_S, .least = {.disk = ROOM_DISK_LEAST}};

const struct opt run_options[] = {
	{"jobs", 'j', "N", "run N tasks at once (one a processor; auto: as the machine bears)",
		.string = &opts.jobs},
	{"min", 0, "N", "with --jobs=auto, at least so many (1)", .number = &opts.min},
	{"max", 0, "N", "with --jobs=auto, at most so many (4 a processor)", .number = &opts.max},
	{"jobserver", 0, NULL, "share the jobs with make below the tasks",
		.flag = &opts.jobserver},
	{"launcher", 0, "COMMAND", "run every task through it, as its arguments, or as {}",
		.string = &opts.launcher},
	{"on", 0, "queue:NAME", "the workers of this loop-queue run the tasks, on any host",
		.string = &opts.on},
	{"store", 0, "STORE", "of that queue: file, or redis://... (LOOP_STORE)",
		.string = &opts.store},
	{"run", 'r', "COMMAND", "what tasks without a command of their own run, by sh -c",
		.string = &opts.command},
	{"attempts", 'a', "N", "try a task N times in all, unless it says itself how often",
		.number = &opts.attempts, .min = 1, .max = 1000},
	{"never-on", 0, "LIST", "not again after these exit statuses, as in 112,119",
		.string = &opts.never_on},
	{"retries", 0, "N", "at most N further attempts in the whole run", .number = &opts.retries},
	{"id", 0, "NAME", "name the run", .string = &opts.id},
	{"on-failure", 0, "WHAT", "continue with what does not need it, stop, or undo",
		.choice = &opts.on_failure, .choices = on_failure_words},
	{"min-disk", 0, "SIZE", "start nothing while less than this is free on the disk (1M)",
		.size = &opts.least.disk},
	{"min-memory", 0, "SIZE", "start nothing while less memory than this is available (0)",
		.size = &opts.least.memory},
	{"timeout", 't', "D", "end the whole run after D", .duration = &opts.timeout},
	{"grace", 0, "D", "from SIGTERM to SIGKILL (10s)", .duration = &opts.grace},
	{"verbose", 'v', NULL, "say every ending on stderr", .flag = &opts.verbose},
	{0},
};

const struct opt resume_options[] = {
	{"jobs", 'j', "N", "run N tasks at once (as before)", .string = &opts.jobs},
	{"plan-changed", 0, "WHAT", "if the plan is not what it was: ask, keep, new or fail",
		.choice = &opts.plan_changed, .choices = plan_changed_words},
	{"verbose", 'v', NULL, "say every ending on stderr", .flag = &opts.verbose},
	{0},
};

static int64_t processors(void)
{
	return MAX(sysconf(_SC_NPROCESSORS_ONLN), 1L);
}

/* How many at once: a number, or auto, which moves between two. */
static void set_jobs(struct run_options *o, const char *text)
{
	o->jobs = processors();
	o->min_jobs = 0;
	if (text && strcmp(text, "auto") == 0) {
		o->min_jobs = opts.min ? opts.min : 1;
		o->jobs = opts.max ? opts.max : 4 * processors();
		if (o->min_jobs > o->jobs || o->jobs > JOBS_MAX)
			die_usage("--min must not be above --max, nor --max above %d", JOBS_MAX);
	} else if (text && parse_int(text, 1, JOBS_MAX, &o->jobs) < 0) {
		die_usage("--jobs: '%s' is neither auto nor a number from 1 to %d", text, JOBS_MAX);
	}
}

/* The statuses as a JSON array, which is how they are kept with the run. */
static const char *status_list(const char *text)
{
	AUTO_BUF struct buf b = {0};
	int64_t status;
	size_t n;

	for (buf_char(&b, '['); *text; text += n + (text[n] == ',')) {
		AUTO_FREE char *word = mem_format("%.*s", (int)strcspn(text, ","), text);

		n = strlen(word);
		if (parse_int(word, 1, 255, &status) < 0)
			die_usage("--never-on: '%s' is no exit status", word);
		buf_format(&b, "%s%lld", b.length > 1 ? "," : "", (long long)status);
	}
	buf_char(&b, ']');
	return mem_string(b.text);
}

static const char *new_ticket(void)
{
	uint32_t random;

	id_random(&random, sizeof random);
	return mem_format("%08x", random);
}

static void contain(void)
{
	struct err e = {0};
	int r = proc_contain(&e);

	if (r < 0)
		die_err(r, &e);
}

/* "started" or "resumed", with who we are, so that whoever asks can ask the kernel. */
static void say_start(struct run *r, const char *what)
{
	AUTO_BUF struct buf b = {0};
	struct owner self = {0};

	if (owner_self(&self) < 0)
		self.pid = getpid();
	buf_format(&b, "\"%s\",\"id\":\"%s\",\"plan\":", what, r->id);
	buf_json(&b, r->plan.name, strlen(r->plan.name));
	buf_format(&b,
		",\"tasks\":%u,\"jobs\":%lld,\"pid\":%d,\"start\":%llu,\"boot\":\"%s\","
		"\"hash\":\"%016llx\"",
		r->plan.count, (long long)r->options.jobs, self.pid, (unsigned long long)self.start,
		self.boot, (unsigned long long)plan_hash(&r->plan));
	log_run(r, b.text);
	buf_drop(&b, b.length);
	buf_format(&b, ",\"tasks\":%u,\"jobs\":%lld", r->plan.count, (long long)r->options.jobs);
	event_run(r, "run.started", b.text);
}

int run_main(const struct args *a)
{
	static struct run r;
	char id[RUN_ID_SIZE], dir[PATH_MAX];

	args_expect(a, 1, 1);
	if (opts.id && !name_valid(opts.id))
		die_usage("--id: '%s' is not a name", opts.id);
	r.options = (struct run_options){
		.attempts = opts.attempts,
		.retries = opts.retries,
		.never_on = opts.never_on ? status_list(opts.never_on) : NULL,
		.launcher = opts.launcher,
		.queue = remote_queue(opts.on),
		.store = opts.store,
		.ticket = new_ticket(),
		.jobserver = opts.jobserver,
		.least = opts.least,
		.timeout = opts.timeout,
		.grace = opts.grace,
		.on_failure = opts.on_failure,
		.command = opts.command,
		.dir = getcwd(dir, sizeof dir),
		.verbose = opts.verbose};
	set_jobs(&r.options, opts.jobs);
	if (opts.launcher && opts.on)
		die_usage("--launcher and --on exclude each other");
	remote_store(&r.options);
	plan_need(&r.plan, a->item[0], false);
	remote_reach(&r.options);
	run_id_new(id);
	contain();
	run_create(&r, opts.id ? opts.id : id, a->item[0]);
	run_prepare(&r);
	say_start(&r, "started");
	settle_begin(&r);
	run_loop(&r);
	return run_end(&r);
}

static int go_on(const struct args *a, enum again how)
{
	static struct run r;
	char id[RUN_ID_SIZE];

	args_expect(a, 0, 1);
	contain();
	runs_open(&r.state);
	run_find(&r.state, a->item[0], id);
	if (opts.jobs)
		set_jobs(&r.options, opts.jobs);
	r.options.verbose = opts.verbose;
	run_reopen(&r, id);
	if (r.options.queue && !r.options.store && store_in_files(store_choose(NULL)))
		die(EX_CONFIG, "%s: its queue is in a Redis with a password: set LOOP_STORE", id);
	remote_store(&r.options);
	remote_reach(&r.options);
	if (how != TO_TAKE_BACK)
		plan_compare(&r, (enum plan_changed)opts.plan_changed);
	run_prepare(&r);
	run_again(&r, how);
	say_start(&r, "resumed");
	settle_begin(&r);
	run_loop(&r);
	return run_end(&r);
}

int resume_main(const struct args *a)
{
	return go_on(a, TO_RESUME);
}

int retry_main(const struct args *a)
{
	return go_on(a, TO_RETRY);
}

int undo_main(const struct args *a)
{
	return go_on(a, TO_TAKE_BACK);
}
