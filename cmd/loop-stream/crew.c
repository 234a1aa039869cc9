#include "crew.h"

#include "mem.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <uv.h>

enum { HANDS_MAX = 3,
	SHARE = 16,	  /* taken at a time */
	WORTH_IT = 128 }; /* fewer are sent before a thread has woken up */

struct crew {
	uv_thread_t thread[HANDS_MAX];
	size_t hands;
	uv_sem_t begin, done;
	bool ended;
	/* of the round at hand */
	struct sending *list;
	size_t count;
	atomic_size_t next;
};

ssize_t crew_send_one(int fd, const struct iovec *v, size_t count)
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v, .msg_iovlen = count};
	ssize_t n;

	if (!count)
		return 0;
	do /* one piece has a call of its own, which costs a twentieth less */
		n = count == 1 ? send(fd, v->iov_base, v->iov_len, MSG_NOSIGNAL | MSG_DONTWAIT)
			       : sendmsg(fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
	return n;
}

static void do_share(struct crew *c)
{
	size_t at, end;

	while ((at = atomic_fetch_add(&c->next, SHARE)) < c->count) {
		end = MIN(at + SHARE, c->count);
		for (; at < end; at++) {
			struct sending *s = &c->list[at];

			s->result = crew_send_one(s->fd, s->vector, s->count);
		}
	}
}

static void hand(void *crew)
{
	struct crew *c = crew;

	for (;;) {
		uv_sem_wait(&c->begin);
		if (c->ended)
			return;
		do_share(c);
		uv_sem_post(&c->done);
	}
}

static size_t hands_wanted(void)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);

	return (size_t)MIN(MAX(processors - 1, 0L), (long)HANDS_MAX);
}

/* Signals are the loop's. */
static void start_hands(struct crew *c)
{
	size_t wanted = hands_wanted();
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	while (c->hands < wanted && uv_thread_create(&c->thread[c->hands], hand, c) == 0)
		c->hands++;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct crew *crew_new(void)
{
	struct crew *c = mem_zero(1, sizeof *c);

	if (uv_sem_init(&c->begin, 0) < 0 || uv_sem_init(&c->done, 0) < 0)
		return c; /* without hands nobody looks at them */
	start_hands(c);
	return c;
}

void crew_send(struct crew *c, struct sending *list, size_t count)
{
	size_t helped = count < WORTH_IT ? 0 : c->hands;

	c->list = list;
	c->count = count;
	atomic_store(&c->next, 0);
	for (size_t i = 0; i < helped; i++)
		uv_sem_post(&c->begin);
	do_share(c);
	/* Who has not woken up yet need not. */
	while (helped && uv_sem_trywait(&c->begin) == 0)
		helped--;
	for (; helped; helped--)
		uv_sem_wait(&c->done);
}

void crew_free(struct crew *c)
{
	if (!c)
		return;
	c->ended = true;
	for (size_t i = 0; i < c->hands; i++)
		uv_sem_post(&c->begin);
	for (size_t i = 0; i < c->hands; i++)
		uv_thread_join(&c->thread[i]);
	free(c);
}
