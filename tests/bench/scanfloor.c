/*
 * scanfloor FILE…: what looking at every byte once costs: each file is read as
 * loop-deps reads it, and memchr runs over all of it. Prints the bytes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	size_t bytes = 0, room = 0;
	char *text = NULL;

	for (int i = 1; i < argc; i++) {
		int fd = open(argv[i], O_RDONLY | O_CLOEXEC);
		struct stat st;
		ssize_t n;

		if (fd < 0 || fstat(fd, &st) < 0)
			return 1;
		if ((size_t)st.st_size > room) {
			room = (size_t)st.st_size * 2;
			text = realloc(text, room);
		}
		n = read(fd, text, room);
		if (n < 0 || memchr(text, '\1', (size_t)n) == text)
			return 1;
		bytes += (size_t)n;
		close(fd);
	}
	printf("%zu\n", bytes);
	return 0;
}
