/*
 * The order of the start: what can be refused is refused before the parent is
 * let go, and nobody is told "ready" before the sockets listen.
 */
#include "address.h"
#include "commands.h"
#include "daemon.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "server.h"
#include "token.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

static struct strs addresses;
static struct strs hosts;
static const char *port_file;
static bool background;
static int64_t ring_size = 4 << 20;
static struct server_limits limits = {
	.head = 10 * NS_PER_S,
	.body = 30 * NS_PER_S,
	.idle = 60 * NS_PER_S,
	.keep_alive = 15 * NS_PER_S,
	.body_max = 1 << 20,
	.clients_max = 16000,
	.message_max = 1 << 20,
	.fragments_max = 16384,
	.retry = 2 * NS_PER_S,
	.upgrade = 10 * NS_PER_S,
	.payload_max = 1000000,
};
static struct strs namespaces;
static int64_t frame_rate = 10;
static bool echo;

const struct opt serve_options[] = {
	{.name = "listen",
		.letter = 'l',
		.arg = "ADDRESS",
		.help = "127.0.0.1:18790 by default; port 0: any; or unix:PATH (repeatable)",
		.strings = &addresses},
	{.name = "host",
		.arg = "HOST[:PORT]",
		.help = "a further name clients may call us by (repeatable)",
		.strings = &hosts},
	{.name = "port-file",
		.arg = "FILE",
		.help = "write the port there once it is known",
		.string = &port_file},
	{.name = "daemon",
		.letter = 'd',
		.help = "go to the background once ready",
		.flag = &background},
	{.name = "keep-alive",
		.arg = "D",
		.help = "a comment on a stream that was silent for so long (15s)",
		.duration = &limits.keep_alive},
	{.name = "retry",
		.arg = "D",
		.help = "what clients are told to wait before they connect again (2s)",
		.duration = &limits.retry},
	{.name = "head-timeout",
		.arg = "D",
		.help = "for the whole head of a request (10s)",
		.duration = &limits.head},
	{.name = "body-timeout",
		.arg = "D",
		.help = "for the whole body of a request (30s)",
		.duration = &limits.body},
	{.name = "idle-timeout",
		.arg = "D",
		.help = "between two requests of a connection (1m)",
		.duration = &limits.idle},
	{.name = "max-body",
		.arg = "SIZE",
		.help = "of a request's body (1M)",
		.size = &limits.body_max},
	{.name = "max-message",
		.arg = "SIZE",
		.help = "of a WebSocket message (1M)",
		.size = &limits.message_max},
	{.name = "max-fragments",
		.arg = "N",
		.help = "of a WebSocket message, 0: any number (16384)",
		.number = &limits.fragments_max},
	{.name = "max-clients",
		.arg = "N",
		.help = "connections open at once; more wait in the kernel (16000)",
		.number = &limits.clients_max,
		.min = 1,
		.max = 1000000},
	{.name = "frame-rate",
		.arg = "N",
		.help = "a second, in which low events are folded; 0: none is (10)",
		.number = &frame_rate,
		.max = 1000},
	{.name = "eio-ping-interval",
		.arg = "D",
		.help = "between two heartbeats of Engine.IO (25s)",
		.duration = &limits.ping_interval},
	{.name = "eio-ping-timeout",
		.arg = "D",
		.help = "for the answer to one (20s)",
		.duration = &limits.ping_timeout},
	{.name = "eio-upgrade-timeout",
		.arg = "D",
		.help = "for the change from polling to WebSocket (10s)",
		.duration = &limits.upgrade},
	{.name = "eio-max-payload",
		.arg = "SIZE",
		.help = "of an Engine.IO message or payload (1000000)",
		.size = &limits.payload_max},
	{.name = "sio-connect-timeout",
		.arg = "D",
		.help = "for joining the first namespace of Socket.IO (45s)",
		.duration = &limits.connect},
	{.name = "sio-namespace",
		.arg = "NAME",
		.help = "a further namespace besides / (repeatable)",
		.strings = &namespaces},
	{.name = "echo",
		.help = "send back what comes, for protocol suites: see the manual",
		.flag = &echo},
	{.name = "ring",
		.arg = "SIZE",
		.help = "events kept in memory for clients that keep up (4M)",
		.size = &ring_size},
	{0},
};

/* As many descriptors as we may have: each client is one. */
static void raise_descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
}

/* The names a listener is called by: only these in a request's Host. */
static void add_names(struct guard *g, int fd)
{
	static const char *const loopback[] = {"127.0.0.1", "localhost", "[::1]"};
	int port = address_port(fd);
	AUTO_BUF struct buf url = {0};
	struct err e = {0};

	if (!port)
		return;
	for (size_t i = 0; i < countof(loopback); i++) {
		strs_format(&g->hosts, "%s:%d", loopback[i], port);
		if (port == 80)
			strs_add(&g->hosts, loopback[i]);
	}
	if (address_url(fd, &url, &e) == 0)
		strs_take(&g->hosts, mem_substring(url.text + 7, url.length - 8));
}

