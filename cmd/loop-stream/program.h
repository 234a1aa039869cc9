/*
 * program: answers that other programs of the house give: their standard output
 * is the body. Each is run in a thread, as a job is, and ended when it takes too
 * long or nobody waits for it any more.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

struct conn;

void stat_answer(struct conn *);   /* GET /stat: loop-stat's series */
void report_answer(struct conn *); /* GET /runs/ID/report: loop report's page */

#endif
