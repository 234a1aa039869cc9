/* loop-lock-redis: what the files of the program share. */
#ifndef LOOP_LOCK_REDIS_H
#define LOOP_LOCK_REDIS_H

#include "lease.h"
#include "opt.h"

/* What the options say. */
struct choices {
	const char *store;
	bool shared, nonblock, close;
	int64_t timeout; /* -1: not given */
	int64_t lease, patience;
	int level;   /* of priority, from the lowest */
	int on_loss; /* enum on_loss */
	const char *label;
	bool json, yes, print;
	int64_t pid, fd; /* 0: not given */
};
extern struct choices choices;

enum on_loss { LOSS_ENDS,
	LOSS_WARNS };

/* The Redis that is named; ends the program where it is not to be had. */
struct redis *open_store(void);

/* The same to hold leases in: a renewal that fails must leave time for others. */
struct redis *open_to_hold(void);
void fail(int code, const struct err *) NORETURN;

/* What is worth an event in this host's journal. */
enum news { NEWS_WAITING,
	NEWS_ACQUIRED,
	NEWS_RELEASED,
	NEWS_LOST };
void tell(enum news, const struct lease *, int64_t waited, const char *text);

/*
 * All of these or none. 0; else the exit status, after its message. Those that are had
 * are renewed while the others are waited for.
 */
int take_all(struct redis *, struct lease *, size_t count, const struct asker *);
void free_all(struct redis *, struct lease *, size_t count);

/*
 * Renews what is due. When the first of the leases ends, unless it is renewed: clock_now; 0:
 * one is lost, and has been told of.
 */
int64_t renew_all(struct redis *, struct lease *, size_t count);
int64_t next_renewal(const struct lease *, size_t count);

/* What leases are held for, while they are. */
struct held {
	struct redis *redis;
	struct lease *lease;
	size_t count;
	void (*send)(const struct held *, int sig);
	void (*hand_on)(const struct held *, int sig); /* one that came to us; NULL: nothing */
	bool until_loss;			       /* where a loss is only told of */

	bool lost;
	int64_t end_at, kill_at; /* clock_now: when it has to be ended, and killed */
};
void held_begin(struct held *);

/* Looks after both until a descriptor polls readable, which tells of the end; -1: once. */
void held_watch(struct held *, int ended);

/* Ends the program where the times that were given make no sense. */
void check_times(void);
void describe(struct asker *, const char *command, const char *line);

/* A subcommand each. */
int run_command(const struct args *);
int run_acquire(const struct args *);
int run_list(const struct args *);
int run_why(const struct args *);
int run_stats(const struct args *);
int run_cancel(const struct args *);
int run_break(const struct args *);

#endif
