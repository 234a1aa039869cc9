/* What run.jsonl tells, line after line: the last word about each task holds. */
#include "run.h"

#include "io.h"
#include "parse.h"

#include <errno.h>

static int64_t number_of(struct span line, const char *key)
{
	struct span value;
	int64_t n = 0;

	return jscan_get(line, key, &value) && jscan_int(value, &n) == 0 ? n : 0;
}

static int64_t time_of(struct span line)
{
	struct span value;
	int64_t ns = 0;

	if (!jscan_get(line, "time", &value) || value.n < 2 ||
		parse_rfc3339(value.p + 1, value.n - 2, &ns) < 0)
		return 0;
	return ns;
}

static void fold_task(struct fold *f, const struct plan *p, struct span line, struct span id)
{
	struct task *t = map_get_n(&p->by_id, id.p + 1, id.n - 2);
	struct past *past = t ? &f->task[plan_index(p, t)] : NULL;
	struct span word;
	enum tstate state;

	if (!past || !jscan_get(line, "state", &word) || tstate_parse(word, &state) < 0)
		return;
	past->state = (uint8_t)state;
	past->since = time_of(line);
	past->attempt = (uint16_t)MAX(number_of(line, "attempt"), (int64_t)past->attempt);
	if (state == RETRYING && !jscan_get(line, "spared", &word))
		past->failures++;
	else if (state == PENDING)
		past->failures = (uint16_t)number_of(line, "failures");
	f->retries += state == RETRYING;
	if (state == SUCCEEDED) {
		past->finished = ++f->successes;
		past->done_by = past->attempt;
	}
	past->pid = (pid_t)number_of(line, "pid");
	past->start = (uint64_t)number_of(line, "start");
	past->status = (int32_t)number_of(line, "status");
	past->ms = number_of(line, "ms");
}

/* The text of a string without escapes, as we wrote it ourselves. */
static void copy_text(char *out, size_t size, struct span string)
{
	if (jscan_kind(string) == '"')
		snprintf(out, size, "%.*s", (int)MIN(string.n - 2, size), string.p + 1);
}

static void fold_started(struct fold *f, struct span line)
{
	struct span boot;

	f->state[0] = '\0';
	f->ended = 0;
	f->held[0] = '\0';
	f->cancelling = f->paused = f->undone = false;
	f->jobs = number_of(line, "jobs");
	f->runner.pid = (pid_t)number_of(line, "pid");
	f->runner.start = (uint64_t)number_of(line, "start");
	if (jscan_get(line, "boot", &boot))
		copy_text(f->runner.boot, sizeof f->runner.boot, boot);
}

static void fold_run(struct fold *f, struct span line, struct span what)
{
	struct span state, reason;

	if (jscan_is(what, "started") || jscan_is(what, "resumed")) {
		fold_started(f, line);
		if (!f->started)
			f->started = time_of(line);
	} else if (jscan_is(what, "paused")) {
		f->paused = true;
	} else if (jscan_is(what, "continued")) {
		f->paused = false;
	} else if (jscan_is(what, "held")) {
		if (jscan_get(line, "reason", &reason))
			copy_text(f->held, sizeof f->held, reason);
	} else if (jscan_is(what, "released")) {
		f->held[0] = '\0';
	} else if (jscan_is(what, "undoing")) {
		f->undoing = true;
	} else if (jscan_is(what, "undone")) {
		f->undoing = false;
		f->undone = true;
	} else if (jscan_is(what, "cancelling")) {
		f->cancelling = true;
	} else if (jscan_is(what, "ended")) {
		f->ended = time_of(line);
		if (jscan_get(line, "state", &state))
			copy_text(f->state, sizeof f->state, state);
	}
}

/* A line that was torn by a crash is no JSON, and says nothing. */
static void fold_line(struct fold *f, const struct plan *p, struct span line)
{
	struct span value;
	const char *what;
	size_t at;

	if (jscan_check(line.p, line.n, &at, &what) < 0 || jscan_kind(line) != '{')
		return;
	if (jscan_get(line, "task", &value) && jscan_kind(value) == '"')
		fold_task(f, p, line, value);
	else if (jscan_get(line, "run", &value) && jscan_kind(value) == '"')
		fold_run(f, line, value);
}

int fold_read(struct fold *f, const struct plan *p, int log, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	int r = lseek(log, 0, SEEK_SET) < 0 ? -errno : io_read_all(log, PLAN_MAX, &text);
	const char *end, *newline;

	*f = (struct fold){.task = mem_zero((size_t)p->count + 1, sizeof *f->task)};
	if (r < 0)
		return err_sys(e, r, "run.jsonl");
	if (!text.length)
		return 0;
	end = text.text + text.length;
	for (const char *line = text.text; (newline = memchr(line, '\n', (size_t)(end - line)));
		line = newline + 1)
		fold_line(f, p, (struct span){line, (size_t)(newline - line)});
	return 0;
}

void fold_clear(struct fold *f)
{
	free(f->task);
	*f = (struct fold){0};
}
