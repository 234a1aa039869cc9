#include "retry.h"

#include "die.h"
#include "io.h"
#include "mem.h"
#include "proc.h"
#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>

enum { MESSAGE_MAX = 4096 };

/* One that was started, until it ends. */
struct retry {
	struct server *server;
	uv_poll_t poll;
	struct child child;
	char *log; /* its path in the state directory */
	char run[129];
};

bool retry_possible(const struct state *s, const char *run)
{
	AUTO_FREE char *path = mem_format("runs/%s/run.jsonl", run);
	AUTO_CLOSE int fd = state_file(s, path, O_RDONLY, 0);

	return fd >= 0;
}

/* The last line of what it said. */
static void last_line(const struct retry *r, struct buf *out)
{
	AUTO_BUF struct buf text = {0};
	char *line;

	buf_add(&text, "", 0);
	if (io_read_file(r->server->state->dir, r->log, MESSAGE_MAX, &text) < 0)
		text.length = 0;
	while (text.length && text.text[text.length - 1] == '\n')
		text.text[--text.length] = '\0';
	line = text.length ? strrchr(text.text, '\n') : NULL;
	buf_str(out, line ? line + 1 : text.text);
}

/* A run that fails again is told by the run; this is one that was not taken up. */
static void report(const struct retry *r, int status)
{
	AUTO_BUF struct buf why = {0}, data = {0};
	struct event event = {.type = "error.occurred", .source = "/loop-stream", .runid = r->run};

	last_line(r, &why);
	if (!why.length)
		buf_format(&why, "retry ended with status %d", status);
	buf_str(&data, "{\"program\":\"loop-sched\",\"message\":");
	buf_json(&data, why.text, why.length);
	buf_char(&data, '}');
	event.priority = HIGH;
	event.data = (struct span){data.text, data.length};
	journal_emit(&r->server->writer, &event);
}

static void on_freed(uv_handle_t *handle)
{
	struct retry *r = handle->data;

	child_close(&r->child);
	free(r->log);
	free(r);
}

static void on_end(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct retry *r = poll->data;
	int wait_status = 0;

	if (waitpid(r->child.pid, &wait_status, WNOHANG) == 0)
		return;
	if (proc_exit_status(wait_status) > EXIT_NO)
		report(r, proc_exit_status(wait_status));
	uv_close((uv_handle_t *)poll, on_freed);
}

static int spawn(struct retry *r, struct err *e)
{
	char program[] = "loop-sched", verb[] = "retry";
	char *argv[] = {program, verb, r->run, NULL};
	AUTO_CLOSE int log = state_file(
		r->server->state, r->log, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	int result;

	if (log < 0)
		return err_sys(e, log, "%s", r->log);
	result = proc_spawn(&r->child,
		&(struct spawn){.argv = argv,
			.in = -1,
			.out = log,
			.error = log,
			.new_session = true,
			.outlives = true},
		e);
	return result == -ENOENT || result == -EACCES
		? err_set(e, result, "loop-sched cannot be run here")
		: result;
}

int retry_start(struct server *s, const char *run, struct err *e)
{
	struct retry *r = mem_zero(1, sizeof *r);
	int result;

	r->server = s;
	snprintf(r->run, sizeof r->run, "%s", run);
	r->log = mem_format("runs/%s/retry.log", run);
	result = spawn(r, e);
	if (result == 0 && uv_poll_init(&s->loop, &r->poll, r->child.pidfd) < 0)
		result = err_set(e, -ENOMEM, "its end cannot be watched");
	if (result < 0) {
		free(r->log);
		free(r);
		return result;
	}
	r->poll.data = r;
	uv_poll_start(&r->poll, UV_READABLE, on_end);
	return 0;
}
