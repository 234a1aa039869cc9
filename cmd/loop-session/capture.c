#include "capture.h"

#include "agent.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "mapper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

enum { CAPTURED_MAX = 32 << 20,
	READ_ROOM = 1 << 18,
	QUEUE_ENOUGH = 1 << 20 };

struct capture {
	struct mapper mapper;
	struct lines lines;
	int fd; /* -1: read to its end */
	void (*take)(void *, const char *, size_t);
	void *context;
};

static void load_agent(struct agent *agent, const char *name)
{
	struct state state = {.dir = -1};
	struct err e = {0};
	int r;

	if (state_find(&state, &e) < 0)
		state = (struct state){.dir = -1};
	e = (struct err){0};
	r = agent_load(agent, &state, name, &e);
	if (r < 0)
		die(r == -ENOENT ? EX_NOINPUT : EX_CONFIG, "--agent: %s", e.text);
	if (!agent->map)
		die(EX_CONFIG, "--agent: %s has no map.jq: what it prints means nothing", name);
	if (state.dir >= 0)
		state_close(&state);
}

static void read_more(struct capture *c)
{
	ssize_t n = io_read_some(c->fd, lines_room(&c->lines, READ_ROOM), READ_ROOM);
	size_t length;
	char *line;

	if (n < 0)
		die(EX_IOERR, "the capture cannot be read: %s", strerror((int)-n));
	lines_fed(&c->lines, (size_t)n);
	while (lines_next(&c->lines, &line, &length))
		if (length)
			mapper_out(&c->mapper, line, length);
	if (n > 0)
		return;
	if (lines_rest(&c->lines, &line, &length))
		mapper_out(&c->mapper, line, length);
	mapper_end(&c->mapper, 0, 0);
	c->fd = -1;
}

static void read_events(struct capture *c)
{
	size_t length;
	char *line;

	if (mapper_read(&c->mapper))
		while (lines_next(&c->mapper.lines, &line, &length))
			c->take(c->context, line, length);
}

static void follow(struct capture *c)
{
	while (c->mapper.out >= 0) {
		struct pollfd p[2];

		while (c->fd >= 0 && c->mapper.queue.length < QUEUE_ENOUGH)
			read_more(c);
		p[0] = (struct pollfd){.fd = c->mapper.queue.length ? c->mapper.in : -1,
			.events = POLLOUT};
		p[1] = (struct pollfd){.fd = c->mapper.out, .events = POLLIN};
		if (poll(p, countof(p), -1) < 0 && errno != EINTR)
			die_errno(EX_OSERR, "poll");
		if (p[0].revents)
			mapper_write(&c->mapper);
		if (p[1].revents)
			read_events(c);
	}
}

static void end(struct capture *c, const char *map)
{
	int status = 0;

	while (waitpid(c->mapper.child.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status)
		die(EX_DATAERR, "%s: jq failed; see above", map);
	mapper_clear(&c->mapper);
	lines_clear(&c->lines);
}

void capture_each(const char *name, int fd, void (*take)(void *, const char *, size_t),
	void *context)
{
	struct capture c = {.lines = {.max = CAPTURED_MAX},
		.fd = fd,
		.take = take,
		.context = context};
	struct agent agent;
	struct err e = {0};

	signal(SIGPIPE, SIG_IGN); /* a jq that has failed says so by its status */
	load_agent(&agent, name);
	if (mapper_start(&c.mapper, agent.map, STDERR_FILENO, &e) < 0)
		die(EX_UNAVAILABLE, "jq: %s", e.text);
	follow(&c);
	end(&c, agent.map);
	signal(SIGPIPE, SIG_DFL);
	agent_clear(&agent);
}
