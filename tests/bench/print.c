/* The floor of a lookup: a process that opens a file and prints it. */
#include <fcntl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char bytes[65536];
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	ssize_t n = fd < 0 ? -1 : read(fd, bytes, sizeof bytes);

	return n < 0 || write(STDOUT_FILENO, bytes, (size_t)n) != n;
}
