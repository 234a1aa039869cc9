/*
 * wscases: a table of what a client may send on a WebSocket, and what has to
 * come back, run against a server that echoes.
 *
 *	wscases PORT PATH TABLE
 *
 * A line is NAME, SENT and EXPECTED with tabs between them. SENT is words:
 *
 *	81:4869      a masked frame: its first byte, and its payload in hexadecimal
 *	82*65536     the same with so many asterisks
 *	1/100/65536  a message of that opcode in 100 fragments of so many asterisks
 *	x8100        bytes as they are
 *	~7           what follows is written seven bytes at a time
 *
 * EXPECTED is frames as above, then "c1002" (a close frame with that code; "c":
 * with none) and "end" (the server closes the connection); where it has no end,
 * the connection is closed by the client, which has to work. Prints what fails
 * and how many passed; status 1 if any failed.
 */
#include "base.h"

#include "buf.h"
#include "clock.h"
#include "die.h"
#include "io.h"
#include "parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

enum { SHOWN = 16 };

#define PATIENCE (60 * NS_PER_S)

static const unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};

static int64_t number(const char *text)
{
	int64_t n;

	if (parse_int(text, 0, 1 << 30, &n) < 0)
		die(EX_DATAERR, "'%s' is no number", text);
	return n;
}

static void add_hex(struct buf *b, const char *hex)
{
	for (; isxdigit((unsigned char)hex[0]) && hex[1]; hex += 2) {
		char digits[3] = {hex[0], hex[1], '\0'};

		buf_char(b, (char)strtoul(digits, NULL, 16));
	}
}

/* The head of a frame and its payload; by the client it is masked. */
static void add_frame(struct buf *b, unsigned first, const struct buf *payload, bool masked)
{
	size_t n = payload->length;
	int bytes = n < 126 ? 0 : n <= 0xffff ? 2
					      : 8;

	buf_char(b, (char)first);
	buf_char(b, (char)((masked ? 0x80 : 0) | (!bytes ? (int)n : bytes == 2 ? 126
									       : 127)));
	for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
		buf_char(b, (char)(n >> shift));
	if (masked)
		buf_add(b, mask, sizeof mask);
	for (size_t i = 0; i < n; i++)
		buf_char(b, (char)(payload->text[i] ^ (masked ? mask[i % 4] : 0)));
}

static void add_stars(struct buf *b, int64_t n)
{
	memset(buf_reserve(b, (size_t)n + 1), '*', (size_t)n);
	b->length += (size_t)n;
}

static void add_fragments(struct buf *b, const char *word, bool masked)
{
	unsigned opcode = (unsigned)(*word - '0');
	char *size = strchr(word + 2, '/');
	AUTO_BUF struct buf payload = {0};
	int64_t count;

	*size = '\0';
	count = number(word + 2);
	add_stars(&payload, number(size + 1));
	for (int64_t i = 0; i < count; i++)
		add_frame(b, (i ? 0 : opcode) | (i == count - 1 ? 0x80U : 0), &payload, masked);
}

/* "81:4869" or "82*100". */
static void add_word(struct buf *b, const char *word, bool masked)
{
	char digits[3] = {word[0], word[1], '\0'};
	AUTO_BUF struct buf payload = {0};

	if (word[2] == '*')
		add_stars(&payload, number(word + 3));
	else
		add_hex(&payload, word + 3);
	add_frame(b, (unsigned)strtoul(digits, NULL, 16), &payload, masked);
}

static void add_sent(struct buf *b, char *word)
{
	if (*word == 'x')
		add_hex(b, word + 1);
	else if (word[1] == '/')
		add_fragments(b, word, true);
	else
		add_word(b, word, true);
}

/* What is to come, as bytes; whether the server ends it. */
static bool add_expected(struct buf *b, char *word)
{
	AUTO_BUF struct buf payload = {0};
	int64_t code;

	if (strcmp(word, "end") == 0)
		return true;
	if (*word != 'c') {
		add_word(b, word, false);
		return false;
	}
	if (word[1]) {
		code = number(word + 1);
		buf_char(&payload, (char)(code >> 8));
		buf_char(&payload, (char)code);
	}
	add_frame(b, 0x88, &payload, false);
	return false;
}

