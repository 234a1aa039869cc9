/*
 * wstalk: a WebSocket client for lines.
 *
 *	wstalk PORT PATH
 *
 * Each line of standard input is sent as a text message; one that begins with
 * "!" gives the bytes of whole frames in hexadecimal, as they are to be sent.
 * What comes is printed a line each: a message as it is, "ping", "pong", "close
 * CODE", and "end" when the connection is gone. At the end of the input it goes
 * on listening.
 */
#include "base.h"

#include "buf.h"
#include "die.h"
#include "io.h"
#include "lines.h"
#include "parse.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

enum { TEXT = 1,
	BINARY,
	CLOSE = 8,
	PING,
	PONG };

static int dial(int port, const char *path)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	AUTO_BUF struct buf text = {0};

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	buf_format(&text, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n", path, port);
	buf_str(&text, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
		       "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
		io_write(fd, text.text, text.length) < 0)
		die_errno(EX_UNAVAILABLE, "port %d", port);
	return fd;
}

/* The answer that RFC 6455 gives for this very key. */
static void read_head(int fd, struct buf *in)
{
	const char *end;

	buf_add(in, "", 0);
	while (!(end = strstr(in->text, "\r\n\r\n"))) {
		ssize_t n = io_read_some(fd, buf_reserve(in, 4096), 4096);

		if (n <= 0)
			die(EX_PROTOCOL, "no answer");
		in->length += (size_t)n;
		in->text[in->length] = '\0';
	}
	if (strncmp(in->text, "HTTP/1.1 101 ", 13) != 0 ||
		!strstr(in->text, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"))
		die(EX_PROTOCOL, "%.*s", (int)strcspn(in->text, "\r"), in->text);
	buf_drop(in, (size_t)(end + 4 - in->text));
}

/* Masked with zeroes, which is a mask like any other. */
static void send_text(int fd, const char *line, size_t n)
{
	AUTO_BUF struct buf b = {0};

	int bytes = n < 126 ? 0 : n <= 0xffff ? 2
					      : 8;

	buf_char(&b, (char)0x81);
	buf_char(&b, (char)(0x80 | (!bytes ? n : bytes == 2 ? 126U
							    : 127U)));
	for (int i = bytes - 1; i >= 0; i--)
		buf_char(&b, (char)((uint64_t)n >> (8 * i)));
	buf_add(&b, "\0\0\0\0", 4);
	buf_add(&b, line, n);
	(void)!io_write(fd, b.text, b.length); /* its end is told by what comes */
}

static void send_hex(int fd, const char *p, size_t n)
{
	AUTO_BUF struct buf b = {0};

	for (size_t i = 0; i + 1 < n; i += 2)
		buf_char(&b, (char)strtol((char[]){p[i], p[i + 1], 0}, NULL, 16));
	(void)!io_write(fd, b.text, b.length);
}

static void print(int opcode, const char *p, size_t n)
{
	if (opcode == CLOSE)
		printf("close %d\n",
			n >= 2 ? (unsigned char)p[0] * 256 + (unsigned char)p[1] : 0);
	else if (opcode == PING || opcode == PONG)
		puts(opcode == PING ? "ping" : "pong");
	else
		printf("%.*s\n", (int)n, p);
	fflush(stdout);
}

/* The whole frames at the front; servers mask and cut nothing. */
static void take_frames(struct buf *in)
{
	while (in->length >= 2) {
		const unsigned char *p = (const unsigned char *)in->text;
		size_t n = p[1] & 127, head = n == 126 ? 4 : n == 127 ? 10
								      : 2;

		if (in->length < head)
			return;
		if (head > 2)
			n = 0;
		for (size_t i = 2; i < head; i++)
			n = n << 8 | p[i];
		if (in->length < head + n)
			return;
		print(p[0] & 15, in->text + head, n);
		buf_drop(in, head + n);
	}
}

static bool receive(int fd, struct buf *in)
{
	ssize_t n = io_read_some(fd, buf_reserve(in, 65536), 65536);

	if (n <= 0)
		return false;
	in->length += (size_t)n;
	take_frames(in);
	return true;
}

/* False at the end of the input. */
static bool send_lines(int fd, struct lines *l)
{
	ssize_t n = io_read_some(STDIN_FILENO, lines_room(l, 65536), 65536);
	char *line;
	size_t length;

	if (n <= 0)
		return false;
	lines_fed(l, (size_t)n);
	while (lines_next(l, &line, &length)) {
		if (*line == '!')
			send_hex(fd, line + 1, length - 1);
		else
			send_text(fd, line, length);
	}
	return true;
}

int main(int argc, char **argv)
{
	struct lines l = {.max = 1 << 24};
	struct buf in = {0};
	int64_t port;
	bool input = true;
	int fd;

	die_init("wstalk", 0);
	if (argc != 3 || parse_int(argv[1], 1, 65535, &port) < 0)
		die(EX_USAGE, "usage: wstalk PORT PATH");
	fd = dial((int)port, argv[2]);
	read_head(fd, &in);
	take_frames(&in);
	for (;;) {
		struct pollfd p[] = {{.fd = fd, .events = POLLIN},
			{.fd = input ? STDIN_FILENO : -1, .events = POLLIN}};

		poll(p, countof(p), -1);
		if (p[0].revents && !receive(fd, &in))
			break;
		if (p[1].revents)
			input = send_lines(fd, &l);
	}
	puts("end");
	buf_clear(&in);
	lines_clear(&l);
	return finish(0);
}
