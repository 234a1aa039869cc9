#include "commands.h"

#include "address.h"
#include "choose.h"
#include "daemon.h"
#include "die.h"
#include "io.h"

#include <errno.h>
#include <poll.h>

/* How long a bus may take to answer before it counts as hung. */
enum { ANSWER_MS = 5000 };

static struct {
	int64_t timeout;
	bool json;
} options = {.timeout = 10 * NS_PER_S};

const struct opt stop_options[] = {
	{.name = "timeout",
		.arg = "DURATION",
		.help = "how long to wait for its end (10s)",
		.duration = &options.timeout},
	{0},
};

const struct opt status_options[] = {
	{.name = "json", .help = "print its figures as JSON", .flag = &options.json},
	{0},
};

int stop_main(const struct args *args)
{
	struct state state;
	int r;

	args_none(args);
	must_find_state(&state);
	r = daemon_stop(&state, "bus", options.timeout);
	if (r < 0)
		die(die_status(r), "bus.pid: %s", strerror(-r));
	state_close(&state);
	if (r == 0)
		warn("no bus runs here");
	return r ? EXIT_SUCCESS : EXIT_NO;
}

/* The first line of the answer; -ETIMEDOUT from one that hangs. */
static int read_answer(int fd, struct buf *answer)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	while (!answer->length || answer->text[answer->length - 1] != '\n') {
		ssize_t n;

		if (poll(&p, 1, ANSWER_MS) == 0)
			return -ETIMEDOUT;
		n = io_read_some(fd, buf_reserve(answer, 4096), 4096);
		if (n <= 0)
			return n < 0 ? (int)n : -EPROTO;
		answer->length += (size_t)n;
		buf_add(answer, "", 0);
	}
	return 0;
}

static int64_t figure(struct span stats, const char *key)
{
	struct span value;
	int64_t n = 0;

	if (jscan_get(stats, key, &value) && jscan_int(value, &n) < 0)
		n = 0;
	return n;
}

/* A health check: it does not only run, it answers. */
int status_main(const struct args *args)
{
	static const char ask[] = "{\"op\":\"stats\"}\n";
	AUTO_BUF struct buf answer = {0};
	AUTO_CLOSE int fd = -1;
	struct state state;
	struct span stats;
	int r;

	args_none(args);
	must_find_state(&state);
	fd = socket_connect(&state);
	state_close(&state);
	if (fd < 0) {
		warn("no bus runs here");
		return EXIT_NO;
	}
	r = io_write(fd, ask, sizeof ask - 1);
	if (r == 0)
		r = read_answer(fd, &answer);
	if (r < 0)
		die(EX_UNAVAILABLE, "the bus does not answer: %s", strerror(-r));
	stats = (struct span){answer.text, answer.length};
	if (options.json)
		fwrite(answer.text, 1, answer.length, stdout);
	else
		printf("running, pid %lld: %lld clients, %lld events published\n",
			(long long)figure(stats, "pid"), (long long)figure(stats, "clients"),
			(long long)figure(stats, "published"));
	return EXIT_SUCCESS;
}
