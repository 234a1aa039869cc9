/*
 * queue_file: a queue as files, queues/NAME/ in the state directory:
 *
 *	index		one line a block of 1024 items: what they amount to
 *	N.items		block N: one line an item, its state first
 *	N.bodies	their bodies, each behind a line of JSON
 *	N.notes		why they failed
 *	keys/XX/KEY	the id of the item that has this key
 *	paused draining	are there where the queue is so
 *	age turns	when an item has aged; a byte a claim while one has
 *	wake/put	written to when there may be something to claim
 *
 * An item's id is its block and its place there, so it is found without a search,
 * and the next one to claim by reading the index and one block, however many there are. A
 * block's lines change under a byte lock on its line of the index. That line is marked
 * before, and counted anew behind the change: what is marked and not locked was left by
 * a killed process and is counted by whoever comes next. Items are the truth, the
 * index follows from them; after a reboot all of it is counted.
 */
#ifndef QUEUE_FILE_H
#define QUEUE_FILE_H

#include "buf.h"
#include "queue.h"
#include "queue_line.h"

/* The names come from outside; keys too, and they are names. make: a queue that is not there. */
int queue_file_open(struct queue **, const struct state *, const char *name, bool make,
	struct err *) MUST_CHECK;

/* The rest is for the parts of this store alone. */

#define BLOCK_WAIT (5 * NS_PER_S)	/* for a certain block */
#define BLOCK_HOP (20 * NS_PER_MS)	/* where another would do as well */
#define BLOCK_BYTES (INT64_C(64) << 20) /* of bodies: then it is full */

/* A block whose line of the index is locked; one at a time. */
struct block {
	size_t slot;
	struct block_line line;
	int items, bodies; /* open files of block number; -1 */
	int64_t number;
	bool begun; /* the line is marked */
	bool read;  /* text holds the items */
	char *text; /* the item lines: line.items of them, room for BLOCK_ITEMS */
};

struct queue_file {
	struct queue queue;
	int dir, index, watch;
	int64_t offset; /* from clock_now to the queue's clock */
	char *folder;	/* its path */

	struct block_line *blocks; /* the index as read last, by slot; slot 0 is the head */
	size_t slots, capacity;
	size_t newest; /* the slot of the largest number; 0: there is no block */
	bool torn;     /* a line of it was damaged */

	struct block block;
	struct strs dead_keys; /* KEY ID of what is done, to be let go when no block is held */
};

int64_t file_now(const struct queue_file *); /* ms */

/* Milliseconds of ns, rounded up. */
int64_t to_ms(int64_t ns) __attribute__((const));

/* The index read anew into blocks. */
int table_read(struct queue_file *, struct err *) MUST_CHECK;
size_t table_find(const struct queue_file *, int64_t number); /* its slot, or 0 */

/* Blocks that hold items and stand in no line: where the index was damaged. */
int table_unknown(struct queue_file *, struct strs *numbers, struct err *) MUST_CHECK;
int table_heal(struct queue_file *, struct err *) MUST_CHECK; /* gives them lines */

/* Takes the index in, counting anew after a reboot; at the opening of a queue. */
int table_adopt(struct queue_file *, struct err *) MUST_CHECK;

/*
 * Locks the line in the slot and reads the block: 0; -ESTALE: another block stands there by
 * now; -ETIMEDOUT. block_close counts where something was changed, and unlocks.
 */
int block_open(struct queue_file *, size_t slot, int64_t number, int64_t wait, struct err *)
	MUST_CHECK;
/* The same, to append and nothing else: the items stay unread where the figures are sound. */
int block_open_end(struct queue_file *, size_t slot, int64_t number, int64_t wait, struct err *)
	MUST_CHECK;
int block_create(struct queue_file *, struct err *) MUST_CHECK;
int block_close(struct queue_file *, struct err *) MUST_CHECK;

/* For table_heal: a line for a block that has none; a damaged line that nobody holds is free. */
int block_adopt(struct queue_file *, int64_t number, struct err *) MUST_CHECK;
int block_free_torn(struct queue_file *, size_t slot, struct err *) MUST_CHECK;

