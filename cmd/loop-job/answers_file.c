/*
 * Answers in files, for workers that share the state directory: queues/NAME/answers/JOB,
 * and .note.JOB beside it while it runs. An answer is linked into place, so that it is there
 * whole, and once.
 */
#include "answers.h"

#include "id.h"
#include "io.h"
#include "mem.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>

enum { ANSWER_MAX = 1 << 30 };

struct answers_file {
	struct answers answers;
	struct queue *queue;
	int folder, watch;
	char *path;
};

static struct answers_file *of(struct answers *a)
{
	return container_of(a, struct answers_file, answers);
}

struct lease {
	const char *token;
	int64_t length;
};

static int compare_token(void *context, const struct item *item)
{
	struct lease *l = context;

	if (item->state == ITEM_CLAIMED && strcmp(item->token, l->token) == 0)
		l->length = item->lease;
	return 0;
}

/* The length of the lease, if the item is leased under this token. */
static int64_t holds(struct answers_file *a, const struct holder *h, struct err *e)
{
	struct lease lease = {.token = h->token};
	int r = a->queue->ops->get(a->queue, h->id, compare_token, &lease, e);

	return r <= 0 ? r : lease.length;
}

static int failed(const struct answers_file *a, const char *job, int code, struct err *e)
{
	return err_sys(e, code, "%s/%s", a->path, job);
}

/* 1: this is the answer; 0: there is one already. */
static int put_in_place(struct answers_file *a, const char *job, struct span answer, struct err *e)
{
	AUTO_FREE char *own = NULL;
	char unique[UUID_SIZE];
	int r;

	own = mem_format(".%s", id_uuid(unique));
	r = io_replace(a->folder, own, answer.p, answer.n, 0600);
	if (r == 0 && linkat(a->folder, own, a->folder, job, 0) < 0)
		r = -errno;
	unlinkat(a->folder, own, 0);
	if (r == 0)
		r = io_sync_dir(a->folder);
	if (r == -EEXIST)
		return 0;
	return r < 0 ? failed(a, job, r, e) : 1;
}

static int give(struct answers *answers, const struct holder *h, const char *job,
	struct span answer, struct err *e)
{
	struct answers_file *a = of(answers);
	AUTO_FREE char *note = mem_format(".note.%s", job);
	int64_t r = holds(a, h, e);

	if (r <= 0)
		return (int)r;
	unlinkat(a->folder, note, 0);
	return put_in_place(a, job, answer, e);
}

static int64_t note(struct answers *answers, const struct holder *h, const char *job,
	struct span text, struct err *e)
{
	struct answers_file *a = of(answers);
	AUTO_FREE char *name = mem_format(".note.%s", job);
	int64_t left = holds(a, h, e);
	int r;

	if (left <= 0 || !text.n)
		return left;
	r = io_replace(a->folder, name, text.p, text.n, 0600);
	return r < 0 ? failed(a, name, r, e) : left;
}

static int ask(struct answers *answers, const char *job, struct buf *out, struct err *e)
{
	struct answers_file *a = of(answers);
	AUTO_FREE char *name = mem_format(".note.%s", job);
	int r = io_read_file(a->folder, job, ANSWER_MAX, out);

	if (r == 0)
		return 1;
	if (r == -ENOENT)
		r = io_read_file(a->folder, name, ANSWER_MAX, out);
	return r == -ENOENT || r == 0 ? 0 : failed(a, job, r, e);
}

static int drop(struct answers *answers, const char *job, struct err *e)
{
	struct answers_file *a = of(answers);
	AUTO_FREE char *name = mem_format(".note.%s", job);

	unlinkat(a->folder, name, 0);
	if (unlinkat(a->folder, job, 0) == 0)
		return 1;
	return errno == ENOENT ? 0 : failed(a, job, -errno, e);
}

static int watch(struct answers *answers)
{
	struct answers_file *a = of(answers);

	if (a->watch < 0)
		a->watch = watch_folder(a->path);
	return a->watch;
}

static void heard(struct answers *answers)
{
	watch_drain(of(answers)->watch, "");
}

static void close_answers(struct answers *answers)
{
	struct answers_file *a = of(answers);

	if (a->watch >= 0)
		close(a->watch);
	if (a->folder >= 0)
		close(a->folder);
	free(a->path);
	free(a);
}

static const struct answers_ops file_ops = {
	.give = give,
	.note = note,
	.ask = ask,
	.drop = drop,
	.watch = watch,
	.heard = heard,
	.close = close_answers,
};

static int open_files(
	struct answers **out, const struct state *state, struct queue *queue, struct err *e)
{
	struct answers_file *a = mem_zero(1, sizeof *a);
	AUTO_FREE char *folder = mem_format("queues/%s/answers", queue->name);

	a->answers.ops = &file_ops;
	a->queue = queue;
	a->watch = -1;
	a->path = mem_format("%s/%s", state->path, folder);
	a->folder = state_folder(state, folder);
	if (a->folder < 0) {
		int r = failed(a, "", a->folder, e);

		close_answers(&a->answers);
		return r;
	}
	*out = &a->answers;
	return 0;
}

int answers_open(struct answers **out, const char *store, const struct state *state,
	struct queue *queue, int64_t patience, struct err *e)
{
	if (strcmp(store, "file") == 0)
		return open_files(out, state, queue, e);
	return answers_redis_open(out, store, queue->name, patience, e);
}
