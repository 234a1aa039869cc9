/*
 * badwire: what may stand between a client and its server, on a Unix socket.
 *
 *	badwire SOCKET say TEXT		answers whatever comes with the text (\r and \n resolved)
 *	badwire SOCKET delay MS UP	passes everything on to the socket UP, answers late
 *	badwire SOCKET lose N UP	the N-th request of all ends the connection and is lost
 *	badwire SOCKET cut N UP		it is passed on, its answer is lost with the connection
 *
 * A request is what one read gives. Each connection has a process of its own.
 */
#include "base.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"

#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PIECE = 1 << 16 };

struct fault {
	const char *kind, *up;
	long n;
	struct buf text;
	atomic_long *requests; /* of all connections */
};

static struct sockaddr_un address_of(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	return a;
}

static int unix_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die_errno(EX_OSERR, "socket");
	return fd;
}

/* Passes on what one side said; false at its end. */
static bool pass(int from, int to)
{
	static char piece[PIECE];
	ssize_t n = io_read_some(from, piece, sizeof piece);

	return n > 0 && io_write(to, piece, (size_t)n) == 0;
}

/* One that ends the connection: false. */
static bool pass_request(struct fault *f, int client, int up)
{
	bool it = atomic_fetch_add(f->requests, 1) + 1 == f->n;
	char byte;

	if (strcmp(f->kind, "delay") == 0)
		return pass(client, up);
	if (it && strcmp(f->kind, "lose") == 0)
		return false;
	if (!pass(client, up))
		return false;
	/* The answer's first byte says that it has been done. */
	return !it || io_read_some(up, &byte, 1) < 0;
}

static void relay(struct fault *f, int client)
{
	int up = unix_socket();
	struct sockaddr_un a = address_of(f->up);
	struct pollfd p[2] = {{.fd = client, .events = POLLIN}, {.fd = up, .events = POLLIN}};

	if (connect(up, (struct sockaddr *)&a, sizeof a) < 0)
		return;
	for (bool on = true; on && poll(p, 2, -1) > 0;) {
		if (p[0].revents)
			on = pass_request(f, client, up);
		if (on && p[1].revents) {
			if (strcmp(f->kind, "delay") == 0)
				clock_sleep(f->n * NS_PER_MS);
			on = pass(up, client);
		}
	}
}

static void say(const struct fault *f, int client)
{
	char piece[PIECE];

	while (io_read_some(client, piece, sizeof piece) > 0)
		if (io_write(client, f->text.text, f->text.length) < 0)
			return;
}

static void unescape(struct buf *out, const char *text)
{
	for (; *text; text++)
		if (*text == '\\' && (text[1] == 'r' || text[1] == 'n'))
			buf_char(out, *++text == 'r' ? '\r' : '\n');
		else
			buf_char(out, *text);
}

static void serve(struct fault *f, int client)
{
	if (strcmp(f->kind, "say") == 0)
		say(f, client);
	else
		relay(f, client);
}

int main(int argc, char **argv)
{
	struct fault f = {0};
	struct sockaddr_un a;
	int server = unix_socket(), client;

	if (argc < 4 || (strcmp(argv[2], "say") != 0 && argc != 5))
		die(EX_USAGE, "badwire SOCKET say|delay|lose|cut TEXT|N [UP]");
	a = address_of(argv[1]);
	f.kind = argv[2];
	f.n = strtol(argv[3], NULL, 10);
	f.up = argv[4];
	unescape(&f.text, argv[3]);
	f.requests = mmap(NULL, sizeof *f.requests, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (f.requests == MAP_FAILED || bind(server, (struct sockaddr *)&a, sizeof a) < 0 ||
		listen(server, 64) < 0)
		die_errno(EX_OSERR, "%s", argv[1]);
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	while ((client = accept4(server, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		if (fork() == 0) {
			serve(&f, client);
			_exit(0);
		}
		close(client);
	}
	return 1;
}
