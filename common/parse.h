/*
 * parse: the house's notations for numbers, durations, sizes, times and names,
 * each read and written in one place. Readers take the whole string or refuse
 * it: 0, or -EINVAL (no such notation), or -ERANGE (out of bounds).
 */
#ifndef PARSE_H
#define PARSE_H

#include "base.h"

int parse_int(const char *text, int64_t min, int64_t max, int64_t *out) MUST_CHECK;

/*
 * "250ms", "90s", "5m", "1h30m", "2d", "1.5s", "0"; a bare number is seconds.
 * Nanoseconds, never negative.
 */
int parse_duration(const char *text, int64_t *ns) MUST_CHECK;

/* "512", "64K", "10M", "2G", "1T": powers of 1024, in bytes. */
int parse_size(const char *text, int64_t *bytes) MUST_CHECK;

/*
 * RFC 3339 ("2026-11-20T09:01:02.5Z", "+01:00"), or an age before now ("10m").
 * Nanoseconds since the epoch.
 */
int parse_time(const char *text, int64_t now, int64_t *ns) MUST_CHECK;
int parse_rfc3339(const char *text, size_t length, int64_t *ns) MUST_CHECK;

/* Money in US dollars, in millionths: "5", "0.25". */
int parse_dollars(const char *text, int64_t *micros) MUST_CHECK;

/* Names of locks, queues, tasks, sessions: [A-Za-z0-9._:@+-]{1,128}, not starting with a dot. */
bool name_valid(const char *text);

/* Writers return out. */
enum {
	TIME_SIZE = 32,
	DURATION_SIZE = 32,
	BYTES_SIZE = 32,
	DOLLARS_SIZE = 32,
};

char *format_time(char out[TIME_SIZE], int64_t ns);	      /* 2026-11-20T09:01:02.123456Z */
char *format_duration(char out[DURATION_SIZE], int64_t ns);   /* 3m12s, 450ms: for people */
char *format_bytes(char out[BYTES_SIZE], int64_t bytes);      /* 1.4G: for people */
char *format_dollars(char out[DOLLARS_SIZE], int64_t micros); /* $4.20, $0.0063: for people */

/*
 * The candidate nearest to a misspelt word by Damerau-Levenshtein distance, at
 * most 2 and less than half the word; NULL if none is near. For "did you mean".
 */
struct nearest {
	const char *word;
	const char *best;
	unsigned distance;
};
void nearest_try(struct nearest *, const char *candidate);

#endif
