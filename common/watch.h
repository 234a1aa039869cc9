/*
 * watch: told by the kernel when files of a folder are written, made or renamed
 * (inotify). A user has few instances (128 by default): one a process, and where
 * none is left, poll by time.
 */
#ifndef WATCH_H
#define WATCH_H

#include "base.h"

/* A non-blocking descriptor that polls readable; -errno. */
int watch_folder(const char *path) MUST_CHECK;

enum watch_told {
	WATCH_WRITTEN = 1, /* a file was written to */
	WATCH_NAMED = 2,   /* a name has come: made, or renamed to */
};

/*
 * Takes in what is there: a set of what became of names that begin so; all of it where
 * there was too much to say.
 */
unsigned watch_drain(int fd, const char *prefix);

#endif
