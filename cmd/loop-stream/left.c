#include "left.h"

#include "clock.h"
#include "io.h"
#include "parse.h"

#include <jansson.h>
#include <signal.h>

enum { ANSWER_MAX = 64 << 10 };
#define FIRST (2 * NS_PER_S)
#define EVERY (10 * NS_PER_S)

void left_init(struct left *l)
{
	*l = (struct left){.out = -1, .next = clock_after(FIRST)};
	l->child = (struct child){.pid = -1, .pidfd = -1};
}

static void end_asking(struct left *l)
{
	if (l->child.pid > 0) {
		child_signal(&l->child, SIGKILL);
		child_wait(&l->child);
	}
	l->child.pid = -1;
	if (l->out >= 0)
		close(l->out);
	l->out = -1;
	l->text.length = 0;
}

void left_clear(struct left *l)
{
	end_asking(l);
	buf_clear(&l->text);
}

void left_ask(struct left *l, const char *run)
{
	const char *argv[] = {"loop-sched", "status", "--json", "--", run, NULL};
	struct spawn spec = {.argv = (char *const *)(uintptr_t)argv, .in = -1, .error = -1};
	struct err e = {0};
	int ends[2];

	if (l->out >= 0 || clock_now() < l->next)
		return;
	l->next = clock_after(EVERY);
	if (io_pipe(ends) < 0)
		return;
	l->out = ends[0];
	spec.out = ends[1];
	if (proc_spawn(&l->child, &spec, &e) < 0)
		l->child.pid = -1;
	close(ends[1]);
}

static void take_answer(struct left *l)
{
	json_t *answer = json_loadb(l->text.text, l->text.length, 0, NULL);
	const json_t *range = json_object_get(answer, "left_ms");

	l->at = json_array_size(range) == 2 ? clock_now() : 0;
	l->low = json_integer_value(json_array_get(range, 0)) * NS_PER_MS;
	l->high = json_integer_value(json_array_get(range, 1)) * NS_PER_MS;
	json_decref(answer);
}

bool left_read(struct left *l)
{
	enum { ROOM = 4096 };
	ssize_t n = io_read_some(l->out, buf_reserve(&l->text, ROOM), ROOM);

	if (n > 0)
		l->text.length += (size_t)n;
	if (n > 0 && l->text.length < ANSWER_MAX)
		return false;
	take_answer(l);
	end_asking(l);
	return true;
}

/* Whole seconds below ten minutes, whole minutes above: it is an estimate. */
static int64_t coarse(int64_t ns)
{
	const int64_t unit = ns < 600 * NS_PER_S ? NS_PER_S : 60 * NS_PER_S;

	return ns - ns % unit;
}

void left_add(const struct left *l, struct buf *b)
{
	int64_t gone = clock_now() - l->at;
	char low[DURATION_SIZE], high[DURATION_SIZE];

	if (!l->at || gone >= l->high)
		return;
	format_duration(low, coarse(MAX(l->low - gone, INT64_C(0))));
	format_duration(high, coarse(l->high - gone));
	if (strcmp(low, high) == 0)
		buf_format(b, "  %s left", low);
	else
		buf_format(b, "  %s to %s left", low, high);
}
