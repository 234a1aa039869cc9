/*
 * changes: what clients may change, with the token: the course of a run, and
 * events of their own. Each is an event in the journal.
 */
#ifndef CHANGES_H
#define CHANGES_H

struct conn;

void run_control(struct conn *); /* POST /runs/ID/{pause,continue,cancel} */
void events_post(struct conn *); /* POST /events: one event, as JSON */

void gate_control(struct conn *); /* POST /gates/ID/{approve,reject,answer} */

#endif
