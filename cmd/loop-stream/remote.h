/*
 * remote: a run that a server shows. Its plan and its log are asked for, and
 * its events are a stream, which tells when to ask. A server that went away is
 * waited for.
 */
#ifndef REMOTE_H
#define REMOTE_H

#include "client.h"
#include "tally.h"

struct remote {
	struct client client;
	int stream;	      /* its events; -1: closed */
	struct answer answer; /* which it brings, and the lines of its body */
	struct lines lines;
	char id[24];	  /* the id that came last */
	char last[24];	  /* that of the last event, whose data came as well; empty: none yet */
	int64_t retry;	  /* clock_now when it is opened again */
	int64_t looked;	  /* clock_now of the last look at the log */
	int64_t offset;	  /* of the log, up to which it was taken in */
	bool interrupted; /* the scheduler is gone */
	struct err lost;  /* why the server does not answer; empty: it does */
};

/* The URL and the token (NULL: none) are lent. */
void remote_init(struct remote *, const char *url, const char *token);
void remote_close(struct remote *);

/* The run of this name, or the newest; -ENOENT if it is not there (yet). */
int remote_open(struct remote *, struct run *, const char *name, struct err *) MUST_CHECK;

/* Takes in what is new of it; whether anything is. */
bool remote_read(struct remote *, struct run *, struct tally *, run_changed *, void *context);

/* "pause", "continue" or "cancel", for who has the token. */
int remote_control(struct remote *, const struct run *, const char *action, struct err *)
	MUST_CHECK;

#endif
