/*
 * runs N COMMAND...: runs a command N times, one after the other; prints the mean of each by the
 * clock, and the processor time that it took from its start to its end, in microseconds. What
 * the command prints goes to /dev/null.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Of all children that have ended. */
static double spent(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e6 +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	double start = now();
	posix_spawn_file_actions_t quiet;

	if (count < 1 || posix_spawn_file_actions_init(&quiet) != 0 ||
		posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0) != 0)
		return 2;
	for (long i = 0; i < count; i++) {
		int status;
		pid_t pid;

		if (posix_spawn(&pid, argv[2], &quiet, NULL, argv + 2, environ) != 0 ||
			waitpid(pid, &status, 0) != pid || status != 0)
			return 1;
	}
	printf("%.1f %.1f\n", (now() - start) / (double)count, spent() / (double)count);
	return 0;
}
