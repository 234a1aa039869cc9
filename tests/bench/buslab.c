/*
 * buslab: loads a bus and counts what it delivers. A message is about 200 bytes
 * and holds one "}"; these are counted, so that counting costs the same for
 * every protocol.
 *
 *	buslab thr PROTOCOL ADDRESS SUBSCRIBERS SECONDS   deliveries a second
 *	buslab all PROTOCOL ADDRESS SUBSCRIBERS COUNT     the same until COUNT have come to each
 *	buslab lat PROTOCOL ADDRESS SUBSCRIBERS COUNT     microseconds, p50 and p99, one at a time
 *	buslab conns PROTOCOL ADDRESS COUNT               idle subscribers; waits for a line
 *
 * PROTOCOL: loop (ADDRESS: the state directory; events are appended to the journal), redis and
 * streams (a Unix socket; pub/sub, and a stream that each subscriber reads as a group), nats and
 * jetstream (a port; the core, and a stream in files with a consumer each), relay (nothing but two
 * socket pairs and epoll: the floor), tail (the floor where the first of them is a file in the
 * folder ADDRESS: append, inotify, read, send).
 */
#include "base.h"

#include "buf.h"
#include "die.h"
#include "event.h"
#include "io.h"
#include "journal.h"
#include "mem.h"
#include "watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

