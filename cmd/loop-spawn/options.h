/*
 * options: what loop-spawn can be told.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "opt.h"
#include "session.h"

extern struct config config;
extern const struct opt options[];

/* What the table cannot check; dies with a message. */
void options_check(const struct args *);

/* What the options say goes before what agent.json says. */
void options_clocks(struct clocks *);

#endif
