/*
 * store: where what processes share is kept: in the files of the state
 * directory ("file"), or in Redis (its URL), where one machine is not enough.
 */
#ifndef STORE_H
#define STORE_H

#include "base.h"

/* What an option named, else LOOP_STORE, else "file". */
const char *store_choose(const char *named);
bool store_in_files(const char *store);

#endif
