/*
 * activate: starts a command as a service manager does: with a listening socket
 * and somewhere to tell that it is ready.
 *
 *	activate [-u PATH] COMMAND…
 *
 * Prints the port (with -u, a Unix socket is made at the path instead), then each message of
 * the command, and ends with it.
 */
#include "base.h"

#include "die.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

enum { FIRST_FD = 3 };

static int listen_anywhere(int *port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &size) < 0)
		die_errno(EX_OSERR, "listen");
	*port = ntohs(a.sin_port);
	return fd;
}

static int listen_at(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, 16) < 0)
		die_errno(EX_OSERR, "%s", path);
	return fd;
}

static int listen_for_news(void)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!getcwd(a.sun_path, sizeof a.sun_path - sizeof "/notify"))
		die_errno(EX_OSERR, "notify");
	memcpy(a.sun_path + strlen(a.sun_path), "/notify", sizeof "/notify");
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0)
		die_errno(EX_OSERR, "notify");
	return fd;
}

static NORETURN void run(char **command, int listener)
{
	char text[16];

	snprintf(text, sizeof text, "%d", (int)getpid());
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", "1", 1);
	if (listener == FIRST_FD || dup2(listener, FIRST_FD) == FIRST_FD)
		execvp(*command, command);
	_exit(EXIT_NOT_FOUND);
}

static void tell(int news)
{
	char text[512];
	ssize_t n = recv(news, text, sizeof text - 1, 0);

	if (n > 0)
		printf("%.*s", (int)n, text);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	bool local = argc > 2 && strcmp(argv[1], "-u") == 0;
	int news = listen_for_news(), port = 0, status = 0, listener;
	char **command = argv + (local ? 3 : 1);
	pid_t pid;

	die_init("activate", 0);
	if (argc < (local ? 4 : 2))
		die(EX_USAGE, "usage: activate [-u PATH] COMMAND...");
	listener = local ? listen_at(argv[2]) : listen_anywhere(&port);
	if (!local)
		printf("PORT=%d\n", port);
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		run(command, listener);
	close(listener);
	while (waitpid(pid, &status, WNOHANG) == 0) {
		struct pollfd p = {.fd = news, .events = POLLIN};

		if (poll(&p, 1, 50) > 0)
			tell(news);
	}
	unlink("notify");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
