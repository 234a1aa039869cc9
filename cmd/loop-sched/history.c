#include "history.h"

#include "io.h"
#include "runs.h"
#include "tstate.h"

#include <fcntl.h>

enum { RUNS_READ = 20,
	SAMPLES_KEPT = 20, /* a task: the newest */
	BYTES_READ = 64 << 20 };

/* All samples as they are found, newest run first. */
struct found {
	const struct plan *plan;
	struct sample {
		uint32_t task;
		int64_t ns;
	} * item;
	size_t count, capacity;
};

static void take_line(void *context, struct span line, bool first UNUSED)
{
	struct found *f = context;
	struct span value;
	const char *what;
	struct task *t;
	int64_t ms;
	size_t at;

	if (!memmem(line.p, line.n, "\"succeeded\"", 11) ||
		jscan_check(line.p, line.n, &at, &what) < 0)
		return;
	if (!jscan_get(line, "state", &value) || !jscan_is(value, "succeeded") ||
		!jscan_get(line, "ms", &value) || jscan_int(value, &ms) < 0)
		return;
	if (jscan_get(line, "cached", &value))
		return; /* what it takes to replay it is not what it takes */
	if (!jscan_get(line, "task", &value) || jscan_kind(value) != '"')
		return;
	t = map_get_n(&f->plan->by_id, value.p + 1, value.n - 2);
	if (!t)
		return;
	f->item = mem_grow(f->item, f->count, &f->capacity, sizeof *f->item);
	f->item[f->count++] =
		(struct sample){plan_index(f->plan, t), MAX(ms, (int64_t)1) * NS_PER_MS};
}

/* The first line of a record names the plan. */
static bool same_plan(struct span line, const struct plan *p)
{
	struct span name;
	const char *what;
	size_t at;

	return jscan_check(line.p, line.n, &at, &what) == 0 && jscan_kind(line) == '{' &&
		jscan_get(line, "plan", &name) && jscan_is(name, p->name);
}

/* What sees the lines, and its own. */
struct seer {
	void (*see)(void *context, struct span line, bool first);
	void *context;
};

/* Returns how much was read. */
static size_t read_run(const struct seer *seer, const struct state *s, const struct plan *p,
	const char *id)
{
	AUTO_BUF struct buf text = {0};
	char path[300];
	AUTO_CLOSE int fd = -1;
	const char *newline, *end;
	bool first = true;

	snprintf(path, sizeof path, "runs/%s/run.jsonl", id);
	fd = state_file(s, path, O_RDONLY, 0);
	if (fd < 0 || io_read_all(fd, BYTES_READ, &text) < 0 || !text.length)
		return 0;
	end = text.text + text.length;
	for (const char *line = text.text; (newline = memchr(line, '\n', (size_t)(end - line)));
		line = newline + 1) {
		struct span span = {line, (size_t)(newline - line)};

		if (first && !same_plan(span, p))
			break;
		seer->see(seer->context, span, first);
		first = false;
	}
	return text.length;
}

void history_lines(const struct state *s, const struct plan *p, const char *except,
	void (*see)(void *context, struct span line, bool first), void *context)
{
	const struct seer seer = {see, context};
	AUTO_STRS struct strs ids = {0};
	size_t bytes = 0;

	runs_list(s, &ids);
	for (size_t i = ids.count, read = 0; i-- && read < RUNS_READ && bytes < BYTES_READ; read++)
		if (!except || strcmp(ids.item[i], except) != 0)
			bytes += read_run(&seer, s, p, ids.item[i]);
}

/* The samples a task after the other, the newest of each. */
static void sort_samples(struct history *h, const struct plan *p, const struct found *f)
{
	AUTO_FREE uint32_t *kept = mem_zero((size_t)p->count + 1, sizeof *kept);
	uint32_t total = 0;

	for (size_t i = 0; i < f->count; i++)
		kept[f->item[i].task] += kept[f->item[i].task] < SAMPLES_KEPT;
	for (uint32_t t = 0; t <= p->count; t++) {
		h->first[t] = total;
		total += kept[t];
		kept[t] = 0;
	}
	h->ns = mem_zero((size_t)total + 1, sizeof *h->ns);
	for (size_t i = 0; i < f->count; i++) {
		uint32_t t = f->item[i].task;

		if (h->first[t] + kept[t] < h->first[t + 1])
			h->ns[h->first[t] + kept[t]++] = f->item[i].ns;
	}
}

void history_load(
	struct history *h, const struct state *s, const struct plan *p, const char *except)
{
	struct found found = {.plan = p};

	h->first = mem_zero((size_t)p->count + 1, sizeof *h->first);
	history_lines(s, p, except, take_line, &found);
	sort_samples(h, p, &found);
	free(found.item);
}

bool history_find(struct history *h, const struct plan *p)
{
	struct state state;
	struct err e = {0};

	if (state_find(&state, &e) < 0)
		return false;
	history_load(h, &state, p, NULL);
	state_close(&state);
	return true;
}

void history_clear(struct history *h)
{
	free(h->first);
	free(h->ns);
	*h = (struct history){0};
}

static int by_length(const void *left, const void *right)
{
	const int64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

int64_t history_median(const struct history *h, uint32_t task)
{
	uint32_t n = h->first[task + 1] - h->first[task];
	int64_t sorted[SAMPLES_KEPT];

	if (!n)
		return 0;
	memcpy(sorted, h->ns + h->first[task], n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, by_length);
	return sorted[n / 2];
}