const char *block_text(const struct block *, int64_t place);
int block_change(struct queue_file *, int64_t place, const struct item_line *, struct err *)
	MUST_CHECK;
/* A line that cannot be read: no state any more, so that it counts as nothing. */
int block_spoil(struct queue_file *, int64_t place, struct err *) MUST_CHECK;
int block_append(struct queue_file *, const char *lines, size_t count, struct err *) MUST_CHECK;
bool block_has(const struct block_line *, unsigned states); /* a mask of 1 << state */
int block_sync(struct queue_file *, struct err *) MUST_CHECK;
int block_bodies(struct queue_file *, struct err *) MUST_CHECK; /* opens them */

/* "12.37" in and out; -EINVAL. */
int id_parse(const char *id, int64_t *number, int64_t *place) MUST_CHECK;
void id_format(char out[ITEM_ID_SIZE], int64_t number, int64_t place);

/* Opens the block that an id names and checks its place: 0, -ENOENT, -ETIMEDOUT. */
int item_open(struct queue_file *, const char *id, int64_t *place, struct item_line *,
	struct err *) MUST_CHECK;

/* The item as the outside sees it; its body in the buffer. -EBADMSG where that is damaged. */
int item_load(struct queue_file *, int64_t place, const struct item_line *, struct item *,
	struct buf *, struct err *) MUST_CHECK;
int item_key(struct queue_file *, const struct item_line *, char out[QUEUE_NAME_SIZE]);

/* The one that would be claimed next: its block is open. -ENOENT: there is none. */
int item_next(struct queue_file *, int64_t *place, struct item_line *, struct err *) MUST_CHECK;

/* An item of the open block whose line is damaged: nobody's work until fsck. */
int item_spoil(struct queue_file *, int64_t place, struct err *) MUST_CHECK;

/* Why items failed. */
void note_add(struct queue_file *, int64_t place, int64_t tries, const char *why);

/* All that is noted of the open block: the last word on each item, or none. */
struct notes {
	struct buf text;
	size_t at[BLOCK_ITEMS], length[BLOCK_ITEMS]; /* in text */
};
void notes_load(struct queue_file *, struct notes *);
struct span notes_why(const struct notes *, int64_t place); /* lent */

/* An item that failed: buried after its last try, else ready or delayed. True: buried. */
bool item_fail(struct item_line *, int64_t now, int64_t delay);

/* Makes ready what is due in all blocks, and takes back leases. */
int table_sweep(struct queue_file *, struct err *) MUST_CHECK;

/*
 * The lock of a key. 1: an item of this key is there, its id in out; 0: there is none, and
 * the descriptor in *fd holds the lock until it is closed.
 */
int key_take(struct queue_file *, const char *key, int *fd, char out[ITEM_ID_SIZE], struct err *)
	MUST_CHECK;
int key_write(int fd, const char *id, int64_t until, bool sync) MUST_CHECK;

/* Remembers that the key of this item (of the open block) may go; lets go of all of them. */
void key_done(struct queue_file *, int64_t place, const struct item_line *);
void keys_release(struct queue_file *);

/* Somebody may be waiting for something to claim. */
void file_wake(struct queue_file *);

/* When an item has aged, ms; INT64_MAX: never. */
int64_t file_age(const struct queue_file *);

/* Whether this claim's turn is that of an aged item; whether the next one's would be. */
bool turn_take(const struct queue_file *);
bool turn_is_next(const struct queue_file *);

/* Until when it is paused, ms; 0: it is not; INT64_MAX: until told otherwise. */
int64_t file_paused(const struct queue_file *);

int file_put(struct queue *, struct put *, size_t, bool, size_t *, struct err *);
int64_t file_claim(struct queue *, const struct claim *, item_taker *, void *, struct err *);
int file_settle(struct queue *, enum settling, struct settle *, size_t, bool, struct err *);
int64_t file_kick(struct queue *, const char *, int64_t, bool, struct err *);
int64_t file_purge(struct queue *, const char *, unsigned, struct err *);
int file_set_age(struct queue *, int64_t, struct err *);
int64_t file_check(struct queue *, bool, queue_complaint *, void *, struct err *);

#endif
