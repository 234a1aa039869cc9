/* status: how the server is, as JSON and for Prometheus. */
#ifndef STATUS_H
#define STATUS_H

struct conn;

/* The handler of GET /status. */
void status_answer(struct conn *);

/* The handler of GET /metrics: the text format, version 0.0.4. */
void metrics_answer(struct conn *);

#endif
