/* status: how the server is, as JSON. */
#ifndef STATUS_H
#define STATUS_H

struct conn;

/* The handler of GET /status. */
void status_answer(struct conn *);

#endif
