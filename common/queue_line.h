/*
 * queue_line: the two kinds of lines that a queue's files are made of, each of
 * QUEUE_LINE bytes, so that one is changed where it stands by one write, never
 * needs more room on the disk, and lies within a sector.
 */
#ifndef QUEUE_LINE_H
#define QUEUE_LINE_H

#include "queue.h"

enum { QUEUE_LINE = 128,
	BLOCK_ITEMS = 1024 };

/* An item. Times are ms since the epoch by the queue's clock. */
struct item_line {
	enum item_state state;
	bool keyed;
	int64_t priority, created;
	int64_t due; /* or since when it is ready; 0: since it was put */
	int64_t tries, max_tries, lease;
	char token[TOKEN_SIZE]; /* "-": none */
	int64_t offset, length; /* of the body, in the block's bodies */
	int64_t head;		/* bytes of the line of JSON in front of it */
	int64_t sum;		/* CRC-32 of the body */
};

void item_line_format(char out[QUEUE_LINE], const struct item_line *);
bool item_line_parse(const char line[QUEUE_LINE], struct item_line *); /* false: damaged */

/* Since when a ready item is so, ms. */
int64_t item_line_since(const struct item_line *) __attribute__((pure));

/* A block of items in the index: what its items amount to. */
struct block_line {
	bool changing;	/* the figures are not to be believed */
	int64_t number; /* 0: the line is free */
	int64_t items;
	int64_t count[ITEM_STATES];
	int64_t best;	/* the smallest priority that is ready; QUEUE_PRIORITY_MAX + 1: none is */
	int64_t oldest; /* ms: the smallest item_line_since of the ready; 0: none is */
	int64_t next;	/* ms: when the next delay or lease ends; 0: none */
	bool full;	/* takes no more */
};

#define BLOCK_NO_READY (QUEUE_PRIORITY_MAX + 1)

void block_line_format(char out[QUEUE_LINE], const struct block_line *);
bool block_line_parse(const char line[QUEUE_LINE], struct block_line *);

/* Adds one item to the figures; a damaged line counts as an item and nothing else. */
void block_line_count(struct block_line *, const char line[QUEUE_LINE]);

/* CRC-32 as in zip and PNG (ISO 3309). */
uint32_t crc32_of(struct span);

#endif
