/*
 * rawhttp: sends requests as they stand in a table, byte for byte, and compares
 * what comes back.
 *
 *	rawhttp PORT TABLE [NAME]
 *
 * A line of the table is "NAME TAB EXPECTED TAB REQUEST". REQUEST has \r \n \t
 * \0 \\ \xNN, \P for the port, and <<TEXT*N>> for a repetition. EXPECTED are
 * the statuses in order ("400", "200 400"; "400/501" for either), or "-" for
 * none, then "open" or "closed": what becomes of the connection. An open one
 * has to answer a further request. Each request is sent twice: at once, and in
 * small pieces. Empty lines and those that begin with # are skipped.
 */
#include "base.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "mem.h"
#include "parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#define PATIENCE (3 * NS_PER_S)

enum { PIECE = 5,
	PIECES_MAX = 400 }; /* beyond that, only at once */

static int port;

struct test_case {
	char *name, *expected, *request;
};

static int dial(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die_errno(EX_UNAVAILABLE, "port %d", port);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	return fd;
}

static void repeat(struct buf *out, const char *from, const char *end)
{
	const char *star = memrchr(from, '*', (size_t)(end - from));
	int64_t count = star ? strtol(star + 1, NULL, 10) : 0;

	while (count-- > 0)
		buf_add(out, from, (size_t)(star - from));
}

static const char *unescape_one(struct buf *out, const char *p)
{
	static const char names[] = "rnt0\\", values[] = "\r\n\t\0\\";
	const char *at = strchr(names, *p);

	if (*p == 'P') {
		buf_format(out, "%d", port);
	} else if (*p == 'x') {
		buf_char(out, (char)strtol((char[]){p[1], p[2], 0}, NULL, 16));
		return p + 3;
	} else if (at) {
		buf_char(out, values[at - names]);
	} else {
		die(EX_DATAERR, "unknown escape \\%c", *p);
	}
	return p + 1;
}

static void unescape(struct buf *out, const char *p)
{
	while (*p) {
		const char *end = strncmp(p, "<<", 2) == 0 ? strstr(p, ">>") : NULL;

		if (end) {
			repeat(out, p + 2, end);
			p = end + 2;
		} else if (*p == '\\') {
			p = unescape_one(out, p + 1);
		} else {
			buf_char(out, *p++);
		}
	}
}

/* Writes as far as the server reads; one that closes early is no fault of ours. */
static void transmit(int fd, const struct buf *request, size_t piece)
{
	for (size_t at = 0; at < request->length; at += piece) {
		size_t n = MIN(piece, request->length - at);

		if (send(fd, request->text + at, n, MSG_NOSIGNAL) < 0)
			return;
	}
}

/* More bytes until the deadline: 1 some, 0 none in time, -1 the end. */
static int receive(int fd, struct buf *in, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, clock_poll_timeout(deadline)) <= 0)
		return 0;
	n = io_read_some(fd, buf_reserve(in, 65536), 65536);
	if (n <= 0)
		return -1;
	in->length += (size_t)n;
	in->text[in->length] = '\0';
	return 1;
}

/* Cuts one answer off the front: its status, or 0 if it is not whole yet. */
static int cut_answer(struct buf *in, bool head_only)
{
	const char *end = in->length ? strstr(in->text, "\r\n\r\n") : NULL;
	const char *field;
	size_t length;
	int status;

	if (!end)
		return 0;
	if (sscanf(in->text, "HTTP/1.1 %d ", &status) != 1)
		return -1;
	field = strcasestr(in->text, "\r\nContent-Length:");
	length = (size_t)(end + 4 - in->text);
	if (field && field < end && !head_only)
		length += strtoul(field + 17, NULL, 10);
	if (in->length < length)
		return 0;
	buf_drop(in, length);
	return status;
}

