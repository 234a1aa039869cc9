/*
 * fanrate: many clients of one event stream, events at a steady rate, and how
 * long each takes to each of them.
 *
 *	fanrate PORT PATH CLIENTS RATE SECONDS [PID]
 *
 * A path that begins with /ws is a WebSocket's. The events are appended to the
 * journal by us, with the time in them. Prints one JSON object: how long it
 * took until all were connected, the times in ms, how many deliveries are
 * missing, and how many bytes of PID's memory a client costs, and how much of
 * a processor's time a delivery.
 */
#include "base.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "event.h"
#include "io.h"
#include "journal.h"
#include "mem.h"
#include "parse.h"
#include "state.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

/* "ts":"0000000001234567890": always so long. */
enum { STAMP = 6 + 19 + 1,
	WINDOW = 64, /* connects that are not answered yet */
	BYTES = 1 << 18 };
#define PATIENCE (20 * NS_PER_S)

struct client {
	int fd;
	bool ready;
	char carry[STAMP - 1]; /* the end of what was read, a stamp's beginning perhaps */
	size_t carried;
};

static struct client *clients;
static int64_t count, port, rate, seconds, pid, ready;
static const char *path;
static int poll_fd;
static char scratch[STAMP + BYTES];
static int64_t *took; /* ns of each delivery */
static size_t deliveries, room;

static void dial(struct client *c, uint32_t number)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	struct epoll_event e = {.events = EPOLLIN, .data.u32 = number};
	AUTO_BUF struct buf text = {0};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	buf_format(&text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", path, (int)port);
	if (strncmp(path, "/ws", 3) == 0)
		buf_str(&text, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
			       "Sec-WebSocket-Version: 13\r\n"
			       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
	buf_str(&text, "\r\n");
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof a) < 0 ||
		io_write(c->fd, text.text, text.length) < 0 ||
		epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &e) < 0)
		die_errno(EX_UNAVAILABLE, "client %u", number);
}

static void stamp(const char *digits)
{
	char text[20];
	int64_t sent;

	snprintf(text, sizeof text, "%.19s", digits);
	if (parse_int(text + strspn(text, "0"), 0, INT64_MAX, &sent) < 0)
		die(EX_PROTOCOL, "no time: %s", text);
	took = mem_grow(took, deliveries, &room, sizeof *took);
	took[deliveries++] = clock_now() - sent;
}

/* All stamps in what came, those included that the last read cut. */
static void take(struct client *c, size_t n)
{
	char *p = scratch + STAMP - c->carried, *end = scratch + STAMP + n;

	memcpy(p, c->carry, c->carried);
	for (char *at; (at = memmem(p, (size_t)(end - p), "\"ts\":\"", 6)); p = at + STAMP) {
		if (end - at < STAMP) {
			p = at;
			break;
		}
		stamp(at + 6);
	}
	c->carried = MIN((size_t)(end - p), sizeof c->carry);
	memcpy(c->carry, end - c->carried, c->carried);
}

static void receive(struct client *c)
{
	ssize_t n = recv(c->fd, scratch + STAMP, BYTES, MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN))
		die(EX_PROTOCOL, "a stream ended");
	if (n <= 0)
		return;
	if (!c->ready && strncmp(scratch + STAMP, "HTTP/1.1 200", 12) != 0 &&
		strncmp(scratch + STAMP, "HTTP/1.1 101", 12) != 0)
		die(EX_PROTOCOL, "%.60s", scratch + STAMP);
	ready += !c->ready;
	c->ready = true;
	take(c, (size_t)n);
}

/* Many clients in one process must not be woken once each: they look every millisecond. */
static void serve_until(int64_t deadline)
{
	struct epoll_event e[512];
	int n = epoll_wait(poll_fd, e, countof(e), clock_poll_timeout(deadline));

	for (int i = 0; i < n; i++)
		receive(&clients[e[i].data.u32]);
	if (count > WINDOW && ready == count && n < (int)countof(e))
		clock_sleep(NS_PER_MS);
}

static int64_t connect_all(void)
{
	int64_t begun = clock_now();

	for (int64_t i = 0; i < count; i++) {
		dial(&clients[i], (uint32_t)i);
		while (ready < i - WINDOW)
			serve_until(clock_after(PATIENCE));
	}
	while (ready < count && clock_now() < begun + PATIENCE)
		serve_until(begun + PATIENCE);
	if (ready < count)
		die(EX_TEMPFAIL, "only %lld are connected", (long long)ready);
	return clock_now() - begun;
}

