/*
 * share: where the house's data lies (agents, schemas, the dashboard):
 * $LOOP_SHARE, else ../share/loop beside the running program, else the share/
 * of the source tree it was built in.
 */
#ifndef SHARE_H
#define SHARE_H

/* The absolute path of a file or folder of share/, a new string; NULL if it is not there. */
char *share_path(const char *name);

#endif
