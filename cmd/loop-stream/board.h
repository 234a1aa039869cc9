/*
 * board: a run as lines of text: those that stay (a task came to its end) and
 * those that are drawn in place while it goes on.
 */
#ifndef BOARD_H
#define BOARD_H

#include "left.h"
#include "tally.h"
#include "term.h"

enum board_style { BOARD_PLAIN,
	BOARD_BOX };

struct board {
	const struct term *term; /* all are lent */
	const struct run *run;
	const struct tally *tally;
	const struct left *left;
	enum board_style style;
	const char *prompt;	/* the last line: keys, or a question; NULL: none */
	const struct strs *log; /* lines of a task's log, shown above it; NULL: none */
};

/* A task's change as a line that stays: for a terminal, or with time and count for a file. */
void board_change(const struct board *, const struct task *, struct buf *);
void board_change_plain(const struct board *, const struct task *, struct buf *);

/* Whether a change is worth a line at all. */
bool board_worth(const struct task *);

/* What the run has come to, in one line. */
void board_end(const struct board *, struct buf *);

/* Our lines, none wider and no more of them than the terminal has room for. */
void board_draw(const struct board *, struct strs *lines);

#endif