enum { BATCH = 256,
	WINDOW = 16384,
	MESSAGE = 200 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

struct lab {
	const char *protocol, *address;
	int subs, *sub;
	long *due;	     /* by subscriber: entries of a stream's answer still to come */
	int publisher;	     /* where messages are written, for a protocol that has such a thing */
	struct buf batch[2]; /* one message, and BATCH of them */
	struct state state;
	struct journal journal;
	struct span record[BATCH];
};

static int connect_unix(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (fd < 0 || connect(fd, (const void *)&a, sizeof a) < 0)
		die_errno(EX_UNAVAILABLE, "%s", path);
	return fd;
}

static int connect_port(const char *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	a.sin_port = htons((uint16_t)strtol(port, NULL, 10));
	if (fd < 0 || connect(fd, (const void *)&a, sizeof a) < 0)
		die_errno(EX_UNAVAILABLE, "port %s", port);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static void say(int fd, const char *text)
{
	if (io_write(fd, text, strlen(text)) < 0)
		die_errno(EX_IOERR, "cannot write");
}

/* Reads until what came ends so. */
static void expect(int fd, const char *end)
{
	char text[8192] = "";
	size_t n = 0, want = strlen(end);

	while (n < want || strcmp(text + n - want, end) != 0) {
		if (n == sizeof text - 1 || io_read_some(fd, text + n, 1) != 1)
			die(EX_PROTOCOL, "an answer that does not end in %s", end);
		text[++n] = '\0';
	}
}

static bool is(const struct lab *l, const char *protocol)
{
	return strcmp(l->protocol, protocol) == 0;
}

static int connect_bus(const struct lab *l)
{
	AUTO_FREE char *path = mem_format("%s/bus.sock", l->address);
	int fd;

	if (is(l, "nats") || is(l, "jetstream")) {
		fd = connect_port(l->address);
		expect(fd, "\r\n");
		say(fd, "CONNECT {\"verbose\":false}\r\nPING\r\n");
		expect(fd, "PONG\r\n");
		return fd;
	}
	return connect_unix(is(l, "redis") || is(l, "streams") ? l->address : path);
}

/* The next entries for the group that is called as its subscriber is numbered. */
static void ask_stream(const struct lab *l, int subscriber)
{
	char text[128];

	snprintf(text, sizeof text,
		"XREADGROUP GROUP g%d c COUNT 1000 BLOCK 0 NOACK STREAMS a >\r\n", subscriber);
	say(l->sub[subscriber], text);
}

/* A request of JetStream's, by a connection of its own; its answer is one JSON object. */
static void ask_jetstream(const struct lab *l, const char *subject, const char *body)
{
	AUTO_FREE char *text = mem_format("SUB _INBOX.a 1\r\nPUB %s _INBOX.a %zu\r\n%s\r\n",
		subject, strlen(body), body);
	int fd = connect_bus(l);

	say(fd, text);
	expect(fd, "}\r\n");
	close(fd);
}

static void make_stream(const struct lab *l)
{
	int fd;

	if (is(l, "jetstream")) {
		ask_jetstream(l, "$JS.API.STREAM.DELETE.S", "");
		ask_jetstream(l, "$JS.API.STREAM.CREATE.S",
			"{\"name\":\"S\",\"subjects\":[\"s\"],\"storage\":\"file\"}");
	} else if (is(l, "streams")) {
		fd = connect_bus(l);
		say(fd, "DEL a\r\n");
		expect(fd, "\r\n");
		close(fd);
	}
}

/* What a subscriber of a stream needs before anything is published. */
static void join_stream(const struct lab *l, int fd, int subscriber)
{
	char text[256];

	if (is(l, "streams")) {
		snprintf(text, sizeof text, "XGROUP CREATE a g%d $ MKSTREAM\r\n", subscriber);
		say(fd, text);
		expect(fd, "+OK\r\n");
		return;
	}
	snprintf(text, sizeof text, "SUB d.%d 1\r\nPING\r\n", subscriber);
	say(fd, text);
	expect(fd, "PONG\r\n");
	snprintf(text, sizeof text,
		"{\"stream_name\":\"S\",\"config\":{\"deliver_subject\":\"d.%d\","
		"\"ack_policy\":\"none\",\"deliver_policy\":\"new\"}}",
		subscriber);
	ask_jetstream(l, "$JS.API.CONSUMER.CREATE.S", text);
}

static int subscribe(const struct lab *l, int subscriber)
{
	int fd = connect_bus(l);

	if (is(l, "streams") || is(l, "jetstream")) {
		join_stream(l, fd, subscriber);
	} else if (is(l, "redis")) {
		say(fd, "SUBSCRIBE a\r\n");
		expect(fd, ":1\r\n");
	} else if (is(l, "nats")) {
		say(fd, "SUB a 1\r\nPING\r\n");
		expect(fd, "PONG\r\n");
	} else {
		say(fd, "{\"op\":\"sub\"}\n");
		expect(fd, "}\n");
	}
	return fd;
}

/*
 * A process between two socket pairs that waits for whoever has something to say: what any server
 * of more than one client must do at the least.
 */
static void start_relay(struct lab *l)
{
	int in[2], out[2], wake = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = {.events = EPOLLIN};
	char text[65536];
	ssize_t n;

	if (wake < 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, in) < 0 ||
		socketpair(AF_UNIX, SOCK_STREAM, 0, out) < 0 ||
		epoll_ctl(wake, EPOLL_CTL_ADD, in[1], &ev) < 0)
		die_errno(EX_OSERR, "relay");
	if (fork() == 0) {
		close(in[0]);
		close(out[0]);
		while (epoll_wait(wake, &ev, 1, -1) > 0 &&
			(n = io_read_some(in[1], text, sizeof text)) > 0)
			if (io_write(out[1], text, (size_t)n) < 0)
				break;
		_exit(0);
	}
	close(wake);
	close(in[1]);
	close(out[1]);
	l->publisher = in[0];
	l->sub[0] = out[0];
}

/* A process between a file and a socket pair, woken by inotify. */
static void start_tail(struct lab *l)
{
	AUTO_FREE char *path = mem_format("%s/floor.jsonl", l->address);
	int out[2], watch = watch_folder(l->address);
	int file = io_open(AT_FDCWD, path, O_RDWR | O_APPEND | O_CREAT, 0600);
	char text[65536];
	ssize_t n;
	off_t at = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, out) < 0 || watch < 0 || file < 0)
		die_errno(EX_OSERR, "%s", path);
	if (fork() == 0) {
		struct pollfd p = {.fd = watch, .events = POLLIN};

		close(out[0]);
		while (poll(&p, 1, 10000) > 0) {
			watch_drain(watch, "floor");
			while ((n = pread(file, text, sizeof text, at)) > 0) {
				at += n;
				if (io_write(out[1], text, (size_t)n) < 0)
					_exit(0);
				if (n < (ssize_t)sizeof text)
					break;
			}
		}
		_exit(0);
	}
	close(out[1]);
	l->publisher = file;
	l->sub[0] = out[0];
}

