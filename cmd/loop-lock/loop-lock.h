/* loop-lock: what the files of the program share. */
#ifndef LOOP_LOCK_H
#define LOOP_LOCK_H

#include "err.h"
#include "lock.h"
#include "opt.h"

struct buf;
struct lock_owners;

/* What the options say. */
struct choices {
	bool shared, nonblock, close;
	int64_t timeout; /* -1: not given */
	int level;	 /* of priority, from the lowest */
	const char *label;
	int64_t fd; /* 0: not given */
	bool json, yes, print;
	int64_t pid; /* 0: not given */
	/* For locks in Redis alone. */
	const char *store;
	int64_t lease, patience;
	int on_loss;
};
extern struct choices choices;

/* NAME[:UNITS][/CAPACITY]; ends the program where it is none. The name is cut out of the text. */
void want_parse(struct lock_want *, char *text);

/* The options as the library takes them; events are told to the state. */
struct lock_options choices_options(const char *command, struct state *);

/* Becomes the program for locks in Redis, where one is named; else returns. */
void go_elsewhere(char **argv);

/* Ends the program where its options are for those. */
void stay_here(void);

/* The slots of the i-th lock, with commas between them. */
void add_slots(struct buf *, const struct lock *, size_t i);

/* The exit status for a lock that was not had, after its message. */
int refuse(int code, const struct err *, int timed_out);

/* These end the program where it cannot be done. */
void open_state(struct state *); /* made where it is missing */
void find_state(struct state *);
int open_lock(const struct state *, const char *name);

void tell_news(const struct lock_news *, void *state);
void tell_broken(const struct state *, const char *name, const struct lock_owners *);

/* A subcommand each. */
int run_command(const struct args *);
int run_path(const struct args *);
int run_acquire(const struct args *);
int run_release(const struct args *);
int run_list(const struct args *);
int run_why(const struct args *);
int run_stats(const struct args *);
int run_cancel(const struct args *);
int run_break(const struct args *);

#endif
