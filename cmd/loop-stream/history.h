/*
 * history: what the journal holds, as JSON over HTTP: what was, and long
 * polling for what comes.
 */
#ifndef HISTORY_H
#define HISTORY_H

struct conn;

/* GET /history: the newest events that fit, oldest first; or those from a place on. */
void history_answer(struct conn *);

/* GET /poll: the events behind a place, as soon as there are any. */
void poll_open(struct conn *);

#endif
