/*
 * runs N COMMAND...: runs a command N times, one after the other; prints the mean in microseconds.
 * What the command prints goes to /dev/null.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
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
	printf("%.1f\n", (now() - start) / (double)count);
	return 0;
}
