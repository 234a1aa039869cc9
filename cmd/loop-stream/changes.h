/*
 * changes: what clients with the token may change: events appended, runs
 * controlled, questions answered. By HTTP and by Socket.IO alike.
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "jscan.h"

struct conn;
struct server;

/* What became of it: a status as HTTP has them, and a JSON object, or a line that says why not. */
struct change {
	int status;
	struct buf body;
};

void change_clear(struct change *);

/* A whole event, as JSON. */
void change_publish(struct server *, struct span event, struct change *);

/*
 * The word is one of those below; the object may tell "who" and "why", and for
 * an answer its "text".
 */
typedef void change_by_word(struct server *, const char *id, const char *word,
	struct span object, struct change *);
change_by_word change_run, change_gate;

void events_post(struct conn *);  /* POST /events */
void run_control(struct conn *);  /* POST /runs/ID/{pause,continue,cancel,retry} */
void gate_control(struct conn *); /* POST /gates/ID/{approve,reject,answer} */

#endif
