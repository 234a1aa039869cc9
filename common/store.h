/*
 * store: where what processes share is kept: in the files of the state
 * directory ("file"), or in Redis (its URL), where one machine is not enough.
 */
#ifndef STORE_H
#define STORE_H

#include "opt.h"

/* What an option named, else LOOP_STORE, else "file". */
const char *store_choose(const char *named);
bool store_in_files(const char *store);

/* What the options below say. */
struct store_place {
	const char *store; /* NULL: not said */
	int64_t patience;  /* ns */
};

/* Of every program that has the choice, for its tables; by_default: its patience, in words. */
#define STORE_OPTIONS(place, by_default)                                   \
	{.name = "store",                                                  \
		.arg = "STORE",                                            \
		.help = "file, or redis://... (LOOP_STORE)",               \
		.string = &(place).store},                                 \
	{                                                                  \
		.name = "patience", .arg = "D",                            \
		.help = "how long to try to reach Redis (" by_default ")", \
		.duration = &(place).patience                              \
	}

#endif
