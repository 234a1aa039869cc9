/* The profile that protocol suites test: what comes goes back, byte for byte. */
#include "err.h"
#include "server.h"
#include "sio.h"

static bool admit(struct sio_socket *k UNUSED, struct span auth UNUSED, struct err *e UNUSED)
{
	return true;
}

static bool knows(const struct server *s UNUSED, struct span name_space)
{
	return span_is(name_space, "/") || span_is(name_space, "/custom");
}

/*
 * A suite in JavaScript begins to wait for the next message only when it has
 * seen the one before: two that it reads at once are one too many for it.
 */
#define PATIENCE (100 * NS_PER_MS)

static void connected(struct sio_socket *k, struct span auth)
{
	struct span back = auth.n ? auth : (struct span){"{}", 2};

	buf_add(&k->auth, back.p, back.n);
	sio_wake_when_read(k, PATIENCE);
}

static void event(struct sio_socket *k, const struct sio_event *e)
{
	struct sio_event back = *e;

	if (jscan_is(e->parts.name, "message")) {
		back.parts.name = (struct span){"\"message-back\"", 14};
		sio_emit(k, &back);
	} else if (jscan_is(e->parts.name, "message-with-ack")) {
		back.parts.name = (struct span){"", 0};
		sio_answer(k, e, &back);
	}
}

static bool more(struct sio_socket *k)
{
	if (!k->auth.length || !sio_awake(k))
		return false;
	sio_emit(k, &(struct sio_event){
			    .parts.name = {"\"auth\"", 6},
			    .parts.arguments = {k->auth.text, k->auth.length},
		    });
	buf_clear(&k->auth);
	return false;
}

const struct sio_profile sio_echo = {
	.admit = admit,
	.connected = connected,
	.event = event,
	.more = more,
	.knows = knows,
};
