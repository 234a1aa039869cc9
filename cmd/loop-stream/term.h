/*
 * term: the terminal, borrowed: keys without echo, the cursor hidden, and our
 * lines redrawn in place at the end of the normal screen. However we end, it is
 * given back as it was: by us, or where we are killed by a guardian process
 * that waits for nothing else.
 */
#ifndef TERM_H
#define TERM_H

#include "buf.h"

#include <termios.h>

struct term {
	int columns, rows;
	bool utf8, colour, keys; /* keys: standard input is the terminal too */
	struct termios before;
	int guardian;	   /* a pipe that says nothing until we are gone; -1: none */
	struct strs drawn; /* our lines, as they are on the screen */
};

/* Whether standard output is one that can move its cursor. */
bool term_usable(void);

/* What text may look like, for either kind of output: by the locale and NO_COLOR. */
void term_style(struct term *);

void term_take(struct term *);
void term_give_back(struct term *);

/* Asks for the size again. */
void term_measure(struct term *);

/*
 * One frame, in one write: lines that stay, and then our own in place of those
 * that are there. Every line fits the width already. 0 or -errno.
 */
int term_draw(struct term *, const struct strs *stay, const struct strs *own) MUST_CHECK;

/*
 * Text from outside as it may be shown: escaped, and cut to so many columns
 * (with a sign that it was); the columns it takes. Without UTF-8 what is not
 * ASCII becomes a question mark.
 */
size_t term_fit(const struct term *, struct buf *, const char *text, size_t columns);

/* The columns of a text of our own, escape sequences not counted. */
size_t term_width(const char *text);

#endif