static int dial(int64_t port, const char *path)
{
	static const char key[] = "Upgrade: websocket\r\nConnection: Upgrade\r\n"
				  "Sec-WebSocket-Version: 13\r\n"
				  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	AUTO_BUF struct buf text = {0};
	char c;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	buf_format(&text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", path, (int)port, key);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
		io_write(fd, text.text, text.length) < 0)
		die_errno(EX_UNAVAILABLE, "port %d", (int)port);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	text.length = 0;
	while (text.length < 4 || memcmp(text.text + text.length - 4, "\r\n\r\n", 4) != 0) {
		if (io_read_some(fd, &c, 1) <= 0)
			die(EX_PROTOCOL, "no answer");
		buf_char(&text, c);
	}
	if (strncmp(text.text, "HTTP/1.1 101 ", 13) != 0)
		die(EX_PROTOCOL, "%.40s", text.text);
	return fd;
}

/* Sends and receives at once: a large echo comes before its message has gone. */
static bool talk(int fd, const struct buf *out, size_t piece, struct buf *in, size_t want)
{
	int64_t deadline = clock_after(PATIENCE);
	size_t sent = 0;

	while (sent < out->length || in->length < want) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		ssize_t n;

		if (sent < out->length)
			p.events |= POLLOUT;
		if (poll(&p, 1, clock_poll_timeout(deadline)) <= 0)
			return false;
		if (p.revents & POLLOUT) {
			n = send(fd, out->text + sent, MIN(piece, out->length - sent),
				MSG_NOSIGNAL | MSG_DONTWAIT);
			if (n > 0)
				sent += (size_t)n;
			else if (p.revents & (POLLHUP | POLLERR))
				sent = out->length;
		}
		if (!(p.revents & (POLLIN | POLLHUP)))
			continue;
		n = recv(fd, buf_reserve(in, 65536), 65536, MSG_DONTWAIT);
		if (n == 0)
			return true;
		in->length += (size_t)MAX(n, (ssize_t)0);
	}
	return true;
}

/* Whether nothing but the end comes. */
static bool ends(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	return poll(&p, 1, clock_poll_timeout(clock_after(PATIENCE))) > 0 &&
		recv(fd, &c, 1, MSG_DONTWAIT) <= 0;
}

static const char *run(int fd, char *sent, char *expected)
{
	static char goodbye[] = "88:03e8", c1000[] = "c1000";
	AUTO_BUF struct buf out = {0}, in = {0}, want = {0};
	size_t piece = 1 << 16;
	bool end = false;

	for (char *word; (word = strsep(&sent, " "));) {
		if (*word == '~')
			piece = (size_t)number(word + 1);
		else if (*word)
			add_sent(&out, word);
	}
	for (char *word; (word = strsep(&expected, " "));)
		end |= add_expected(&want, word);
	if (!end) {
		add_sent(&out, goodbye);
		add_expected(&want, c1000);
	}
	if (!talk(fd, &out, piece, &in, want.length))
		return "does not answer in time";
	if (in.length != want.length || (in.length && memcmp(in.text, want.text, in.length) != 0)) {
		for (size_t i = 0; i < MIN(in.length, (size_t)SHOWN); i++)
			printf("%02x", (unsigned char)in.text[i]);
		return " is not the answer";
	}
	return ends(fd) ? NULL : "does not end";
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t size = 0;
	int64_t port;
	int passed = 0, failed = 0;
	FILE *f;

	die_init("wscases", 0);
	if (argc != 4 || parse_int(argv[1], 1, 65535, &port) < 0)
		die(EX_USAGE, "usage: wscases PORT PATH TABLE");
	f = fopen(argv[3], "re");
	if (!f)
		die_errno(EX_NOINPUT, "%s", argv[3]);
	while (getline(&line, &size, f) > 0) {
		char *rest = line, *name = strsep(&rest, "\t"), *sent = strsep(&rest, "\t");
		const char *why;
		int fd;

		if (*line == '#' || !sent || !rest)
			continue;
		rest[strcspn(rest, "\n")] = '\0';
		fd = dial(port, argv[2]);
		why = run(fd, sent, rest);
		close(fd);
		passed += !why;
		failed += why != NULL;
		if (why)
			printf("%s: %s\n", name, why);
	}
	free(line);
	fclose(f);
	printf("%d passed, %d failed\n", passed, failed);
	return finish(failed ? EXIT_NO : EXIT_SUCCESS);
}
