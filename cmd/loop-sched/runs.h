/*
 * runs: the folder of all runs, and how one is named: by its id, the beginning
 * of it, or not at all, which means the newest.
 */
#ifndef RUNS_H
#define RUNS_H

#include "buf.h"
#include "state.h"

enum { RUN_ID_SIZE = 129 };

/* "PATH: what", and the end of the program with the status that fits -errno. */
void path_fail(int code, const char *path) NORETURN;

/* The state directory, which must be there; ends the program where it is not. */
void runs_open(struct state *);

/* The ids of all runs, oldest first. */
void runs_list(const struct state *, struct strs *);

/* Resolves what the user named (NULL: the newest, else $LOOP_RUN); ends the program if there is no
 * such run. */
void run_find(const struct state *, const char *name, char id[RUN_ID_SIZE]);

/* run-20261121T090102-1f3a */
void run_id_new(char id[RUN_ID_SIZE]);

#endif
