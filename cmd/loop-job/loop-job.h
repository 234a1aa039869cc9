/* loop-job: what its two sides share: where the queue is, and what a job says. */
#ifndef LOOP_JOB_H
#define LOOP_JOB_H

#include "answers.h"
#include "opt.h"
#include "store.h"

int call_main(const struct args *);
int run_main(const struct args *);

extern const struct opt call_options[], run_options[];

/* Where the queue and the answers are. */
extern struct store_place place;
#define OPT_STORE STORE_OPTIONS(place, "1m")

/* A queue and the answers of its jobs, open; ends the program where they cannot be. */
struct desk {
	struct state state;
	struct queue *queue;
	struct answers *answers;
};
void desk_open(struct desk *, const char *queue);
void desk_close(struct desk *);

/* What a file named in the environment is called in a parcel. */
#define FILE_PREFIX "file:"
enum { FILE_MAX = 64 << 20,
	VARIABLE_MAX = 128 };

/* Ends the program unless this is a variable's name. */
void check_variable(const char *option, const char *name);

/* This host's name, made a name of the house. */
char *host_name(char out[65]);

/* Why a job ended other than by itself: words that both sides know. */
#define REASON_TIMEOUT "timeout"
#define REASON_STALL "stall"

#endif
