/* The floor of a program that runs a command: it spawns it and waits for it. */
#include <spawn.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
	int status;
	pid_t pid;

	if (argc < 2 || posix_spawnp(&pid, argv[1], 0, 0, argv + 1, environ) != 0 ||
		waitpid(pid, &status, 0) != pid)
		return 127;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
