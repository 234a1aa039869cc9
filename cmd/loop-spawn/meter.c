#include "meter.h"

#include "clock.h"
#include "env.h"
#include "io.h"

#include <signal.h>

enum { USAGE_LINE_MAX = 64 << 10 };
#define HURRY_REST (250 * NS_PER_MS) /* until the agent has written it down */

static int64_t next_time(const struct agent *agent)
{
	return agent->usage && agent->meter ? clock_after(agent->meter) : NS_FOREVER;
}

void meter_init(struct meter *m, const struct agent *agent)
{
	*m = (struct meter){.out = -1, .lines = {.max = USAGE_LINE_MAX}, .next = next_time(agent)};
	m->child = (struct child){.pid = -1, .pidfd = -1};
}

static int spawn_script(struct meter *m, struct session *s, int out)
{
	char *argv[] = {s->agent.usage, NULL};
	struct strs env = {0};
	struct spawn spec = {.argv = argv, .dir = s->work, .in = -1, .out = out, .error = -1};
	struct err e = {0};
	int r;

	env_build(s, &env);
	env_set(&env, "LOOP_AGENT_SESSION", s->agent_session);
	spec.env = env.item;
	r = proc_spawn(&m->child, &spec, &e);
	strs_clear(&env);
	return r;
}

void meter_start(struct meter *m, struct session *s)
{
	AUTO_CLOSE int out = -1;
	int ends[2];

	m->next = next_time(&s->agent);
	if (m->out >= 0 || !s->agent.usage || !*s->agent_session || io_pipe(ends) < 0)
		return;
	m->out = ends[0];
	out = ends[1];
	if (spawn_script(m, s, out) < 0)
		meter_clear(m);
}

void meter_hurry(struct meter *m)
{
	if (m->out >= 0)
		m->again = true;
	else if (m->next != NS_FOREVER)
		m->next = MIN(m->next, clock_after(HURRY_REST));
}

bool meter_read(struct meter *m)
{
	enum { ROOM = 4096 };
	ssize_t n = io_read_some(m->out, lines_room(&m->lines, ROOM), ROOM);

	if (n > 0) {
		lines_fed(&m->lines, (size_t)n);
		return true;
	}
	meter_clear(m);
	if (m->again)
		meter_hurry(m);
	m->again = false;
	return false;
}

/* It has closed its output, or nobody wants it any more: either way it is done. */
void meter_clear(struct meter *m)
{
	if (m->child.pid > 0) {
		child_signal(&m->child, SIGKILL);
		child_wait(&m->child);
	}
	m->child.pid = -1;
	if (m->out >= 0)
		close(m->out);
	m->out = -1;
	lines_clear(&m->lines);
}
