/*
 * resources: what the state directory holds of runs, sessions and gates, as
 * JSON. Documents that others wrote are handed on as they stand.
 */
#ifndef RESOURCES_H
#define RESOURCES_H

struct conn;

void runs_answer(struct conn *);     /* GET /runs: the newest runs, in short */
void run_answer(struct conn *);	     /* GET /runs/ID: its tasks, and its plan */
void run_log(struct conn *);	     /* GET /runs/ID/log: what the scheduler wrote of it */
void sessions_answer(struct conn *); /* GET /sessions */
void session_answer(struct conn *);  /* GET /sessions/ID */
void session_log(struct conn *);     /* GET /sessions/ID/log */
void gates_answer(struct conn *);    /* GET /gates */

#endif
