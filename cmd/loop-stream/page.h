/* page: the dashboard's files, from share/dashboard. */
#ifndef PAGE_H
#define PAGE_H

struct conn;

/* GET / and its files. */
void page_answer(struct conn *);

/* The header lines of a report. */
extern const char page_report_fields[];

#endif
