#include "jobserver.h"

#include "io.h"

#include <errno.h>
#include <fcntl.h>

void jobserver_none(struct jobserver *s)
{
	*s = (struct jobserver){.ends = {-1, -1}, .taker = -1};
}

/* The pipe has room for all tokens there are: this neither blocks nor fails. */
static int put(struct jobserver *s, int64_t count)
{
	int r = 0;

	while (r == 0 && count-- > 0)
		r = io_write(s->ends[1], "+", 1);
	return r;
}

int jobserver_open(struct jobserver *s, int64_t tokens)
{
	char path[64];
	int r;

	jobserver_none(s);
	r = io_pipe(s->ends);
	if (r < 0)
		return r;
	s->tokens = tokens;
	snprintf(path, sizeof path, "/proc/self/fd/%d", s->ends[0]);
	s->taker = io_open(AT_FDCWD, path, O_RDONLY | O_NONBLOCK, 0);
	return s->taker < 0 ? s->taker : put(s, tokens);
}

bool jobserver_take(struct jobserver *s)
{
	char token;

	return s->taker < 0 || io_read_some(s->taker, &token, 1) == 1;
}

/* A token that cannot be written is made good by the next refill. */
void jobserver_put(struct jobserver *s)
{
	int r = s->taker < 0 ? 0 : put(s, 1);

	(void)r;
}

void jobserver_refill(struct jobserver *s)
{
	int r;

	if (s->taker < 0)
		return;
	while (jobserver_take(s))
		;
	r = put(s, s->tokens);
	(void)r;
}
