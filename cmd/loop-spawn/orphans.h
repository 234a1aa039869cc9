/*
 * orphans: what sessions left running that were killed together with all their
 * guards. Nobody below could end it; the next session to start does.
 */
#ifndef ORPHANS_H
#define ORPHANS_H

#include "state.h"

/* Ends what runs of sessions of this state directory whose owner is dead and that never ended. */
void orphans_end(const struct state *);

#endif
