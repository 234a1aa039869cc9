/*
 * beanlab: a client of beanstalkd that sends many commands before it reads the answers, as
 * a batch does: "beanlab SOCKET put|cycle COUNT BODY" prints how many a second.
 */
#include "base.h"
#include "buf.h"
#include "clock.h"
#include "io.h"

#include <sys/socket.h>
#include <sys/un.h>

enum { PIPELINE = 256 };

static int server;
static char in[1 << 20];
static size_t have, taken;

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* The next line, without its end, lent until the next call. */
static char *read_line(void)
{
	for (;;) {
		char *end = memmem(in + taken, have - taken, "\r\n", 2), *line = in + taken;
		ssize_t n;

		if (end) {
			*end = '\0';
			taken = (size_t)(end + 2 - in);
			return line;
		}
		memmove(in, in + taken, have - taken);
		have -= taken;
		taken = 0;
		n = io_read_some(server, in + have, sizeof in - have);
		if (n <= 0)
			give_up("read");
		have += (size_t)n;
	}
}

static void send_all(struct buf *b)
{
	if (io_write(server, b->text, b->length) < 0)
		give_up("write");
	b->length = 0;
}

static void expect(const char *word)
{
	char *line = read_line();

	if (strncmp(line, word, strlen(word)) != 0) {
		fprintf(stderr, "beanlab: %s\n", line);
		exit(1);
	}
}

static void put(long count, const char *body)
{
	struct buf b = {0};

	for (long i = 0; i < count; i += PIPELINE) {
		long n = MIN(count - i, (long)PIPELINE);

		for (long k = 0; k < n; k++)
			buf_format(&b, "put 0 0 60 %zu\r\n%s\r\n", strlen(body), body);
		send_all(&b);
		for (long k = 0; k < n; k++)
			expect("INSERTED");
	}
}

static void cycle(long count)
{
	struct buf b = {0}, deletes = {0};

	for (long i = 0; i < count; i += PIPELINE) {
		long n = MIN(count - i, (long)PIPELINE);

		for (long k = 0; k < n; k++)
			buf_str(&b, "reserve\r\n");
		send_all(&b);
		for (long k = 0; k < n; k++) {
			unsigned long id = 0;

			if (sscanf(read_line(), "RESERVED %lu", &id) != 1)
				give_up("reserve");
			buf_format(&deletes, "delete %lu\r\n", id);
			(void)read_line();
		}
		send_all(&deletes);
		for (long k = 0; k < n; k++)
			expect("DELETED");
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int64_t begin, ns;
	long count;

	if (argc != 5)
		return 64;
	snprintf(address.sun_path, sizeof address.sun_path, "%s", argv[1]);
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(server, (struct sockaddr *)&address, sizeof address) < 0)
		give_up(argv[1]);
	count = strtol(argv[3], NULL, 10);
	begin = clock_now();
	if (strcmp(argv[2], "put") == 0)
		put(count, argv[4]);
	else
		cycle(count);
	ns = MAX(clock_now() - begin, 1);
	printf("%.0f\n", (double)count * 1e9 / (double)ns);
	return 0;
}