static void make_message(struct lab *l, struct buf *b)
{
	char pad[MESSAGE];

	memset(pad, 'x', sizeof pad);
	if (is(l, "redis"))
		buf_format(b, "*3\r\n$7\r\nPUBLISH\r\n$1\r\na\r\n$%d\r\n{%.*s}\r\n", MESSAGE,
			MESSAGE - 2, pad);
	else if (is(l, "streams"))
		buf_format(b,
			"*8\r\n$4\r\nXADD\r\n$1\r\na\r\n$6\r\nMAXLEN\r\n$1\r\n~\r\n$5\r\n65536\r\n"
			"$1\r\n*\r\n$1\r\nd\r\n$%d\r\n{%.*s}\r\n",
			MESSAGE, MESSAGE - 2, pad);
	else if (is(l, "jetstream"))
		buf_format(b, "PUB s %d\r\n{%.*s}\r\n", MESSAGE, MESSAGE - 2, pad);
	else if (is(l, "nats"))
		buf_format(b, "PUB a %d\r\n{%.*s}\r\n", MESSAGE, MESSAGE - 2, pad);
	else
		buf_format(b, "{%.*s}\n", MESSAGE - 3, pad);
}

static void make_records(struct lab *l)
{
	struct event ev = {.type = "session.tool", .source = "/bench", .priority = NORMAL};
	struct err e = {0};

	/* With its id and time such a line is as long as the others' messages. */
	ev.data = (struct span){"\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"", 53};
	if (state_open(&l->state, &e) < 0 || event_record(&l->batch[0], &ev, &e) < 0)
		die(EX_SOFTWARE, "%s", e.text);
	journal_init(&l->journal, &l->state);
	for (size_t i = 0; i < BATCH; i++)
		l->record[i] = (struct span){l->batch[0].text, l->batch[0].length};
}

static void prepare(struct lab *l)
{
	l->sub = mem_zero((size_t)l->subs, sizeof *l->sub);
	l->due = mem_zero((size_t)l->subs, sizeof *l->due);
	l->publisher = -1;
	if (is(l, "relay"))
		start_relay(l);
	else if (is(l, "tail"))
		start_tail(l);
	make_stream(l);
	for (int i = 0; i < l->subs && l->publisher < 0; i++)
		l->sub[i] = subscribe(l, i);
	for (int i = 0; i < l->subs && is(l, "streams"); i++)
		ask_stream(l, i);
	if (is(l, "loop")) {
		setenv("LOOP_DIR", l->address, 1);
		make_records(l);
		return;
	}
	if (l->publisher < 0)
		l->publisher = connect_bus(l);
	make_message(l, &l->batch[0]);
	for (int i = 0; i < BATCH; i++)
		make_message(l, &l->batch[1]);
}

/* Publishes one message or a batch. */
static void publish(struct lab *l, bool many)
{
	struct appended done;
	struct err e = {0};

	if (is(l, "loop")) {
		if (journal_append(&l->journal, l->record, many ? BATCH : 1, 0, &done, &e) < 0)
			die(EX_IOERR, "%s", e.text);
	} else if (io_write(l->publisher, l->batch[many].text, l->batch[many].length) < 0) {
		die_errno(EX_IOERR, "cannot publish");
	}
}

/* A byte counts a short piece: so the compiler looks at many bytes at once. */
static long count(const char *text, ssize_t n)
{
	enum { PIECE = 128 };
	long found = 0;

	while (n > 0) {
		ssize_t length = MIN(n, (ssize_t)PIECE);
		unsigned char here = 0;

		for (ssize_t i = 0; i < length; i++)
			here = (unsigned char)(here + (text[i] == '}'));
		found += here;
		text += length;
		n -= length;
	}
	return found;
}

/* Of a stream's answer, which tells first how many entries it has; then the next is asked for. */
static long count_entries(const struct lab *l, int subscriber, char *text, ssize_t n)
{
	long *due = &l->due[subscriber], found = count(text, n);
	const char *many;

	if (!*due) {
		text[n] = '\0';
		many = strstr(text, "\r\na\r\n*");
		if (!many)
			die(EX_PROTOCOL, "a stream's answer without its number");
		*due = strtol(many + 6, NULL, 10);
	}
	*due -= found;
	if (!*due)
		ask_stream(l, subscriber);
	return found;
}

/* Takes what has come for all subscribers and, unread, for the publisher; deliveries. */
static long take(const struct lab *l, struct pollfd *p, int timeout)
{
	static char text[(1 << 20) + 1];
	long found = 0;

	for (int i = 0; i <= l->subs; i++)
		p[i] = (struct pollfd){
			.fd = i < l->subs ? l->sub[i] : l->publisher, .events = POLLIN};
	if (is(l, "relay") || is(l, "tail") || l->publisher < 0)
		p[l->subs].fd = -1;
	if (poll(p, (nfds_t)l->subs + 1, timeout) <= 0)
		return 0;
	for (int i = 0; i <= l->subs; i++) {
		ssize_t n;

		if (!p[i].revents)
			continue;
		n = recv(p[i].fd, text, sizeof text - 1, MSG_DONTWAIT);
		if (n == 0)
			die(EX_PROTOCOL, "the bus has closed a connection");
		if (i < l->subs)
			found += is(l, "streams") ? count_entries(l, i, text, n) : count(text, n);
	}
	return found;
}

/* Publishes and takes for so long, or until so many have come to every subscriber. */
static int throughput(struct lab *l, double seconds, long count)
{
	AUTO_FREE struct pollfd *p = mem_zero((size_t)l->subs + 1, sizeof *p);
	long published = 0, delivered = 0;
	double start = now(), end = start + seconds * 1e6;

	while (now() < end && (published < count || delivered < published * l->subs)) {
		bool room = published < count &&
			published * l->subs - delivered < (long)WINDOW * l->subs;

		if (room) {
			publish(l, true);
			published += BATCH;
		}
		delivered += take(l, p, room ? 0 : 100);
	}
	printf("%.0f\n", (double)delivered / (now() - start) * 1e6);
	return count < LONG_MAX && delivered != published * l->subs;
}

static int by_size(const void *a, const void *b)
{
	double left = *(const double *)a, right = *(const double *)b;

	return left < right ? -1 : left > right;
}

static int latency(struct lab *l, long rounds)
{
	AUTO_FREE struct pollfd *p = mem_zero((size_t)l->subs + 1, sizeof *p);
	AUTO_FREE double *took = mem_zero((size_t)rounds, sizeof *took);

	for (long i = 0; i < rounds; i++) {
		double start;
		long got = 0;

		nanosleep(&(struct timespec){.tv_nsec = 4000000}, NULL);
		start = now();
		publish(l, false);
		while (got < l->subs)
			got += take(l, p, 1000);
		took[i] = now() - start;
	}
	qsort(took, (size_t)rounds, sizeof *took, by_size);
	printf("%.1f %.1f\n", took[rounds / 2], took[rounds * 99 / 100]);
	return 0;
}

int main(int argc, char **argv)
{
	struct lab l = {.protocol = argc > 3 ? argv[2] : "", .address = argc > 3 ? argv[3] : ""};

	die_init("buslab", 0);
	if (argc < 5)
		return EX_USAGE;
	l.subs = (int)strtol(argv[4], NULL, 10);
	prepare(&l);
	if (strcmp(argv[1], "conns") == 0) {
		puts("ready");
		fflush(stdout);
		return getchar() == EOF;
	}
	if (strcmp(argv[1], "lat") == 0)
		return latency(&l, strtol(argv[5], NULL, 10));
	if (strcmp(argv[1], "all") == 0)
		return throughput(&l, 60, strtol(argv[5], NULL, 10));
	return throughput(&l, strtod(argv[5], NULL), LONG_MAX);
}