static void publish(struct journal *j)
{
	AUTO_BUF struct buf data = {0}, record = {0};
	struct event event = {.type = "metric", .source = "/fanrate", .priority = NORMAL};
	struct appended done;
	struct err e = {0};

	buf_format(&data, "{\"ts\":\"%019lld\"}", (long long)clock_now());
	event.data = (struct span){data.text, data.length};
	if (event_record(&record, &event, &e) < 0 ||
		journal_append(j, &(struct span){record.text, record.length}, 1, 0, &done, &e) < 0)
		die(EX_IOERR, "%s", e.text);
}

static int64_t publish_all(struct journal *j)
{
	int64_t sent = 0, next = clock_now(), end;

	for (; sent < rate * seconds; sent++, next += NS_PER_S / rate) {
		while (clock_now() < next)
			serve_until(next);
		publish(j);
	}
	end = clock_after(PATIENCE);
	while ((int64_t)deliveries < sent * count && clock_now() < end)
		serve_until(clock_after(NS_PER_S));
	return sent;
}

/* Resident bytes. */
static int64_t memory(void)
{
	AUTO_FREE char *name = mem_format("/proc/%lld/statm", (long long)pid);
	AUTO_BUF struct buf text = {0};
	int64_t pages = 0;
	char *second;

	if (!pid || io_read_file(-1, name, 4096, &text) < 0)
		return 0;
	second = strchr(text.text, ' ') + 1;
	second[strcspn(second, " ")] = '\0';
	return parse_int(second, 0, INT64_MAX, &pages) < 0 ? 0 : pages * sysconf(_SC_PAGESIZE);
}

/* ns that a thread, whose folder is given, was on a processor: the first number of schedstat. */
static int64_t thread_time(int tasks, const char *name)
{
	AUTO_FREE char *file = mem_format("%s/schedstat", name);
	AUTO_BUF struct buf text = {0};
	int64_t ns = 0;

	if (io_read_file(tasks, file, 4096, &text) < 0)
		return 0;
	text.text[strcspn(text.text, " ")] = '\0';
	return parse_int(text.text, 0, INT64_MAX, &ns) < 0 ? 0 : ns;
}

/* ns of all threads. */
static int64_t processor_time(void)
{
	AUTO_FREE char *folder = mem_format("/proc/%lld/task", (long long)pid);
	DIR *d = pid ? opendir(folder) : NULL;
	int64_t ns = 0;

	for (struct dirent *entry; d && (entry = readdir(d));)
		if (entry->d_name[0] != '.')
			ns += thread_time(dirfd(d), entry->d_name);
	if (d)
		closedir(d);
	return ns;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static double quantile(double q)
{
	if (!deliveries)
		return 0;
	return (double)took[MIN((size_t)(q * (double)deliveries), deliveries - 1)] / 1e6;
}

static void report(int64_t sent, int64_t connected, int64_t bytes, int64_t ns)
{
	if (deliveries)
		qsort(took, deliveries, sizeof *took, ascending);
	printf("{\"clients\":%lld,\"connect_s\":%.2f,\"events\":%lld,\"missing\":%lld,",
		(long long)count, (double)connected / 1e9, (long long)sent,
		(long long)(sent * count - (int64_t)deliveries));
	printf("\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"max_ms\":%.2f,\"bytes_a_client\":%lld,",
		quantile(0.5), quantile(0.99), quantile(1), (long long)(bytes / count));
	printf("\"us_a_delivery\":%.3f}\n", (double)ns / 1e3 / (double)MAX(deliveries, (size_t)1));
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct journal journal;
	struct state state;
	struct err e = {0};
	int64_t before, connected, sent, during, ns;

	die_init("fanrate", 0);
	if (argc < 6 || parse_int(argv[1], 1, 65535, &port) < 0 ||
		parse_int(argv[3], 1, 100000, &count) < 0 ||
		parse_int(argv[4], 1, 100000, &rate) < 0 ||
		parse_int(argv[5], 1, 3600, &seconds) < 0 ||
		(argc > 6 && parse_int(argv[6], 1, INT32_MAX, &pid) < 0))
		die(EX_USAGE, "usage: fanrate PORT PATH CLIENTS RATE SECONDS [PID]");
	path = argv[2];
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (state_open(&state, &e) < 0)
		die(EX_NOINPUT, "%s", e.text);
	journal_init(&journal, &state);
	poll_fd = epoll_create1(EPOLL_CLOEXEC);
	clients = mem_zero((size_t)count, sizeof *clients);
	before = memory();
	connected = connect_all();
	during = memory();
	ns = processor_time();
	sent = publish_all(&journal);
	report(sent, connected, during - before, processor_time() - ns);
	journal_close(&journal);
	state_close(&state);
	return finish(0);
}
