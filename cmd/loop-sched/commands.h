/*
 * commands: what each file of a subcommand gives to the table in main.c.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include "opt.h"

extern const struct opt check_options[], graph_options[], run_options[], resume_options[],
	status_options[], list_options[], forget_options[], simulate_options[], todo_options[],
	optimize_options[], room_options[];

int check_main(const struct args *);
int graph_main(const struct args *);
int import_main(const struct args *);
int run_main(const struct args *);
int resume_main(const struct args *);
int retry_main(const struct args *);
int optimize_main(const struct args *);
int simulate_main(const struct args *);
int undo_main(const struct args *);
int dirty_main(const struct args *);
int forget_main(const struct args *);
int room_main(const struct args *);
int pause_main(const struct args *);
int continue_main(const struct args *);
int cancel_main(const struct args *);
int status_main(const struct args *);
int list_main(const struct args *);
int show_main(const struct args *);
int why_main(const struct args *);

#endif
