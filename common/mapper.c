#include "mapper.h"

#include "io.h"
#include "jscan.h"
#include "share.h"

#include <errno.h>

enum { EVENT_LINE_MAX = 32 << 20,
	STDERR_LINE_MAX = 16 << 10 };

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Maps include what they share from the folder of all agents: theirs, or the house's. */
static int spawn_jq(struct mapper *m, const char *path, int in, int out, int errors, struct err *e)
{
	AUTO_FREE char *shared = share_path("agents");
	struct strs argv = {0};
	struct spawn s = {.in = in, .out = out, .error = errors};
	int r;

	strs_add(&argv, "jq");
	strs_add(&argv, "-nc");
	strs_add(&argv, "--unbuffered");
	strs_add(&argv, "-L");
	strs_format(&argv, "%.*s/..", (int)(strrchr(path, '/') - path), path);
	if (shared) {
		strs_add(&argv, "-L");
		strs_add(&argv, shared);
	}
	strs_add(&argv, "-f");
	strs_add(&argv, path);
	s.argv = argv.item;
	r = proc_spawn(&m->child, &s, e);
	strs_clear(&argv);
	return r;
}

int mapper_start(struct mapper *m, const char *path, int errors, struct err *e)
{
	AUTO_CLOSE int in = -1, out = -1;
	int ends[2], r;

	*m = (struct mapper){.in = -1, .out = -1, .lines = {.max = EVENT_LINE_MAX}};
	m->child = (struct child){.pid = -1, .pidfd = -1};
	if (!path)
		return 0;
	r = io_pipe(ends);
	if (r < 0)
		return err_sys(e, r, "pipe");
	in = ends[0];
	m->in = ends[1];
	r = io_pipe(ends);
	if (r < 0)
		return err_sys(e, r, "pipe");
	m->out = ends[0];
	out = ends[1];
	r = io_nonblock(m->in, true);
	if (r == 0)
		r = spawn_jq(m, path, in, out, errors, e);
	if (r < 0)
		mapper_clear(m);
	return r;
}

static void add_string(struct mapper *m, const char *key, const char *text, size_t length)
{
	buf_format(&m->queue, "{\"%s\":", key);
	buf_json(&m->queue, text, length);
	buf_str(&m->queue, "}\n");
}

bool mapper_out(struct mapper *m, const char *line, size_t length)
{
	const char *what;
	size_t at;
	bool json = jscan_check(line, length, &at, &what) == 0;

	if (m->in < 0)
		return json;
	if (json) {
		buf_str(&m->queue, "{\"out\":");
		buf_add(&m->queue, line, length);
		buf_str(&m->queue, "}\n");
	} else {
		add_string(m, "text", line, length);
	}
	return json;
}

void mapper_error(struct mapper *m, const char *line, size_t length)
{
	if (m->in >= 0)
		add_string(m, "err", line, MIN(length, (size_t)STDERR_LINE_MAX));
}

void mapper_end(struct mapper *m, int status, int signal)
{
	if (m->in < 0)
		return;
	buf_format(&m->queue, "{\"end\":{\"status\":%d,\"signal\":%d}}\n", status, signal);
	m->ending = true;
}

void mapper_write(struct mapper *m)
{
	ssize_t n = write(m->in, m->queue.text, m->queue.length);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) { /* jq is gone: what it has said stands */
		m->queue.length = 0;
		close_fd(&m->in);
		return;
	}
	buf_drop(&m->queue, (size_t)n);
	if (m->ending && !m->queue.length)
		close_fd(&m->in);
}

bool mapper_read(struct mapper *m)
{
	enum { ROOM = 65536 };
	ssize_t n = io_read_some(m->out, lines_room(&m->lines, ROOM), ROOM);

	if (n > 0) {
		lines_fed(&m->lines, (size_t)n);
		return true;
	}
	close_fd(&m->out);
	close_fd(&m->in);
	return false;
}

void mapper_clear(struct mapper *m)
{
	close_fd(&m->in);
	close_fd(&m->out);
	child_close(&m->child);
	buf_clear(&m->queue);
	lines_clear(&m->lines);
}
