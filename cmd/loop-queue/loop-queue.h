/* loop-queue: the subcommands, one function and one table each, and what they share. */
#ifndef LOOP_QUEUE_H
#define LOOP_QUEUE_H

#include "buf.h"
#include "event.h"
#include "opt.h"
#include "queue.h"
#include "store.h"

int put_main(const struct args *);
int claim_main(const struct args *);
int ack_main(const struct args *);
int nack_main(const struct args *);
int bury_main(const struct args *);
int touch_main(const struct args *);
int work_main(const struct args *);
int peek_main(const struct args *);
int list_main(const struct args *);
int stats_main(const struct args *);
int wait_main(const struct args *);
int kick_main(const struct args *);
int pause_main(const struct args *);
int resume_main(const struct args *);
int drain_main(const struct args *);
int age_main(const struct args *);
int purge_main(const struct args *);
int sweep_main(const struct args *);
int fsck_main(const struct args *);
int export_main(const struct args *);
int import_main(const struct args *);
int migrate_main(const struct args *);

extern const struct opt put_options[], claim_options[], ack_options[], nack_options[],
	bury_options[], touch_options[], work_options[], peek_options[], list_options[],
	stats_options[], wait_options[], kick_options[], purge_options[], fsck_options[],
	migrate_options[], store_options[];

/* Every subcommand's: where the queue is. */
extern struct store_place place;
#define OPT_STORE STORE_OPTIONS(place, "10s")

#define OPT_SYNC(where)                                                                       \
	{                                                                                     \
		.name = "sync", .help = "on disk before it is acknowledged", .flag = &(where) \
	}

/* Opens a queue or ends the program; make: a queue that is not there. */
struct queue *open_queue(const char *name, bool make);
void close_queue(struct queue *);

/* The state directory that events go to and queues are listed in; NULL: there is none. */
const struct state *queue_state(bool make);
bool store_is_file(void);

/* An event in the journal of the state directory, if there is one. */
void queue_emit(
	const char *type, enum priority, const char *subject, const struct buf *data);

/* The exit status that fits -errno; queue_die says the err as well. */
int queue_status(int code) __attribute__((const));
void queue_die(int code, const struct err *) NORETURN;

/* Lines of standard input, as many at a time as there are; flush before it waits and at the end. */
struct intake {
	int (*take)(void *context, char *line, size_t length, int64_t number);
	int (*flush)(void *context);
	void *context;
};
int read_lines(const struct intake *);

/* What is asked of an item's line of JSON. */
enum { SHOW_STATE = 1, /* state and why */
	SHOW_BODY = 2,
	SHOW_PORTABLE = 4 /* what import needs, and no more */
};

/* {"id":…}, without a newline. */
void item_json(struct buf *, const struct queue *, const struct item *, unsigned what);

/* Members of a line for put or import; key and body are added to text. False: see err. */
struct put_line {
	struct put put;
	size_t body, length; /* in text */
	char key[QUEUE_NAME_SIZE];
};
bool put_line_parse(struct put_line *, const struct put *defaults, struct span line, bool import,
	struct buf *text, struct err *);

/* Puts what stands on standard input, a line an item; the exit status. */
int put_lines(struct queue *, const struct put *defaults, bool import, bool sync);

/* The states of "ready,buried" as a mask; ends the program where it is none. */
unsigned parse_states(const char *text);

/* Ends the program where the delay, a duration or a time, is none. */
int64_t parse_delay(const char *text);

#endif
