/*
 * import: plans in the shapes that people have, made into ours by one jq
 * program, share/plan/import.jq.
 */
#ifndef IMPORT_H
#define IMPORT_H

#include "plan.h"

/* Makes p->made of p->source. What is wrong with the plan goes to its diags; -errno if jq or the
 * program is not there. */
int import_text(struct plan *, struct err *) MUST_CHECK;

#endif
