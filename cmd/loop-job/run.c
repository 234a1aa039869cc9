/*
 * run: the worker's side. The job comes on standard input, as "loop-queue work" hands it
 * over; while the command runs, the lease is looked after: once it is lost, or cannot be
 * known to hold, the command is ended, for somebody else has the job.
 */
#include "loop-job.h"

#include "clock.h"
#include "die.h"
#include "errand.h"
#include "io.h"
#include "mem.h"
#include "parcel.h"
#include "proc.h"
#include "wait.h"

#include <errno.h>

const struct opt run_options[] = {OPT_STORE, {0}};

#define BEAT NS_PER_S
#define BEAT_PATIENCE (2 * NS_PER_S)

enum { JOB_MAX = 300 << 20 };

/* Why the command was ended. */
enum cause { BY_ITSELF,
	BY_TIMEOUT,
	BY_STALL,
	BY_LOSS,
	BY_SIGNAL };

struct work {
	struct desk desk;
	struct holder holder;
	struct errand errand;
	struct child child;
	enum cause cause;
	int64_t started, timeout, beat, stall; /* clock_now */
	int64_t held_until;		       /* the lease holds at least so long */
	int64_t life;
	struct buf note; /* that was given last */
};

static void end_command(struct work *w, enum cause cause)
{
	if (w->cause == BY_ITSELF)
		w->cause = cause;
	w->timeout = w->stall = NS_FOREVER;
	child_end(&w->child, w->errand.kill_after);
}

/* Tells how far it is, and learns whether the lease still holds. */
static void beat(struct work *w)
{
	struct answers *a = w->desk.answers;
	int64_t asked = clock_now(), left;
	AUTO_BUF struct buf note = {0};
	struct span news = {0};
	struct err e = {0};

	errand_progress(&w->errand, &note);
	if (note.length != w->note.length ||
		(note.length && memcmp(note.text, w->note.text, note.length) != 0))
		news = (struct span){note.text, note.length};
	left = a->ops->note(a, &w->holder, w->errand.job, news, &e);
	w->beat = clock_after(BEAT);
	if (left > 0) {
		w->held_until = asked + left;
		buf_clear(&w->note);
		w->note = note;
		note = (struct buf){0};
	} else if (left == 0) {
		warn("job %s: the lease was lost: the command is ended", w->errand.job);
		end_command(w, BY_LOSS);
	} else if (clock_now() >= w->held_until) {
		warn("job %s: %s: the lease cannot be known to hold: the command is ended",
			w->errand.job, e.text);
		end_command(w, BY_LOSS);
	}
}

static void on_time(struct work *w)
{
	int64_t now = clock_now(), life;

	if (now >= w->beat && w->cause == BY_ITSELF)
		beat(w);
	if (now >= w->timeout)
		end_command(w, BY_TIMEOUT);
	child_tick(&w->child);
	if (now < w->stall)
		return;
	life = errand_life(&w->errand);
	if (life == w->life)
		end_command(w, BY_STALL);
	else
		w->stall = now + w->errand.stall;
	w->life = life;
}

static void watch_over(struct work *w)
{
	for (;;) {
		int64_t beat_at = w->cause == BY_ITSELF ? w->beat : NS_FOREVER;
		int64_t next = MIN(MIN(beat_at, w->child.kill_at), MIN(w->timeout, w->stall));
		int sig;

		switch (wait_for(w->child.pidfd, next, &sig)) {
		case WAIT_READY: return;
		case WAIT_DEADLINE: on_time(w); break;
		case WAIT_SIGNAL:
			if (!wait_signal_ends(sig))
				break;
			if (w->cause == BY_SIGNAL)
				w->child.kill_at = clock_now();
			end_command(w, BY_SIGNAL);
		}
	}
}

static bool is_ours(const char *entry, const struct strs *own)
{
	size_t n = strcspn(entry, "=") + 1;

	for (size_t i = 0; i < own->count; i++)
		if (strncmp(own->item[i], entry, n) == 0)
			return true;
	return false;
}

/* The worker's environment, the job's, and the state directory of this host. */
static void make_environment(const struct work *w, struct strs *env)
{
	for (char **v = environ; *v; v++)
		if (strncmp(*v, "LOOP_DIR=", 9) != 0 && strncmp(*v, "LOOP_TRACE=", 11) != 0 &&
			!is_ours(*v, &w->errand.env))
			strs_add(env, *v);
	strs_format(env, "LOOP_DIR=%s", w->desk.state.path);
	for (size_t i = 0; i < w->errand.env.count; i++)
		strs_add(env, w->errand.env.item[i]);
}

