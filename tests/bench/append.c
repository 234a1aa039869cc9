/*
 * append FILE TYPE ID: the least that emitting an event can cost: open, append one line, exit.
 * append FILE N: N lines of 200 bytes, a write each; prints how many a second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int append_many(int fd, long count)
{
	char line[200];
	double start = now();

	memset(line, 'x', sizeof line - 1);
	line[sizeof line - 1] = '\n';
	for (long i = 0; i < count; i++)
		if (write(fd, line, sizeof line) != sizeof line)
			return 1;
	printf("%.0f\n", (double)count / (now() - start));
	return 0;
}

int main(int argc, char **argv)
{
	struct timespec t;
	char line[1024];
	int fd, n;

	fd = argc < 3 ? -1 : open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return 2;
	if (argc == 3)
		return append_many(fd, strtol(argv[2], NULL, 10));
	clock_gettime(CLOCK_REALTIME, &t);
	n = snprintf(line, sizeof line, "{\"time\":%lld.%06ld,\"type\":\"%s\",\"data\":\"%s\"}\n",
		(long long)t.tv_sec, t.tv_nsec / 1000, argv[2], argv[3]);
	return write(fd, line, (size_t)n) != n;
}
