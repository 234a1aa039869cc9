/*
 * serve: opens the socket and the FIFO and runs the loop. One bus a state
 * directory: the lock on its pid file says so, so a socket that is there
 * already is what a killed bus left behind.
 */
#include "address.h"
#include "commands.h"
#include "server.h"

#include "choose.h"
#include "clock.h"
#include "daemon.h"
#include "die.h"
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* An append that a hung writer holds up must not hold up everybody: to the spool, soon. */
#define LOCK_WAIT (100 * NS_PER_MS)

static struct {
	bool background;
	bool no_fifo;
	int64_t silence; /* ns: who connects and asks for nothing for so long is cut off */
} options = {.silence = 30 * NS_PER_S};

const struct opt serve_options[] = {
	{.name = "daemon",
		.letter = 'D',
		.help = "go to the background once it is ready",
		.flag = &options.background},
	{.name = "no-fifo", .help = "no bus.fifo", .flag = &options.no_fifo},
	{.name = "silence",
		.arg = "DURATION",
		.help = "cut off who connects and asks for nothing for so long (30s)",
		.duration = &options.silence},
	{0},
};

/* A place behind the journal's end: it was taken away, and has begun anew. */
static void come_back(struct subscription *s, const struct feed *f)
{
	for (int i = 0; i < LEVELS; i++)
		s->at[i] = feed_start(f);
	s->partial = -1;
	s->sent = 0;
}

/* Reads on. The rest of a line that stood in a journal that is gone cannot be sent any more. */
static int advance(struct server *s)
{
	uint64_t begun = s->feed.begun;
	int more = feed_advance(&s->feed);

	for (struct client *c = s->clients, *next; c && s->feed.begun != begun; c = next) {
		next = c->next;
		if (c->sub.partial >= 0)
			client_close(c);
	}
	return more;
}

static void on_work(uv_idle_t *idle)
{
	struct server *s = idle->data;
	int more = advance(s);
	int64_t end = feed_end(&s->feed);
	bool busy = more > 0;

	if (more < 0)
		warn("the journal: %s", strerror(-more));
	for (struct client *c = s->clients, *next; c; c = next) {
		next = c->next;
		if (c->sub.on && c->sub.at[0] > end)
			come_back(&c->sub, &s->feed);
		if (c->blocked)
			continue;
		if (c->ready || c->out.length || (c->sub.on && c->sub.at[0] < end))
			client_turn(c);
	}
	for (struct client *c = s->clients; c && !busy; c = c->next)
		busy = c->ready && !c->blocked;
	if (!busy)
		uv_idle_stop(idle);
}

void server_wake(struct server *s)
{
	uv_idle_start(&s->work, on_work);
}

static void on_journal(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct server *s = poll->data;

	/* What has come goes out first; what is told of from now on is looked for again. */
	on_work(&s->work);
	if (journal_watched(s->feed.tail))
		server_wake(s);
}

/* Looks by time where there is no inotify, and sends home who says nothing. */
static void on_tick(uv_timer_t *timer)
{
	struct server *s = timer->data;
	int64_t now = clock_now();

	server_wake(s);
	fifo_tick(s, now);
	for (struct client *c = s->clients, *next; c; c = next) {
		next = c->next;
		if (!c->spoken && now - c->since > options.silence) {
			answer_error(c, "nothing was asked for");
			client_close(c);
		}
	}
}

/* Descriptors are used up: one is kept for this, so that the caller is told and we do not spin. */
static void refuse_one(struct server *s)
{
	int fd;

	if (s->spare_fd >= 0)
		close(s->spare_fd);
	fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	s->spare_fd = io_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);
	s->refused++;
}

static void on_connection(uv_poll_t *poll, int status UNUSED, int events UNUSED)
{
	struct server *s = poll->data;
	struct ucred peer;
	socklen_t size = sizeof peer;
	int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		refuse_one(s);
	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
		(peer.uid != geteuid() && peer.uid != 0)) {
		s->refused++;
		close(fd);
		return;
	}
	client_new(s, fd, peer.pid);
}

