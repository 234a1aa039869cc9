/* The two commands that look at a server from outside. */
#include "buf.h"
#include "client.h"
#include "commands.h"
#include "daemon.h"
#include "die.h"

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

int status_run(const struct args *args)
{
	AUTO_BUF struct buf url = {0}, body = {0};
	struct client client = {.timeout = patience};
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
	client.url = url.text;
	r = client_ask(&client, "GET", json ? "/status" : "/healthz", &body, &e);
	if (r < 0)
		die(EX_UNAVAILABLE, "pid %d does not answer: %s", (int)pid, e.text);
	if (json)
		fputs(body.text, stdout);
	else
		printf("running: pid %d, %s\n", (int)pid, url.text);
	return EXIT_SUCCESS;
}