static bool status_fits(const char *want, size_t n, int status)
{
	char word[16];

	snprintf(word, sizeof word, "%d", status);
	for (const char *p = want; p < want + n; p += strcspn(p, "/ ") + 1)
		if (strncmp(p, word, 3) == 0)
			return true;
	return false;
}

/* Waits for one answer. */
static int answer(int fd, struct buf *in, bool head_only)
{
	int64_t deadline = clock_after(PATIENCE);
	int status;

	while (!(status = cut_answer(in, head_only)))
		if (receive(fd, in, deadline) <= 0)
			return 0;
	return status;
}

static bool is_closed(int fd, struct buf *in)
{
	int64_t deadline = clock_after(PATIENCE);
	int r;

	while ((r = receive(fd, in, deadline)) > 0)
		;
	return r < 0 && in->length == 0;
}

/* A connection that is still open has no answer in store, and answers the next request. */
static bool is_open(int fd, struct buf *in)
{
	AUTO_BUF struct buf request = {0};

	if (in->length)
		return false;
	buf_format(&request, "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", port);
	transmit(fd, &request, request.length);
	return answer(fd, in, false) == 200 && in->length == 0;
}

/* NULL, or what was wrong. */
static char *run(const struct test_case *c, const struct buf *request, size_t piece)
{
	AUTO_BUF struct buf in = {0};
	AUTO_CLOSE int fd = dial();
	bool head_only = strncmp(request->text, "HEAD", 4) == 0;
	const char *want = c->expected;

	transmit(fd, request, piece);
	for (size_t n; (n = strcspn(want, " ")), *want >= '1' && *want <= '5'; want += n + 1) {
		int status = answer(fd, &in, head_only);

		if (!status_fits(want, n, status))
			return mem_format("answered %d, not %.*s", status, (int)n, want);
	}
	if (*want == '-') {
		shutdown(fd, SHUT_WR);
		want += 2;
	}
	if (strcmp(want, "closed") == 0)
		return is_closed(fd, &in) ? NULL : mem_format("not closed, or more came");
	return is_open(fd, &in) ? NULL : mem_format("does not go on, or more came");
}

static bool check(const struct test_case *c)
{
	AUTO_BUF struct buf request = {0};
	AUTO_FREE char *fault = NULL;
	const char *how = "at once";

	buf_add(&request, "", 0);
	unescape(&request, c->request);
	fault = run(c, &request, request.length);
	if (!fault && request.length / PIECE < PIECES_MAX) {
		how = "in pieces";
		fault = run(c, &request, PIECE);
	}
	if (fault)
		printf("%s (%s): %s\n", c->name, how, fault);
	return !fault;
}

/* Cuts a line at its tabs; false for what is no case. */
static bool parse_case(char *line, struct test_case *c)
{
	if (!*line || *line == '#')
		return false;
	c->name = strsep(&line, "\t");
	c->expected = strsep(&line, "\t");
	c->request = line;
	if (!c->request)
		die(EX_DATAERR, "'%s': not NAME, EXPECTED, REQUEST", c->name);
	return true;
}

int main(int argc, char **argv)
{
	AUTO_BUF struct buf table = {0};
	int passed = 0, failed = 0;
	int64_t number;

	die_init("rawhttp", 0);
	if (argc < 3 || parse_int(argv[1], 1, 65535, &number) < 0)
		die(EX_USAGE, "usage: rawhttp PORT TABLE [NAME]");
	port = (int)number;
	if (io_read_file(AT_FDCWD, argv[2], 1 << 24, &table) < 0)
		die_errno(EX_NOINPUT, "%s", argv[2]);
	for (char *rest = table.text, *line; (line = strsep(&rest, "\n"));) {
		struct test_case c;

		if (!parse_case(line, &c) || (argv[3] && strcmp(argv[3], c.name) != 0))
			continue;
		if (check(&c))
			passed++;
		else
			failed++;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return finish(failed || !passed ? EXIT_NO : 0);
}
