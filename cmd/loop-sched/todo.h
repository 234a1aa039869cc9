/*
 * todo: a run as a checklist, by phase.
 */
#ifndef TODO_H
#define TODO_H

#include "view.h"

/* Markdown, or the array of {id, content, status} that agents keep. */
void todo_add(struct buf *, const struct view *, bool json);

#endif
