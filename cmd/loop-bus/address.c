#include "address.h"

#include <errno.h>
#include <sys/socket.h>

void socket_address(struct sockaddr_un *address, const struct state *s)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", s->dir,
		SOCKET_NAME);
}

int socket_connect(const struct state *s)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), r;

	if (fd < 0)
		return -errno;
	socket_address(&address, s);
	if (connect(fd, (const void *)&address, sizeof address) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}