/* What could not be started is an ending, too: its status, and the reason in its log. */
static int start(struct work *w)
{
	AUTO_STRS struct strs env = {0};
	AUTO_FREE char *line = NULL;
	struct err e = {0};
	int r;

	make_environment(w, &env);
	r = proc_spawn(&w->child,
		&(struct spawn){.argv = w->errand.argv.item,
			.env = env.item,
			.dir = w->errand.dir,
			.in = -1,
			.out = w->errand.out,
			.error = w->errand.error,
			.new_session = true},
		&e);
	if (r == 0)
		return 0;
	line = mem_format("loop-job: %s\n", e.text);
	if (io_write(w->errand.error, line, strlen(line)) < 0)
		warn("%s", e.text);
	return proc_spawn_status(r);
}

static int64_t from_now(int64_t duration)
{
	return duration ? clock_after(duration) : NS_FOREVER;
}

static int run_command(struct work *w)
{
	int status;

	w->started = clock_now();
	status = start(w);
	if (status)
		return status;
	w->timeout = from_now(w->errand.timeout);
	w->stall = from_now(w->errand.stall);
	w->beat = clock_now();
	w->held_until = from_now(w->errand.lease);
	watch_over(w);
	status = child_wait(&w->child);
	proc_sweep_all();
	return status;
}

static void make_answer(struct work *w, int status, struct buf *answer, bool *keep)
{
	char host[65];

	parcel_begin(answer);
	if (w->cause == BY_TIMEOUT || w->cause == BY_STALL) {
		status = EXIT_TIMEDOUT;
		parcel_text(answer, "reason",
			w->cause == BY_STALL ? REASON_STALL : REASON_TIMEOUT);
	}
	parcel_number(answer, "status", status);
	parcel_number(answer, "ms", (clock_now() - w->started) / NS_PER_MS);
	parcel_text(answer, "worker", host_name(host));
	*keep = errand_gather(&w->errand, answer);
}

/* A store that is away is waited for as long as the lease may still hold, and once more. */
static int give(struct work *w, const struct buf *answer)
{
	struct answers *a = w->desk.answers;
	int64_t give_up = clock_after(MAX(2 * w->errand.lease, 60 * NS_PER_S));
	struct err e = {0};
	int r;

	do {
		e.text[0] = '\0';
		r = a->ops->give(a, &w->holder, w->errand.job,
			(struct span){answer->text, answer->length}, &e);
	} while (r == -ENOTCONN && clock_now() < give_up);
	if (r > 0)
		return EXIT_SUCCESS;
	if (r == 0)
		warn("job %s: the answer was refused: somebody else has the job", w->errand.job);
	else
		warn("job %s: %s", w->errand.job, e.text);
	return EX_TEMPFAIL;
}

static bool is_answered(struct work *w)
{
	struct answers *a = w->desk.answers;
	AUTO_BUF struct buf answer = {0};
	struct err e = {0};

	return a->ops->ask(a, w->errand.job, &answer, &e) > 0;
}

/* Runs it unless another worker did, which was lost before it could say so to the queue. */
static int work(struct work *w, bool *keep)
{
	AUTO_BUF struct buf answer = {0};
	int status;

	if (is_answered(w))
		return EXIT_SUCCESS;
	status = run_command(w);
	if (w->cause == BY_LOSS || w->cause == BY_SIGNAL)
		return EX_TEMPFAIL;
	make_answer(w, status, &answer, keep);
	return give(w, &answer);
}

static const char *need(const char *variable)
{
	const char *value = getenv(variable);

	if (!value || !*value)
		die_usage("%s is not set: run it by 'loop-queue work QUEUE -- loop-job run'",
			variable);
	return value;
}

int run_main(const struct args *args)
{
	struct work w = {0};
	AUTO_BUF struct buf job = {0};
	AUTO_FREE char *folder = NULL;
	struct err e = {0};
	const char *queue = need("LOOP_QUEUE");
	bool keep = false;
	int r;

	args_none(args);
	w.holder = (struct holder){.id = need("LOOP_JOB_ID"), .token = need("LOOP_JOB_TOKEN")};
	if (proc_contain(&e) < 0)
		die(EX_OSERR, "%s", e.text);
	if (wait_init() < 0)
		die_errno(EX_OSERR, "signals");
	r = io_read_all(STDIN_FILENO, JOB_MAX, &job);
	if (r < 0)
		die(EX_IOERR, "standard input: %s", strerror(-r));
	place.patience = BEAT_PATIENCE;
	desk_open(&w.desk, queue);
	folder = mem_format("%s.%s", w.holder.id, w.holder.token);
	r = errand_open(&w.errand, &w.desk.state, folder, &job, &e);
	if (r < 0)
		warn("%s", e.text);
	r = r == 0 ? work(&w, &keep) : r == -EINVAL ? EX_DATAERR
						    : EX_TEMPFAIL;
	errand_close(&w.errand, &w.desk.state, folder, keep);
	buf_clear(&w.note);
	desk_close(&w.desk);
	return r;
}
