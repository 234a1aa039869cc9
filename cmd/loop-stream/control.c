/* The two commands that look at a server from outside. */
#include "address.h"
#include "buf.h"
#include "commands.h"
#include "daemon.h"
#include "die.h"
#include "io.h"

#include <errno.h>

static int64_t timeout = 10 * NS_PER_S;
static int64_t patience = 2 * NS_PER_S;
static bool json;

const struct opt stop_options[] = {
	{.name = "timeout",
		.arg = "D",
		.help = "how long to wait for its end (10s)",
		.duration = &timeout},
	{0},
};

const struct opt status_options[] = {
	{.name = "json", .help = "print what GET /status answers", .flag = &json},
	{.name = "timeout",
		.arg = "D",
		.help = "how long to wait for an answer (2s)",
		.duration = &patience},
	{0},
};

static void find_state(struct state *s)
{
	struct err e = {0};
	int r = state_find(s, &e);

	if (r < 0)
		die_err(r, &e);
}

int stop_run(const struct args *args)
{
	struct state state;
	int r;

	args_expect(args, 0, 0);
	find_state(&state);
	r = daemon_stop(&state, "stream", timeout);
	if (r == 0) {
		warn("not running");
		return EXIT_NO;
	}
	if (r < 0)
		die(die_status(r), "%s/stream.pid: %s", state.path, strerror(-r));
	state_close(&state);
	return EXIT_SUCCESS;
}

enum { ANSWER_MAX = 1 << 20 };

/* The body of the answer to a GET; -EPROTO if it is not a 200. */
static int get(const char *url, const char *path, struct buf *body, struct err *e)
{
	AUTO_BUF struct buf text = {0};
	AUTO_CLOSE int fd = address_connect(url, patience, e);
	char *end;
	int r;

	if (fd < 0)
		return fd;
	buf_format(&text, "GET %s HTTP/1.0\r\n\r\n", path);
	r = io_write(fd, text.text, text.length);
	text.length = 0;
	if (r == 0)
		r = io_read_all(fd, ANSWER_MAX, &text);
	if (r < 0)
		return err_sys(e, r == -EAGAIN ? -ETIMEDOUT : r, "%s", url);
	end = strstr(text.text, "\r\n\r\n");
	if (!end || strncmp(text.text, "HTTP/1.1 200 ", 13) != 0)
		return err_set(e, -EPROTO, "%s: an odd answer", url);
	buf_str(body, end + 4);
	return 0;
}

int status_run(const struct args *args)
{
	AUTO_BUF struct buf url = {0}, body = {0};
	struct state state;
	struct err e = {0};
	pid_t pid = 0;
	int r;

	args_expect(args, 0, 0);
	find_state(&state);
	r = daemon_find(&state, "stream", &pid, &url);
	if (r < 0)
		die(die_status(r), "%s/stream.pid: %s", state.path, strerror(-r));
	state_close(&state);
	if (r == 0) {
		puts("not running");
		return EXIT_NO;
	}
	r = get(url.text, json ? "/status" : "/healthz", &body, &e);
	if (r < 0)
		die(EX_UNAVAILABLE, "pid %d does not answer: %s", (int)pid, e.text);
	if (json)
		fputs(body.text, stdout);
	else
		printf("running: pid %d, %s\n", (int)pid, url.text);
	return EXIT_SUCCESS;
}
