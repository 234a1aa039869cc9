/*
 * daemon: what every long-running program does alike. One instance a state
 * directory: its pid file is locked for as long as it lives, so a crash frees
 * it and no stale number is ever believed. Readiness is told to whoever
 * started us: the parent that waits (--daemon), and systemd by NOTIFY_SOCKET.
 * Source: sd_notify(3), sd_listen_fds(3).
 */
#ifndef DAEMON_H
#define DAEMON_H

#include "err.h"
#include "state.h"

struct buf;

struct daemon {
	const struct state *state; /* lent */
	const char *name;	   /* "stream": stream.pid, stream.log */
	int pidfile, parent;	   /* -1: none */
};

/*
 * Takes the pid file; -EBUSY if another instance lives, with its pid and place
 * in the err. background: forks first, and the parent waits until the child is
 * ready (it then exits with 0) or ends (with the child's status).
 */
int daemon_begin(struct daemon *, const struct state *, const char *name, bool background,
	struct err *) MUST_CHECK;

/*
 * Ready: the place where it answers is written beside the pid, systemd is told,
 * and a waiting parent let go; then standard error goes to NAME.log.
 */
int daemon_ready(struct daemon *, const char *place, struct err *) MUST_CHECK;

/* Tells systemd that the end has begun; then removes the pid file. */
void daemon_stopping(void);
void daemon_end(struct daemon *);

/* A descriptor that is readable once we are asked to end: SIGTERM, SIGINT, SIGHUP; or -errno. */
int daemon_signals(void) MUST_CHECK;

/*
 * The number of listening descriptors that were handed to us (3, 4, …), now
 * close-on-exec. Call it before daemon_begin, which changes the pid they were
 * meant for.
 */
int daemon_inherited(void);

/* The instance that lives: 1 with its pid and place (one line), 0 if there is none, or -errno. */
int daemon_find(const struct state *, const char *name, pid_t *, struct buf *place) MUST_CHECK;

/* Asks it to end and waits: 1 it is gone, 0 there was none, -ETIMEDOUT, or another -errno. */
int daemon_stop(const struct state *, const char *name, int64_t timeout) MUST_CHECK;

#endif
