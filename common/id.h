/*
 * id: names for things that must be told apart: random ones, and processes. A
 * process is pid + start time + boot id; the pid alone comes back.
 */
#ifndef ID_H
#define ID_H

#include "base.h"

#include <sys/types.h>

enum { UUID_SIZE = 37,
	BOOT_SIZE = 37,
	PROCESS_NAME_SIZE = 64 };

void id_random(void *bytes, size_t length);
char *id_uuid(char out[UUID_SIZE]); /* version 4 (RFC 9562), lower case; returns out */

struct owner {
	pid_t pid;
	uint64_t start; /* clock ticks since boot: field 22 of /proc/PID/stat */
	char boot[BOOT_SIZE];
};

/* -ESRCH if there is no such process; a zombie counts as gone. */
int owner_of(pid_t, struct owner *);
int owner_self(struct owner *);

/* Whether that very process lives: same boot, same pid, same start, not a zombie. */
bool owner_alive(const struct owner *);

/* A descriptor of whatever process has this pid now (pidfd_open(2)), close-on-exec; -errno. */
int process_open(pid_t) MUST_CHECK;

/* What the kernel calls it (/proc/PID/comm), empty if there is no such process; returns out. */
char *process_name(pid_t, char out[PROCESS_NAME_SIZE]);

/* This boot's id, read once; empty where the kernel does not tell. */
const char *id_boot(void);

#endif
