/*
 * play: one performance of a script: who plays, what was said and used so far,
 * and the dialect in which it is told.
 */
#ifndef PLAY_H
#define PLAY_H

#include "buf.h"
#include "id.h"
#include "json.h"

struct usage {
	int64_t input, output, cache_read, cache_write;
	double cost;
};

struct play {
	const struct dialect *dialect;
	const char *model, *story;
	char session[UUID_SIZE];
	int64_t attempt, max_turns;
	double budget;	       /* dollars; negative: none */
	int64_t limited_until; /* epoch seconds; 0: no limit was told */
	int64_t start;	       /* clock_now */
	struct buf prompt;
	struct buf last; /* the last text */
	struct usage used;
	int64_t turns;
	int64_t next_id;
	bool said_result;
};

/* How a session ends, as far as the stream tells. */
struct ending {
	const char *reason; /* "success", or one of the names that the man page lists */
	const char *text;
};

struct tool {
	char id[48];
	const char *name;
	json_t *input;
};

/* An agent's way of saying things; each writes whole lines to stdout. */
struct dialect {
	const char *name;
	void (*start)(struct play *);
	void (*text)(struct play *, const char *text);
	void (*tool)(struct play *, const struct tool *);
	void (*tool_end)(struct play *, const struct tool *, const char *output, int status);
	void (*retry)(struct play *, const char *error, int64_t status, int64_t delay_ms);
	void (*limit)(struct play *, const char *kind, const char *status, int64_t resets);
	void (*background)(struct play *, bool running);
	int (*end)(struct play *, const struct ending *); /* the exit status that goes with it */
};

extern const struct dialect claude_dialect, codex_dialect, gemini_dialect, text_dialect;

/* What a dialect has no words for. */
void dialect_no_limit(struct play *, const char *kind, const char *status, int64_t resets);
void dialect_no_background(struct play *, bool running);

/* The dialect of a file that has the other functions under their own names. */
#define DIALECT(word, limit, background)                     \
	const struct dialect word##_dialect = {#word, start, \
		text, tool, tool_end, retry, limit, background, end}

/* Writes the line with its newline and empties the buffer; dies where nobody reads. */
void say(struct buf *line);
void say_format(const char *format, ...) PRINTF_LIKE(1, 2);
void say_json(json_t *line); /* takes the reference */

/* A string of any bytes: what is no UTF-8 becomes U+FFFD. */
json_t *text_json(const char *text);

/* Plays the steps; the exit status, if it comes to that. */
int play_steps(struct play *, const json_t *steps);

#endif
