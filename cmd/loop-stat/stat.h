/*
 * stat: what the parts of loop-stat share: windows over the events' own times,
 * and in each window one series a group.
 */
#ifndef STAT_H
#define STAT_H

#include "buf.h"
#include "jscan.h"
#include "map.h"
#include "stats.h"

enum { LABELS_MAX = 8 };

/* One group of one window. */
struct series {
	char *label[LABELS_MAX]; /* the values that it was grouped by */
	char *key;
	uint64_t events;
	int64_t first, last; /* times of its events */
	struct sketch values;
};

struct window {
	int64_t start; /* INT64_MIN: all there is */
	struct map by_key;
	struct series **series; /* in the order in which they came */
	size_t count, capacity;
};

/* What is asked for. */
struct question {
	int64_t length; /* of a window; 0: one for all */
	int64_t late;	/* how long after its end a window still takes events */
	const char *by[LABELS_MAX];
	size_t by_count;
	const char *value; /* the path of the number; NULL: data.value, else data.ms */
	size_t groups_max;
	const char *type, *subject; /* patterns; NULL: any */
	int64_t since;		    /* events before that are passed over */
};

struct windows {
	const struct question *question; /* lent */
	void (*closed)(const struct windows *, const struct window *);
	struct window *open; /* sorted by start */
	size_t count, capacity;
	int64_t newest; /* the latest time seen */
	uint64_t late;	/* events that came when their window was closed */
	uint64_t odd;	/* lines that are no events */
};

/* Counts one event; windows that it closes are handed to closed, the oldest first. */
void windows_add(struct windows *, struct span line, int64_t time);

/* Closes all. */
void windows_end(struct windows *);

/* Takes in the events of a file ("-": standard input); dies where it cannot be read. */
void read_file(struct windows *, const char *name);

/*
 * The same of the journal; go_on: for ever, with a call of caught_up (or NULL) whenever
 * all that is there was taken in.
 */
void read_journal(struct windows *, bool go_on, void (*caught_up)(const struct windows *));

/* How long a series took, for its rate: the window, or from its first to its last event. */
double series_seconds(const struct windows *, const struct series *);

/* One line a series, as text (with a head), as JSON lines, or as Prometheus' text format. */
void print_head(const struct windows *, struct buf *);
void print_text(const struct windows *, const struct window *, struct buf *);
void print_json(const struct windows *, const struct window *, struct buf *);
void print_prometheus(const struct windows *, const struct window *, struct buf *);

#endif