static int listen_on(const struct state *state, struct err *e)
{
	struct sockaddr_un address;
	struct stat st;
	int fd, r = 0;

	if (fstatat(state->dir, SOCKET_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		!S_ISSOCK(st.st_mode))
		return err_set(e, -EEXIST, "%s: is there and no socket", SOCKET_NAME);
	unlinkat(state->dir, SOCKET_NAME, 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_sys(e, -errno, SOCKET_NAME);
	socket_address(&address, state);
	if (bind(fd, (const void *)&address, sizeof address) < 0 ||
		fchmodat(state->dir, SOCKET_NAME, 0600, 0) < 0 || listen(fd, 1024) < 0)
		r = err_sys(e, -errno, SOCKET_NAME);
	if (r < 0)
		close(fd);
	return r < 0 ? r : fd;
}

static void on_signal(uv_signal_t *handle, int number UNUSED)
{
	uv_stop(handle->loop);
}

static int watch_everything(struct server *s)
{
	int watch = journal_watch(s->feed.tail);

	uv_idle_init(&s->loop, &s->work);
	uv_timer_init(&s->loop, &s->tick);
	uv_timer_start(&s->tick, on_tick, watch < 0 ? 20 : 1000, watch < 0 ? 20 : 1000);
	uv_poll_init(&s->loop, &s->listener, s->listen_fd);
	uv_poll_start(&s->listener, UV_READABLE, on_connection);
	if (watch >= 0) {
		uv_poll_init(&s->loop, &s->watch, watch);
		uv_poll_start(&s->watch, UV_READABLE, on_journal);
	}
	uv_signal_init(&s->loop, &s->term);
	uv_signal_start(&s->term, on_signal, SIGTERM);
	uv_signal_init(&s->loop, &s->interrupt);
	uv_signal_start(&s->interrupt, on_signal, SIGINT);
	s->work.data = s->tick.data = s->listener.data = s->watch.data = s;
	server_wake(s); /* what came before the watch was there */
	return 0;
}

static int server_open(struct server *s, const struct state *state, int listener, struct err *e)
{
	int r;

	*s = (struct server){
		.state = state, .listen_fd = listener, .fifo_fd = -1, .inherited = listener >= 0};
	s->spare_fd = io_open(AT_FDCWD, "/dev/null", O_RDONLY, 0);
	journal_init(&s->journal, state);
	s->journal.wait = LOCK_WAIT;
	r = io_loop_room();
	if (r < 0 || uv_loop_init(&s->loop) < 0)
		return err_sys(e, r < 0 ? r : -EMFILE, "the event loop");
	r = feed_open(&s->feed, state, e);
	if (r == 0)
		s->listen_fd = s->inherited ? listener : listen_on(state, e);
	if (r == 0 && s->inherited)
		r = io_nonblock(listener, true);
	if (r == 0)
		r = MIN(s->listen_fd, 0);
	if (r == 0 && !options.no_fifo)
		r = fifo_open(s, e);
	return r < 0 ? r : watch_everything(s);
}

static void close_handle(uv_handle_t *handle, void *context UNUSED)
{
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void server_close(struct server *s)
{
	while (s->clients)
		client_close(s->clients);
	fifo_close(s);
	uv_walk(&s->loop, close_handle, NULL);
	uv_run(&s->loop, UV_RUN_DEFAULT);
	uv_loop_close(&s->loop);
	if (!s->inherited)
		unlinkat(s->state->dir, SOCKET_NAME, 0);
	close(s->listen_fd);
	if (s->fifo_fd >= 0)
		close(s->fifo_fd);
	if (s->spare_fd >= 0)
		close(s->spare_fd);
	feed_close(&s->feed);
	journal_close(&s->journal);
	buf_clear(&s->intake.text);
	free(s->intake.end);
	free(s->intake.id);
}

int serve_main(const struct args *args)
{
	static struct server server;
	struct daemon self;
	struct state state;
	struct err e = {0};
	int inherited = daemon_inherited(), r;

	args_none(args);
	umask(077);
	signal(SIGPIPE, SIG_IGN); /* a subscriber that went away is no end of ours */
	r = state_open(&state, &e);
	if (r == 0)
		r = daemon_begin(&self, &state, "bus", options.background, &e);
	if (r < 0)
		die_err(r, &e);
	r = server_open(&server, &state, inherited > 0 ? 3 : -1, &e);
	if (r == 0)
		r = daemon_ready(&self, SOCKET_NAME, &e);
	if (r < 0)
		die_err(r, &e);
	uv_run(&server.loop, UV_RUN_DEFAULT);
	daemon_stopping();
	server_close(&server);
	daemon_end(&self);
	state_close(&state);
	return EXIT_SUCCESS;
}
