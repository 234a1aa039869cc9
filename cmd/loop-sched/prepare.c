/* Everything that a run needs while it runs is put up. */
#include "run.h"

#include "clock.h"
#include "die.h"
#include "figures.h"
#include "io.h"
#include "runs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>

const char *const on_failure_words[] = {"continue", "stop", "undo", NULL};

static bool sooner(const void *left, const void *right)
{
	const struct node *a = left, *b = right;

	if (a->rank != b->rank)
		return a->rank > b->rank;
	if (a->priority != b->priority)
		return a->priority < b->priority;
	return a < b;
}

static bool due_first(const void *left, const void *right)
{
	const struct node *a = left, *b = right;

	return a->due < b->due;
}

static void rank_nodes(struct run *r)
{
	uint32_t count = r->plan.count;
	struct history history;
	AUTO_FREE int64_t *cost = mem_zero((size_t)count + 1, sizeof *cost);
	AUTO_FREE int64_t *rank = mem_zero((size_t)count + 1, sizeof *rank);

	history_load(&history, &r->state, &r->plan, r->id);
	plan_costs(&r->plan, &history, cost);
	forecast_begin(r, &history);
	dag_rank(&r->plan.dag, r->plan.order, cost, rank);
	for (uint32_t i = 0; i < count; i++) {
		r->node[i].rank = rank[i];
		r->node[i].priority = r->plan.task[i].priority;
		r->node[i].give_up = NS_FOREVER;
	}
}

/* What every task gets a value of its own for. */
static bool set_for_each(const struct run *r, const char *entry)
{
	static const char *const names[] = {"DIR", "RUN", "TASK", "ATTEMPT", "SUBJECT", "TASK_FILE",
		"OUTPUT", "INPUTS", "PROGRESS", "RETRY_AFTER", "TRACE",
		"UNDO", "ITEM", "INDEX"};
	size_t n = strcspn(entry, "=");

	if (r->options.jobserver && strncmp(entry, "MAKEFLAGS=", 10) == 0)
		return true;
	if (strncmp(entry, "LOOP_", 5) != 0)
		return false;
	for (size_t i = 0; i < countof(names); i++)
		if (strlen(names[i]) == n - 5 && strncmp(entry + 5, names[i], n - 5) == 0)
			return true;
	return false;
}

static void copy_env(struct run *r)
{
	size_t count = 0;

	while (environ[count])
		count++;
	r->env = mem_zero(count + 1, sizeof *r->env);
	for (size_t i = 0; i < count; i++)
		if (!set_for_each(r, environ[i]))
			r->env[r->env_count++] = environ[i];
}

static void open_signals(struct run *r)
{
	static const int wanted[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < countof(wanted); i++)
		sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		die_errno(EX_OSERR, "signals");
	r->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (r->signals < 0)
		die_errno(EX_OSERR, "signals");
}

/* Slashes part a subject, and control characters have no place in it. */
static char *subject_of(const char *name)
{
	char *subject = mem_substring(name, strnlen(name, 200));

	for (char *p = subject; *p; p++)
		if (*p == '/' || (unsigned char)*p < ' ' || *p == 0x7f)
			*p = '-';
	while (*subject && !utf8_length(strrchr(subject, 0) - 1, 1) && subject[1])
		*(char *)(strrchr(subject, 0) - 1) = 0;
	return *subject && strcmp(subject, ".") != 0 && strcmp(subject, "..") != 0
		? subject
		: mem_string("plan");
}

static void open_tokens(struct run *r)
{
	int code;

	jobserver_none(&r->tokens);
	if (!r->options.jobserver)
		return;
	code = jobserver_open(&r->tokens, r->options.jobs);
	if (code < 0)
		path_fail(code, "the job server's pipe");
}

void run_prepare(struct run *r)
{
	r->subject = subject_of(r->plan.name);
	journal_init(&r->journal, &r->state);
	r->control = io_open(r->folder, "control", O_RDWR | O_NONBLOCK | O_NOFOLLOW, 0);
	if (r->control < 0)
		path_fail(r->control, "control");
	r->commands.max = 256;
	r->gates.watch = -1;
	r->node = mem_zero((size_t)r->plan.count + 1, sizeof *r->node);
	r->job = mem_zero((size_t)r->options.jobs, sizeof *r->job);
	for (int64_t i = 0; i < r->options.jobs; i++) {
		r->job[i].fuse.renew = NS_FOREVER;
		r->job[i].slot = SLOT_NONE;
	}
	r->ready.before = sooner;
	r->starved.before = sooner;
	r->delayed.before = due_first;
	rank_nodes(r);
	copy_env(r);
	open_signals(r);
	pace_init(&r->pace, r->options.min_jobs, r->options.jobs);
	open_tokens(r);
	r->hold.least = r->options.least;
	r->written = lseek(r->log, 0, SEEK_END);
	r->started = clock_now();
	r->synced = r->started;
	r->deadline = r->options.timeout ? clock_after(r->options.timeout) : NS_FOREVER;
}