static int listen_at(const char *address)
{
	struct err e = {0};
	int fd = address_listen(address, &e);

	if (fd < 0)
		die(fd == -EINVAL ? EX_USAGE : EX_UNAVAILABLE, "%s", e.text);
	return fd;
}

/* Descriptors that were handed over, else the addresses of the options. */
static size_t open_listeners(int *fds, int inherited)
{
	size_t count = 0;

	if (addresses.count > LISTENERS_MAX)
		die_usage("--listen: more than %d addresses", LISTENERS_MAX);
	for (; count < (size_t)inherited && count < LISTENERS_MAX; count++)
		fds[count] = 3 + (int)count;
	if (inherited)
		return count;
	for (; count < addresses.count; count++)
		fds[count] = listen_at(addresses.item[count]);
	if (!count)
		fds[count++] = listen_at("127.0.0.1:18790");
	return count;
}

static void set_guard(struct server *s, const int *fds, size_t count)
{
	bool inet = false;
	struct err e = {0};
	int r;

	for (size_t i = 0; i < count; i++) {
		inet |= address_port(fds[i]) != 0;
		s->guard.open |= !address_local(fds[i]);
		add_names(&s->guard, fds[i]);
	}
	for (size_t i = 0; inet && i < hosts.count; i++)
		strs_add(&s->guard.hosts, hosts.item[i]);
	r = token_load(s->state, &s->guard.token, &e);
	if (r < 0)
		die_err(r, &e);
}

/* Where we are, for those who start us: the port in a file, the address on standard output. */
static void announce(const char *url, int port)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%d\n", port);
	int r = port_file ? io_replace(AT_FDCWD, port_file, text, (size_t)n, 0644) : 0;

	if (r < 0)
		die(EX_CANTCREAT, "%s: %s", port_file, strerror(-r));
	if (addresses.count || isatty(STDOUT_FILENO))
		printf("%s\n", url);
	if (finish(0) != 0)
		exit(EX_IOERR);
}

/*
 * What was not given: as Socket.IO's own servers have it, or as their suites want it. Those answer
 * three heartbeats without ever connecting: 0.9 s where nothing else runs, more where it does.
 */
static void set_defaults(void)
{
	const struct {
		int64_t *value, usual, echoed;
	} defaults[] = {
		{&limits.ping_interval, 25 * NS_PER_S, 300 * NS_PER_MS},
		{&limits.ping_timeout, 20 * NS_PER_S, 200 * NS_PER_MS},
		{&limits.connect, 45 * NS_PER_S, 1400 * NS_PER_MS},
	};

	for (size_t i = 0; i < countof(defaults); i++)
		if (!*defaults[i].value)
			*defaults[i].value = echo ? defaults[i].echoed : defaults[i].usual;
	limits.frame = frame_rate ? NS_PER_S / frame_rate : 0;
	for (size_t i = 0; i < namespaces.count; i++)
		if (namespaces.item[i][0] != '/' || strchr(namespaces.item[i], ','))
			die_usage("--sio-namespace: '%s' does not begin with /, or holds a comma",
				namespaces.item[i]);
}

static void bring_up(struct server *s, const struct state *state, int inherited, struct buf *url)
{
	int fds[LISTENERS_MAX];
	struct err e = {0};
	size_t count = open_listeners(fds, inherited);
	int r;

	s->state = state;
	s->limits = limits;
	r = feed_open(&s->feed, state, (size_t)ring_size, &e);
	if (r < 0)
		die_err(r, &e);
	s->feed.folds = limits.frame > 0;
	s->namespaces = namespaces;
	s->echo = echo;
	set_guard(s, fds, count);
	server_init(s, state, fds, count);
	if (address_url(fds[0], url, &e) < 0)
		die(EX_OSERR, "%s", e.text);
	announce(url->text, address_port(fds[0]));
}

int serve_run(const struct args *args)
{
	int inherited = daemon_inherited();
	struct server *server = mem_zero(1, sizeof *server);
	AUTO_BUF struct buf url = {0};
	struct state state;
	struct daemon self;
	struct err e = {0};
	int r;

	args_none(args);
	set_defaults();
	raise_descriptors();
	r = state_open(&state, &e);
	if (r == 0)
		r = daemon_begin(&self, &state, "stream", background, &e);
	if (r < 0)
		die_err(r, &e);
	bring_up(server, &state, inherited, &url);
	/* For the programs that we start. */
	(void)setenv("LOOP_DIR", state.path, 1);
	r = daemon_ready(&self, url.text, &e);
	if (r < 0)
		die_err(r, &e);
	server_run(server);
	daemon_stopping();
	daemon_end(&self);
	free(server);
	strs_clear(&addresses);
	strs_clear(&hosts);
	strs_clear(&namespaces);
	state_close(&state);
	return EXIT_SUCCESS;
}
