/*
 * digest: all events of a session folded into figures: per tool and over all,
 * what files were touched, how long the silences were.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include "calls.h"
#include "json.h"
#include "map.h"
#include "sample.h"

struct tool {
	char *name;
	int64_t calls, failed, unfinished;
	struct sample time; /* ns, of those that told */
};

struct digest {
	struct calls open;
	struct tool *tool; /* in the order of their first call */
	size_t tools, capacity;
	struct strs files; /* written, in order, each once */
	struct map file_set;
	int64_t files_more; /* beyond those that are kept */
	int64_t events, messages, retries, denied, errors, limits, omitted;
	int64_t first, last, silence; /* ns; silence: the longest without an event */
	int64_t input, output, cache_read, cache_write, turns;
	double cost;
	bool cost_known;
	char model[128], version[64];
	struct buf text;   /* the last message */
	char reason[32];   /* of the last result, "" if there was none */
	struct buf failed; /* that result's message */
};

/* Zeroed is empty. As a source's take: context is the digest. */
void digest_step(void *digest, const struct step *);
void digest_end(struct digest *);
void digest_clear(struct digest *);

/* All calls of all tools, and what failed of them. */
int64_t digest_calls(const struct digest *, int64_t *failed);

/* A tool's figures for programs. */
json_t *tool_json(struct tool *);

#endif
