/* page: the dashboard's files, from share/dashboard. */
#ifndef PAGE_H
#define PAGE_H

struct conn;

/* GET / and its files. */
void page_answer(struct conn *);

#endif
