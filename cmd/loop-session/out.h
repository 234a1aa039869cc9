/* out: stdout, a whole line or a page at a time. */
#ifndef OUT_H
#define OUT_H

#include "json.h"

/* One line of compact JSON; takes over the reference. */
void out_json(json_t *);

/* Writes the text and empties the buffer. */
void out_text(struct buf *);

#endif
