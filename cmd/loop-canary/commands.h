/* commands: the subcommands of loop-canary, one function and one table each. */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "opt.h"
#include "record.h"

int run_main(const struct args *);
int check_main(const struct args *);
int simulate_main(const struct args *);
int status_main(const struct args *);
int list_main(const struct args *);
int promote_main(const struct args *);
int pause_main(const struct args *);
int resume_main(const struct args *);
int abort_main(const struct args *);
int retry_main(const struct args *);

extern const struct opt run_options[], simulate_options[], show_options[], promote_options[],
	request_options[];

/* A plan's file; ends the program with every error in it, or where it cannot be read. */
void read_plan(const char *file, struct buf *text, struct plan *);

#endif
