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

/* Takes in what is there: whether a name that begins so was among it, or too much to say. */
bool watch_drain(int fd, const char *prefix);

#endif
