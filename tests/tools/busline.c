/*
 * busline: speaks to the bus's socket for the tests.
 *
 *	busline LINES            sends standard input; prints LINES lines of what comes, then ends
 *	busline LINES FIRST      sends the first line, and the others when FIRST lines have come
 *	busline hold COUNT       COUNT connections that send standard input and never read;
 *	                         prints "held" and waits to be killed
 */
#include "base.h"

#include "buf.h"
#include "die.h"
#include "io.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { PATIENCE_MS = 10000 };

static int connect_bus(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof address.sun_path, "%s/bus.sock", getenv("LOOP_DIR"));
	if (fd < 0 || connect(fd, (const void *)&address, sizeof address) < 0)
		die_errno(EX_UNAVAILABLE, "%s", address.sun_path);
	return fd;
}

static int hold(int count, const struct buf *request)
{
	for (int i = 0; i < count; i++)
		if (io_write(connect_bus(), request->text, request->length) < 0)
			return EX_IOERR;
	if (io_write(STDOUT_FILENO, "held\n", 5) < 0)
		return EX_IOERR;
	for (;;)
		pause();
}

/* Prints lines as they come, until there were enough: 0, or 1 if the bus ended before. */
static int print_lines(int fd, long lines)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char byte;

	while (lines > 0) {
		if (poll(&p, 1, PATIENCE_MS) <= 0)
			die(EX_TEMPFAIL, "nothing comes any more");
		if (io_read_some(fd, &byte, 1) != 1)
			return EXIT_NO;
		putchar(byte);
		lines -= byte == '\n';
	}
	return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	AUTO_BUF struct buf request = {0};
	AUTO_CLOSE int fd = -1;
	size_t at_once = SIZE_MAX;

	die_init("busline", 0);
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || io_read_all(STDIN_FILENO, 128 << 20, &request) < 0)
		return EX_USAGE;
	if (strcmp(argv[1], "hold") == 0)
		return hold((int)strtol(argv[2], NULL, 10), &request);
	fd = connect_bus();
	if (argc > 2)
		at_once = strcspn(request.text, "\n") + 1;
	if (io_write(fd, request.text, MIN(at_once, request.length)) < 0)
		warn("the bus does not take it all");
	if (argc > 2 && print_lines(fd, strtol(argv[2], NULL, 10)) == 0 &&
		io_write(fd, request.text + at_once, request.length - at_once) < 0)
		warn("the bus does not take it all");
	return finish(print_lines(fd, strtol(argv[1], NULL, 10)));
}
